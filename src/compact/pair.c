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

/* The objects are in no cache, nor are their entries: have them on their way while the ones before are copied. */
static void fetch_ahead(const struct zs_pool *pool, const struct zsi_zspage *src, const uint32_t *slots, unsigned done)
{
	if (done + FETCH_ENTRIES < src->bump) {
		uint32_t index = slots[source_slot(pool, src, done + FETCH_ENTRIES)];

		if ((index & ZSI_SLOT_FREE) == 0)
			__builtin_prefetch(&pool->handles.entries[index], 1);
	}
	if (pool->space.base == NULL || done + FETCH_OBJECTS >= src->bump)
		return;
	unsigned slot = source_slot(pool, src, done + FETCH_OBJECTS);

	if ((slots[slot] & ZSI_SLOT_FREE) != 0)
		return;
	const uint8_t *at = pool->space.base + zsi_slot_offset(&pool->space, src, zsi_size_class(pool, src), slot);

	for (unsigned line = 0; line < 4; line++)
		__builtin_prefetch(at + line * ZSI_CACHE_LINE);
}

bool zsi_pair_move(struct zs_pool *pool, struct zsi_compact_budget *budget, bool only_holes)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_zspage *src = zsi_zspage_ptr(pool, b->src);
	struct zsi_zspage *dst = zsi_zspage_ptr(pool, b->dst);
	const struct zsi_size_class *sc = zsi_size_class(pool, src);
	const uint32_t *slots = zsi_zspage_slots(&pool->words, src);
	unsigned before = dst->present;
	unsigned moves = 0;
	uint64_t most = zsi_min(zsi_pair_batch_bytes(pool), b->bytes + ZSI_HOLD_BYTES);
	bool memory = true;

	for (; b->src_done < src->bump && src->inuse > 0 && memory; b->src_done++) {
		unsigned slot = source_slot(pool, src, b->src_done);

		fetch_ahead(pool, src, slots, b->src_done);
		if ((slots[slot] & ZSI_SLOT_FREE) != 0)
			continue;
		if (!zsi_zspage_has_slot(dst, sc) || (only_holes && dst->free_head == ZSI_NO_SLOT) || b->bytes >= most)
			break;
		if (budget->bytes == 0 || (++moves % ZSI_CLOCK_EVERY == 0 && zsi_budget_exhausted(budget)))
			break;
		enum zsi_moved moved = zsi_move_object_locked(pool, src, slot, dst);

		if (moved == ZSI_MOVE_NO_MEMORY) {
			memory = false;
			break;
		}
		if (moved == ZSI_MOVED) {
			b->bytes += sc->size;
			zsi_budget_spend(&budget->bytes, sc->size);
		}
	}
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
