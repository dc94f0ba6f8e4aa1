/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recompress.c - the attribute "recompress": blocks that are worth more time, compressed anew with a secondary
 * algorithm.
 *
 * A block keeps its contents and its access time, and its lock is held from reading it to replacing it. It is replaced
 * only where that saves memory: the new object must be of a smaller size class. One that the request did not make
 * smaller is marked where no algorithm of a higher priority is left to try, and not tried again until it is written;
 * one that had the last of them is done, which is no mark.
 *
 * A block that can't be read is passed over; the request fails at its end. Where memory is refused it ends at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/bits.h"
#include "codec/codec.h"
#include "device/block.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/sum.h"
#include "zram/recompress.h"
#include "zram/recompress_request.h"
#include "zram/turn.h"
#include "zram/walk.h"

/* Sizes are told apart in steps of this for finding the largest blocks. */
#define SIZE_STEP_SHIFT 6
#define SIZE_STEPS ((65536u >> SIZE_STEP_SHIFT) + 1)

struct work {
	const struct zsi_asker *asker;
	struct zsi_recompress_request request; /* max_blocks is what is left of it */
	size_t smallest;                       /* leave smaller ones: not among the max_blocks largest */
	int error;                             /* errno of the last block that could not be read; 0: none */
	uint64_t by_size[SIZE_STEPS];
};

static bool is_candidate(const struct work *w, uint64_t meta, uint32_t now)
{
	const struct zsi_recompress_request *r = &w->request;

	return zsi_walk_chosen(w->asker, r->choice, meta, now) && (meta & ZSI_INCOMPRESSIBLE) == 0 &&
	       zsi_meta_priority(meta) < r->last && zsi_meta_size(meta) >= zsi_max(r->threshold, w->smallest);
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

/* Whether an algorithm is left to try, of a later request. As in the kernel only higher priorities count. */
static bool leaves_some(const struct zram *z, const struct zsi_recompress_request *r)
{
	for (unsigned p = r->last + 1; p < ZSI_PRIORITIES; p++)
		if (z->algs[p].codec != NULL)
			return true;
	return false;
}

/*
 * The first object of a smaller class that the request's algorithms make of the block in s->block, in s->out: its word.
 * Where they make none, what to add to the block's word; *result is -1 where that is for want of memory.
 */
static uint64_t compress(struct zram *z, struct zsi_stream *s, const struct zsi_recompress_request *r, uint64_t meta,
			 int *result)
{
	unsigned old_class = zs_lookup_class_index(z->pool, zsi_meta_size(meta));
	bool give_up = !leaves_some(z, r);

	for (unsigned p = r->first; p <= r->last; p++) {
		unsigned version = z->train.current;
		size_t len;

		if (z->algs[p].codec == NULL || p <= zsi_meta_priority(meta))
			continue;
		*result = compress_with(z, s, p, &len);
		if (*result != 0)
			return 0;
		if (len == 0 || len >= z->huge_size || zs_lookup_class_index(z->pool, len) >= old_class)
			continue;
		if (r->threshold == 0 || len < r->threshold)
			return ZSI_USED | len | (uint64_t)p << ZSI_PRIORITY_SHIFT | (uint64_t)version << ZSI_DICT_SHIFT;
		/* Smaller, but not as small as was asked for this time. */
		give_up = false;
	}
	return give_up ? ZSI_INCOMPRESSIBLE : 0;
}

/* The word to unlock the block with; *result -1: there is no memory. */
static uint64_t recompress_block(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta, struct work *w,
				 int *result)
{
	struct zsi_stored stored = { 0 };

	if (zsi_block_load(z, s, index, meta, s->block) != 0) {
		w->error = errno;
		return meta;
	}
	w->request.max_blocks--;
	if (!w->asker->background)
		meta &= ~ZSI_IDLE;
	stored.meta = compress(z, s, &w->request, meta, result);
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
	struct work *w = arg;
	int result = 0;

	/* 1 ends the walk, and is no error. */
	if (zsi_turn_should_end(z, w->asker))
		return 1;
	uint64_t meta = zsi_block_lock(z, index);

	if (is_candidate(w, meta, s->now))
		meta = recompress_block(z, s, index, meta, w, &result);
	zsi_block_unlock(z, index, meta);
	return result != 0 ? result : w->request.max_blocks == 0;
}

static int count_block(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	struct work *w = arg;
	uint64_t meta = atomic_load_explicit(&zsi_block_at(z, index)->meta, memory_order_relaxed);

	if (is_candidate(w, meta, s->now))
		w->by_size[zsi_meta_size(meta) >> SIZE_STEP_SHIFT]++;
	return 0;
}

/* Where not all of them are done, the largest first, from which most is to be gained. */
static int find_smallest(struct zram *z, struct work *w)
{
	uint64_t blocks = 0;

	if (zsi_walk_blocks(z, 0, UINT64_MAX, count_block, w) != 0)
		return -1;
	for (unsigned i = SIZE_STEPS; i-- > 0 && blocks < w->request.max_blocks;) {
		blocks += w->by_size[i];
		w->smallest = (size_t)i << SIZE_STEP_SHIFT;
	}
	return 0;
}

/* --- the attribute --- */

int zsi_recompress_check(struct zram *z, const char *value)
{
	struct zsi_recompress_request r;

	return zsi_recompress_read(z, value, &r);
}

static int run(struct zram *z, struct work *w)
{
	if (w->request.max_blocks != UINT64_MAX && find_smallest(z, w) != 0)
		return -1;
	if (zsi_walk_blocks(z, 0, UINT64_MAX, visit, w) < 0)
		return -1;
	errno = w->error;
	return w->error != 0 ? -1 : 0;
}

int zsi_recompress(struct zram *z, const char *value, const struct zsi_asker *asker)
{
	struct work *w = calloc(1, sizeof(*w));
	int result = -1;

	if (w == NULL) {
		(void)zsi_fail(ENOMEM, "%s: recompress: no memory", z->name);
	} else if (zsi_turn_begin(z, asker, "recompress") == 0) {
		w->asker = asker;
		result = zsi_recompress_read(z, value, &w->request) == 0 ? run(z, w) : -1;
		zsi_turn_end(z, asker);
	}
	int error = errno;

	free(w);
	errno = error;
	return result;
}

int zsi_attr_recompress(struct zram *z, const char *value)
{
	const struct zsi_asker by_hand = { .background = false };

	return zsi_recompress(z, value, &by_hand);
}
