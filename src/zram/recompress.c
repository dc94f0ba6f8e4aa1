/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recompress.c - the attribute "recompress": blocks that are worth more time, compressed anew with a secondary
 * algorithm.
 *
 * A block keeps its contents and its access time, and its lock is held from reading it to replacing it. It is replaced
 * only where that saves memory: the new object must be of a smaller size class. One that none of the secondary
 * algorithms it has not had yet makes smaller is marked and not tried again until it is written; one that had the last
 * of them is done, which is no mark.
 *
 * A block that can't be read is passed over; the request fails at its end. Where memory is refused it ends at once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "codec/backend.h"
#include "codec/codec.h"
#include "device/block.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/parse.h"
#include "device/streams.h"
#include "device/sum.h"
#include "zram/recompress.h"
#include "zram/turn.h"
#include "zram/walk.h"

/* Sizes are told apart in steps of this for finding the largest blocks. */
#define SIZE_STEP_SHIFT 6
#define SIZE_STEPS ((65536u >> SIZE_STEP_SHIFT) + 1)

struct request {
	const struct zsi_asker *asker;
	enum zsi_choice choice;
	unsigned first, last; /* priorities */
	uint64_t threshold;   /* bytes; 0 = none */
	uint64_t max_blocks;  /* UINT64_MAX = all */
	size_t smallest;      /* leave smaller ones alone: they would not be among the max_blocks largest */
	int error;            /* errno of the last block that could not be read; 0: none */
	uint64_t by_size[SIZE_STEPS];
};

static bool is_candidate(const struct request *r, uint64_t meta, uint32_t now)
{
	return zsi_walk_chosen(r->asker, r->choice, meta, now) && (meta & ZSI_INCOMPRESSIBLE) == 0 &&
	       zsi_meta_priority(meta) < r->last && zsi_meta_size(meta) >= zsi_max(r->threshold, r->smallest);
}

/* The block in s->block, compressed with a secondary algorithm into s->out: 0 and its length, or -1 with ENOMEM. */
static int compress_with(struct zram *z, struct zsi_stream *s, unsigned p, size_t *len)
{
	struct zsi_codec_ctx *x = zsi_ctx_get(z, s, ZSI_COMPRESSOR(p));

	if (x == NULL)
		return -1;
	*len = zsi_codec_compress(x, zsi_dict_of(z, p, z->train.current), s->block, z->block_size, s->out,
				  (size_t)(s->block - s->out));
	zsi_ctx_put(z, s, ZSI_COMPRESSOR(p));
	return 0;
}

/*
 * The smallest object that the secondary algorithms make of the block in s->block, in s->out: its word. Where they make
 * none, what to add to the block's word; *result is -1 where that is for want of memory.
 */
static uint64_t compress(struct zram *z, struct zsi_stream *s, const struct request *r, uint64_t meta, int *result)
{
	unsigned old_class = zs_lookup_class_index(z->pool, zsi_meta_size(meta));
	bool tried_all = true;
	for (unsigned p = 1; p < ZSI_PRIORITIES; p++) {
		if (z->algs[p].codec == NULL)
			continue;
		if (p < r->first || p > r->last || p <= zsi_meta_priority(meta)) {
			tried_all = tried_all && p <= zsi_meta_priority(meta);
			continue;
		}
		unsigned version = z->train.current;
		size_t len;

		*result = compress_with(z, s, p, &len);
		if (*result != 0)
			return 0;
		if (len == 0 || len >= z->huge_size || zs_lookup_class_index(z->pool, len) >= old_class)
			continue;
		if (r->threshold != 0 && len >= r->threshold) {
			/* Smaller, but not as small as was asked for this time. */
			tried_all = false;
			continue;
		}
		return ZSI_USED | len | (uint64_t)p << ZSI_PRIORITY_SHIFT | (uint64_t)version << ZSI_DICT_SHIFT;
	}
	return tried_all ? ZSI_INCOMPRESSIBLE : 0;
}

/* The word to unlock the block with; *result -1: there is no memory. */
static uint64_t recompress_block(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta, struct request *r,
				 int *result)
{
	struct zsi_stored stored = { 0 };

	if (zsi_block_load(z, s, index, meta, s->block) != 0) {
		r->error = errno;
		return meta;
	}
	r->max_blocks--;
	if (!r->asker->background)
		meta &= ~ZSI_IDLE;
	stored.meta = compress(z, s, r, meta, result);
	if ((stored.meta & ZSI_USED) == 0)
		return meta | stored.meta;
	if (zsi_block_store(z, s->out, zsi_meta_size(stored.meta), &stored.handle) != 0) {
		*result = -1;
		return meta;
	}
	if (z->table.sums != NULL)
		stored.sum = zsi_sum(s->out, zsi_meta_size(stored.meta));
	stored.meta |= meta & ZSI_IDLE;
	return zsi_block_replace(z, s, index, meta, &stored);
}

static int visit(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	struct request *r = arg;
	int result = 0;

	/* 1 ends the walk, and is no error. */
	if (zsi_turn_should_end(z, r->asker))
		return 1;
	uint64_t meta = zsi_block_lock(z, index);

	if (is_candidate(r, meta, s->now))
		meta = recompress_block(z, s, index, meta, r, &result);
	zsi_block_unlock(z, index, meta);
	return result != 0 ? result : r->max_blocks == 0;
}

static int count_block(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	struct request *r = arg;
	uint64_t meta = atomic_load_explicit(&zsi_block_at(z, index)->meta, memory_order_relaxed);

	if (is_candidate(r, meta, s->now))
		r->by_size[zsi_meta_size(meta) >> SIZE_STEP_SHIFT]++;
	return 0;
}

/* Where not all of them are done, the largest first, from which most is to be gained. */
static int find_smallest(struct zram *z, struct request *r)
{
	uint64_t blocks = 0;

	if (zsi_walk_blocks(z, 0, UINT64_MAX, count_block, r) != 0)
		return -1;
	for (unsigned i = SIZE_STEPS; i-- > 0 && blocks < r->max_blocks;) {
		blocks += r->by_size[i];
		r->smallest = (size_t)i << SIZE_STEP_SHIFT;
	}
	return 0;
}

/* --- the attribute --- */

static int take_algorithm(struct zram *z, struct request *r, const char *name)
{
	for (unsigned p = 1; p < ZSI_PRIORITIES; p++) {
		if (z->algs[p].codec != NULL && strcmp(zsi_codec_name(z->algs[p].codec), name) == 0) {
			r->first = r->last = p;
			return 0;
		}
	}
	return zsi_fail(EINVAL, "%s: recompress: '%s' is none of the device's recomp_algorithms", z->name, name);
}

static int take_number(struct zram *z, const char *key, const char *value, uint64_t most, uint64_t *to)
{
	if (zsi_parse_number(value, to) != 0 || *to == 0 || *to > most)
		return zsi_fail(EINVAL, "%s: recompress: %s '%s' is not a number from 1 to %" PRIu64, z->name, key,
				value, most);
	return 0;
}

static int take_pair(struct zram *z, struct request *r, const char *key, const char *value)
{
	uint64_t n;

	if (value == NULL)
		return zsi_fail(EINVAL, "%s: recompress: '%s' has no value", z->name, key);
	if (strcmp(key, "type") == 0) {
		if (!zsi_walk_parse_choice(value, &r->choice) || r->choice == ZSI_CHOOSE_INCOMPRESSIBLE)
			return zsi_fail(EINVAL, "%s: recompress: type is idle, huge or huge_idle, not '%s'", z->name,
					value);
		return 0;
	}
	if (strcmp(key, "algo") == 0)
		return take_algorithm(z, r, value);
	if (strcmp(key, "max_pages") == 0)
		return take_number(z, key, value, UINT64_MAX - 1, &r->max_blocks);
	if (strcmp(key, "threshold") == 0) {
		if (zsi_parse_number(value, &r->threshold) == 0 && r->threshold < z->huge_size)
			return 0;
		return zsi_fail(EINVAL, "%s: recompress: threshold '%s' is not a number of bytes below %zu", z->name,
				value, z->huge_size);
	}
	if (strcmp(key, "priority") == 0) {
		if (take_number(z, key, value, ZSI_PRIORITIES - 1, &n) != 0)
			return -1;
		r->first = r->last = (unsigned)n;
		return 0;
	}
	return zsi_fail(EINVAL, "%s: recompress: '%s' is none of type, threshold, algo, priority, max_pages", z->name,
			key);
}

static int read_request(struct zram *z, struct request *r, char *text)
{
	struct zsi_stream *s = zsi_gate_enter(z);
	char *key, *value;
	int result = 0;

	/* With a stream in hand the algorithms stay what they are. */
	if (s == NULL)
		return -1;
	while (result == 0 && zsi_parse_pair(&text, &key, &value))
		result = take_pair(z, r, key, value);
	/* A block that has had the last algorithm there is has had all. */
	while (r->last > r->first && z->algs[r->last].codec == NULL)
		r->last--;
	if (result == 0 && z->algs[r->last].codec == NULL)
		result = zsi_fail(EINVAL, "%s: recompress: the device has no such recomp_algorithm", z->name);
	zsi_stream_leave(s);
	return result;
}

static void begin_request(struct request *r)
{
	memset(r, 0, sizeof(*r));
	r->first = 1;
	r->last = ZSI_PRIORITIES - 1;
	r->max_blocks = UINT64_MAX;
}

int zsi_recompress_check(struct zram *z, const char *value)
{
	struct request *r = malloc(sizeof(*r));
	char *text = strdup(value);
	int result = -1;

	if (r == NULL || text == NULL) {
		(void)zsi_fail(ENOMEM, "%s: recompress: no memory", z->name);
	} else {
		begin_request(r);
		result = read_request(z, r, text);
	}
	int error = errno;

	free(text);
	free(r);
	errno = error;
	return result;
}

static int run(struct zram *z, struct request *r)
{
	if (r->max_blocks != UINT64_MAX && find_smallest(z, r) != 0)
		return -1;
	if (zsi_walk_blocks(z, 0, UINT64_MAX, visit, r) < 0)
		return -1;
	errno = r->error;
	return r->error != 0 ? -1 : 0;
}

int zsi_recompress(struct zram *z, const char *value, const struct zsi_asker *asker)
{
	struct request *r = calloc(1, sizeof(*r));
	char *text = strdup(value);
	int result = -1;

	if (r == NULL || text == NULL) {
		(void)zsi_fail(ENOMEM, "%s: recompress: no memory", z->name);
	} else if (zsi_turn_begin(z, asker, "recompress") == 0) {
		begin_request(r);
		r->asker = asker;
		result = read_request(z, r, text) == 0 ? run(z, r) : -1;
		zsi_turn_end(z, asker);
	}
	int error = errno;

	free(text);
	free(r);
	errno = error;
	return result;
}

int zsi_attr_recompress(struct zram *z, const char *value)
{
	const struct zsi_asker by_hand = { .background = false };

	return zsi_recompress(z, value, &by_hand);
}
