/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pair.c - the step that empty.c and pack.c share: move until the source or the destination is done with, the batch is
 * full, or the lock was held for long enough.
 */
#include "compact/pair.h"

#include "base/bits.h"
#include "base/lock.h"
#include "compact/batch.h"
#include "compact/budget.h"
#include "compact/move.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/zspage.h"

/*
 * Bytes moved between two grace periods: a share of the pool, since the old places of a batch are held meanwhile, and
 * enough for the price of a grace period to be small against the copying.
 */
#define BATCH_MIN_BYTES ((uint64_t)256 << 10)
#define BATCH_MAX_BYTES ((uint64_t)2 << 20)
#define BATCH_SHIFT 8

/* How far ahead of the copying entries and objects are fetched, in slots. */
#define FETCH_ENTRIES 8u
#define FETCH_OBJECTS 2u

uint64_t zsi_pair_batch_bytes(const struct zs_pool *pool)
{
	uint64_t share =
		atomic_load_explicit(&pool->pages, memory_order_relaxed) << pool->space.page_shift >> BATCH_SHIFT;

	return zsi_min(zsi_max(share, BATCH_MIN_BYTES), BATCH_MAX_BYTES);
}

struct zsi_zspage *zsi_pair_isolate_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	if (z != NULL)
		zsi_class_unlist_locked(pool, z);
	return z;
}

/*
 * The slot of the source that is looked at after `done` others. Where the pages behind the last object go back, from
 * the last one down.
 */
static unsigned source_slot(const struct zs_pool *pool, const struct zsi_zspage *src, unsigned done)
{
	return pool->lazy_pages ? src->bump - 1u - done : done;
}

/* Slots that dst can give. */
static unsigned slots_in(const struct zsi_zspage *dst, const struct zsi_size_class *sc, bool only_holes)
{
	return (unsigned)(only_holes ? dst->bump : sc->objs) - dst->inuse - dst->limbo;
}

/*
 * Hold the next objects of the source, as many as dst has slots for and as may be moved under this hold of the class's
 * lock. Returns how many slots of the source were looked at.
 */
static unsigned hold_some(struct zs_pool *pool, const struct zsi_compact_budget *budget, struct zsi_holds *holds,
			  unsigned most)
{
	const struct zsi_compact_batch *b = &pool->batch;
	const struct zsi_zspage *src = zsi_zspage_ptr(pool, b->src);
	const struct zsi_size_class *sc = zsi_size_class(pool, src);
	const uint32_t *slots = zsi_zspage_slots(&pool->words, src);
	uint64_t bytes = zsi_min(budget->bytes, ZSI_HOLD_BYTES);
	unsigned done = b->src_done;

	for (; done < src->bump && holds->n < most && holds->n * (uint64_t)sc->size < bytes; done++) {
		unsigned slot = source_slot(pool, src, done);

		if (done + FETCH_ENTRIES < src->bump) {
			uint32_t index = slots[source_slot(pool, src, done + FETCH_ENTRIES)];

			if ((index & ZSI_SLOT_FREE) == 0)
				__builtin_prefetch(&pool->handles.entries[index], 1);
		}
		if ((slots[slot] & ZSI_SLOT_FREE) == 0)
			(void)zsi_hold_locked(pool, holds, src, slot);
	}
	return done - b->src_done;
}

/* Objects lie in no cache: have the first lines of one on their way while those before it are copied. */
static void fetch(const struct zs_pool *pool, const struct zsi_hold *hold)
{
	if (pool->space.base == NULL || hold->entry == 0)
		return;
	const uint8_t *at = pool->space.base + zsi_entry_offset(hold->entry);

	for (unsigned line = 0; line < 4; line++)
		__builtin_prefetch(at + line * ZSI_CACHE_LINE);
}

/* Move what is held. Returns how many there is no memory for: the last ones, which are not held any more. */
static unsigned move_holds(struct zs_pool *pool, struct zsi_compact_budget *budget, struct zsi_holds *holds,
			   struct zsi_zspage *src, struct zsi_zspage *dst)
{
	uint64_t size = zsi_size_class(pool, src)->size;

	for (unsigned i = 0; i < holds->n; i++) {
		if (i + FETCH_OBJECTS < holds->n)
			fetch(pool, &holds->objects[i + FETCH_OBJECTS]);
		enum zsi_moved moved = zsi_move_object_locked(pool, src, &holds->objects[i], dst);

		if (moved == ZSI_MOVE_NO_MEMORY) {
			for (unsigned rest = i; rest < holds->n; rest++)
				zsi_hold_drop(pool, &holds->objects[rest]);
			return holds->n - i;
		}
		if (moved == ZSI_MOVED) {
			pool->batch.bytes += size;
			zsi_budget_spend(&budget->bytes, size);
		}
	}
	return 0;
}

bool zsi_pair_move(struct zs_pool *pool, struct zsi_compact_budget *budget, bool only_holes)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_zspage *src = zsi_zspage_ptr(pool, b->src);
	struct zsi_zspage *dst = zsi_zspage_ptr(pool, b->dst);
	unsigned before = dst->present;
	struct zsi_holds holds;

	holds.n = 0;
	unsigned most = slots_in(dst, zsi_size_class(pool, dst), only_holes);
	unsigned seen = hold_some(pool, budget, &holds, (unsigned)zsi_min(most, ZSI_HOLD_OBJECTS));

	zsi_hold_settle(pool, &holds);
	bool memory = move_holds(pool, budget, &holds, src, dst) == 0;

	/* Without memory the compaction of this class ends: whatever was passed over is looked at next time. */
	b->src_done += seen;
	b->grown += dst->present - before;
	zsi_class_regroup_locked(pool, src);
	zsi_class_regroup_locked(pool, dst);
	return memory;
}

uint64_t zsi_pair_sort_out(struct zs_pool *pool, bool only_holes)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_zspage *src = zsi_zspage_ptr(pool, b->src);
	struct zsi_zspage *dst = zsi_zspage_ptr(pool, b->dst);
	uint64_t freed = 0;

	if (src->inuse == 0) {
		freed = src->present;
		zsi_class_remove_locked(pool, src);
		zsi_batch_push(pool, &b->emptied, src);
		b->src = 0;
	} else if (b->src_done >= src->bump) {
		/* What is left is held by writers. */
		zsi_batch_push(pool, &b->passed, src);
		b->src = 0;
	}
	if (!zsi_zspage_has_slot(dst, zsi_size_class(pool, dst)) || (only_holes && dst->free_head == ZSI_NO_SLOT)) {
		zsi_class_list_locked(pool, dst);
		b->dst = 0;
	}
	return freed;
}

void zsi_pair_end_batch_between(struct zs_pool *pool, struct zsi_class *c)
{
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	zsi_batch_end(pool);
	zsi_lock(&c->lock, ZSI_RANK_CLASS);
}

uint64_t zsi_pair_enough_rounds(const struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];

	return 2 * (uint64_t)c->zspages + c->used * pool->geometry.classes[position].size / ZSI_HOLD_BYTES + 2;
}
