/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dict.c - a version is digested for each algorithm, adopted from a saved device, and dropped when no block needs it.
 */
#include "device/dict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/streams.h"

void zsi_dict_free(struct zram *z, struct zsi_dict *d)
{
	if (d == NULL)
		return;
	for (unsigned p = 0; p < ZSI_PRIORITIES; p++)
		zsi_codec_dict_destroy(d->digested[p]);
	zsi_memory_uncharge(z, d->bytes);
	free(d->data);
	free(d);
}

/* What all of the algorithms make of the raw bytes, in place in d. */
bool zsi_dict_digest(struct zram *z, struct zsi_dict *d)
{
	uint64_t bytes = sizeof(*d) + d->data_bytes;

	for (unsigned p = 0; p < ZSI_PRIORITIES; p++) {
		const struct zsi_alg *a = &z->algs[p];

		if (a->codec == NULL || !zsi_codec_takes_dict(a->codec))
			continue;
		d->digested[p] = zsi_codec_dict_create(a->codec, a->level, d->data, d->data_bytes);
		if (d->digested[p] == NULL)
			return false;
		bytes += zsi_codec_dict_bytes(d->digested[p]);
	}
	if (zsi_memory_charge(z, bytes) != 0)
		return false;
	d->bytes = bytes;
	return true;
}

void zsi_dict_retire_frozen(struct zram *z, bool all)
{
	/* A save under way may have them still to write. */
	if (!all && z->save != NULL)
		return;
	for (unsigned v = 1; v < ZSI_DICTS; v++) {
		if (z->train.versions[v] == NULL)
			continue;
		if (!all && (v == z->train.current || zsi_streams_counted(z, (enum zsi_counter)(ZSI_N_DICT + v)) != 0))
			continue;
		zsi_dict_free(z, z->train.versions[v]);
		z->train.versions[v] = NULL;
	}
	if (all)
		z->train.current = 0;
}

int zsi_dict_adopt(struct zram *z, unsigned version, const void *bytes, size_t n)
{
	struct zsi_dict *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->data = malloc(n)) == NULL) {
		free(d);
		return zsi_fail(ENOMEM, "%s: no memory for a dictionary", z->name);
	}
	memcpy(d->data, bytes, n);
	d->data_bytes = n;
	errno = ENOMEM;
	if (zsi_dict_digest(z, d)) {
		z->train.versions[version] = d;
		return 0;
	}
	int error = errno;

	zsi_dict_free(z, d);
	return zsi_fail(error, "%s: a dictionary can't be used: %s", z->name, strerror(error));
}
