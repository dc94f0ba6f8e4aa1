/* SPDX-License-Identifier: BSD-3-Clause */
/* fits.c - what the first blocks need, added up and compared with mem_limit before the device is there. */
#include "device/fits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/bits.h"
#include "codec/codec.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/table.h"

/* A limit that leaves no room for so many blocks, stored as they are, is a mistake. */
#define LEAST_BLOCKS 16u

/* What the pool takes beside the objects for its first ones: descriptors, slot words, handles. */
#define FIRST_METADATA_BYTES (64u << 10)

/* "lz4 level 1, zstd level 3" for messages. */
#define NAMES_BYTES 96u

static const char *algorithms(const struct zram *z, char text[NAMES_BYTES])
{
	size_t at = 0;
	int min, max, dflt;

	text[0] = '\0';
	for (unsigned p = 0; p < ZSI_PRIORITIES && at < NAMES_BYTES; p++) {
		const struct zsi_alg *a = &z->algs[p];

		if (a->codec == NULL)
			continue;
		at += (size_t)snprintf(text + at, NAMES_BYTES - at, "%s%s", p > 0 ? ", " : "",
				       zsi_codec_name(a->codec));
		if (at < NAMES_BYTES && zsi_codec_levels(a->codec, &min, &max, &dflt))
			at += (size_t)snprintf(text + at, NAMES_BYTES - at, " level %d", a->level);
	}
	return text;
}

/*
 * What is held now, and what the first blocks need: objects, a chunk of the table and one of its directory. And the
 * parts of the limit that threads may take for themselves, and the reserve.
 */
static uint64_t needed(struct zram *z)
{
	uint64_t blocks = zsi_max(LEAST_BLOCKS * z->block_size, z->pool_options.page_size);
	uint64_t all = atomic_load_explicit(&z->memory.own, memory_order_relaxed) + zs_get_total_bytes(z->pool) +
		       blocks + FIRST_METADATA_BYTES + zsi_table_first_bytes(&z->table);

	return zsi_memory_with_reserve(z, all * ZSI_OTHERS_PER_LIMIT / (ZSI_OTHERS_PER_LIMIT - ZSI_OTHERS) + 1);
}

int zsi_fits_check_locked(struct zram *z)
{
	uint64_t least = needed(z);
	char text[NAMES_BYTES];

	if (z->memory.limit == 0 || least <= z->memory.limit)
		return 0;
	return zsi_fail(ENOMEM,
			"%s: mem_limit %" PRIu64 " is too small: with %s and blocks of %zu bytes, at least %" PRIu64
			" bytes are needed",
			z->name, z->memory.limit, algorithms(z, text), z->block_size, least);
}
