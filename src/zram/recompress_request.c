/* SPDX-License-Identifier: BSD-3-Clause */
/* recompress_request.c - pairs are read one by one; which algorithm they mean is seen when all of them are known. */
#include "zram/recompress_request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "device/algs.h"
#include "device/device.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/parse.h"
#include "device/streams.h"

/* What was said of the algorithm. */
struct named {
	const char *algo;  /* NULL: nothing */
	uint64_t priority; /* 0: nothing */
	uint64_t chain;
};

static int take_number(struct zram *z, const char *key, const char *value, uint64_t least, uint64_t most, uint64_t *to)
{
	if (zsi_parse_number(value, to) != 0 || *to < least || *to > most)
		return zsi_fail(EINVAL, "%s: recompress: %s '%s' is not a number from %" PRIu64 " to %" PRIu64, z->name,
				key, value, least, most);
	return 0;
}

static int take_pair(struct zram *z, struct zsi_recompress_request *r, struct named *n, const char *key,
		     const char *value)
{
	if (value == NULL)
		return zsi_fail(EINVAL, "%s: recompress: '%s' has no value", z->name, key);
	if (strcmp(key, "type") == 0) {
		if (!zsi_walk_parse_choice(value, &r->choice) || r->choice == ZSI_CHOOSE_INCOMPRESSIBLE)
			return zsi_fail(EINVAL, "%s: recompress: type is idle, huge or huge_idle, not '%s'", z->name,
					value);
		return 0;
	}
	if (strcmp(key, "algo") == 0) {
		n->algo = value;
		return 0;
	}
	if (strcmp(key, "priority") == 0)
		return take_number(z, key, value, 1, ZSI_PRIORITIES - 1, &n->priority);
	if (strcmp(key, "chain") == 0)
		return take_number(z, key, value, 0, 1, &n->chain);
	if (strcmp(key, "max_pages") == 0)
		return take_number(z, key, value, 1, UINT64_MAX - 1, &r->max_blocks);
	if (strcmp(key, "threshold") == 0) {
		if (zsi_parse_number(value, &r->threshold) == 0 && r->threshold < z->huge_size)
			return 0;
		return zsi_fail(EINVAL, "%s: recompress: threshold '%s' is not a number of bytes below %zu", z->name,
				value, z->huge_size);
	}
	return zsi_fail(EINVAL, "%s: recompress: '%s' is none of type, threshold, algo, priority, max_pages, chain",
			z->name, key);
}

/* The priorities that were meant. */
static int choose(struct zram *z, struct zsi_recompress_request *r, const struct named *n)
{
	unsigned priority = (unsigned)n->priority;

	r->chain = n->chain != 0;
	r->first = 1;
	r->last = r->chain ? ZSI_PRIORITIES - 1 : 1;
	if (priority != 0)
		r->first = r->last = priority;
	if (n->algo != NULL) {
		int found = zsi_algs_find(z, n->algo, priority != 0 ? priority : 1,
					  priority != 0 ? priority : ZSI_PRIORITIES - 1);

		if (found < 0 && priority != 0)
			return zsi_fail(EINVAL, "%s: recompress: algo '%s' is not that of priority %u", z->name,
					n->algo, priority);
		if (found < 0)
			return zsi_fail(EINVAL, "%s: recompress: '%s' is none of the device's recomp_algorithms",
					z->name, n->algo);
		r->first = r->last = (unsigned)found;
	}
	/* A block that has had the last algorithm there is has had all. */
	while (r->last > r->first && z->algs[r->last].codec == NULL)
		r->last--;
	if (z->algs[r->last].codec == NULL)
		return zsi_fail(EINVAL, "%s: recompress: the device has no recomp_algorithm of priority %u", z->name,
				r->last);
	return 0;
}

int zsi_recompress_read(struct zram *z, const char *value, struct zsi_recompress_request *r)
{
	struct named n = { NULL, 0, 0 };
	char *text = strdup(value), *at = text, *key, *v;
	struct zsi_stream *s;
	int result = 0;

	*r = (struct zsi_recompress_request){ .max_blocks = UINT64_MAX };
	if (text == NULL)
		return zsi_fail(ENOMEM, "%s: recompress: no memory", z->name);
	/* With a stream in hand the algorithms stay what they are. */
	s = zsi_gate_enter(z);
	if (s == NULL) {
		result = -1;
	} else {
		while (result == 0 && zsi_parse_pair(&at, &key, &v))
			result = take_pair(z, r, &n, key, v);
		if (result == 0)
			result = choose(z, r, &n);
		zsi_stream_leave(s);
	}
	int error = errno;

	free(text);
	errno = error;
	return result;
}
