/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pack.c - what a class has left over when no whole zspage can be emptied any more, in pools whose pages come as slots
 * are used.
 *
 * The free slots of a class lie here and there in its partly filled zspages. Objects move into them, the fullest
 * zspages first, from the end of the sparsest one, until that is the only one with free slots before its last object;
 * then its own objects move together. What is free is then one range of pages at its end, which goes back to the
 * system in one piece: a range costs more than the pages in it.
 */
#include "base/bits.h"
#include "base/lock.h"
#include "compact/batch.h"
#include "compact/budget.h"
#include "compact/move.h"
#include "compact/pack.h"
#include "compact/pair.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/slot.h"
#include "pool/zspage.h"

/* Pages of the class that its objects would not need in as few zspages as possible. */
static uint64_t loose_pages(const struct zs_pool *pool, unsigned position)
{
	return zsi_class_freeable_locked(pool, position, 0);
}

/* The fullest zspage that has a free slot before its last object; NULL: none. */
static struct zsi_zspage *find_holes(struct zs_pool *pool, unsigned position)
{
	for (unsigned group = ZSI_GROUP_FULL - 1; group > 0; group--)
		for (struct zsi_zspage *z = zsi_zspage_ptr(pool, pool->classes[position].heads[group - 1]); z != NULL;
		     z = zsi_zspage_ptr(pool, z->next))
			if (z->free_head != ZSI_NO_SLOT)
				return z;
	return NULL;
}

struct place {
	unsigned from, to; /* slots */
};

/*
 * The next pairs of a last slot in use and a first free one, at most `most`. False: there are no more. Slots in limbo
 * may be below objects that a writer held when the others left.
 */
static bool next_places(const struct zsi_zspage *z, const uint32_t *slots, struct place *at, unsigned *low,
			unsigned *high)
{
	for (; *high > 0 && (slots[*high - 1] & ZSI_SLOT_FREE) != 0; --*high)
		;
	for (; *low < *high && ((slots[*low] & ZSI_SLOT_FREE) == 0 || slots[*low] == ZSI_SLOT_LIMBO); ++*low)
		;
	if (*low >= *high || *high > z->bump)
		return false;
	*at = (struct place){ .from = --*high, .to = (*low)++ };
	return true;
}

/*
 * Move objects inside one zspage from its last slots to its first free ones. True: it was cut short, because the lock
 * was held long enough or the budget is spent.
 */
static bool pack(struct zs_pool *pool, struct zsi_zspage *z, struct zsi_compact_budget *budget)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);
	unsigned low = 0, high = z->bump, moved = 0;
	unsigned to[ZSI_HOLD_OBJECTS];
	struct zsi_holds holds;
	struct place at;
	bool all = false;

	for (holds.n = 0; holds.n < ZSI_HOLD_OBJECTS &&
			  holds.n * (uint64_t)sc->size < zsi_min(ZSI_HOLD_BYTES, budget->bytes);) {
		all = !next_places(z, slots, &at, &low, &high);
		/* One that a writer holds stays where it is, and so do the pages below it. */
		if (all || !zsi_hold_locked(pool, &holds, z, at.from)) {
			all = true;
			break;
		}
		to[holds.n - 1] = at.to;
	}
	zsi_hold_settle(pool, &holds);
	while (moved < holds.n && zsi_move_within_locked(pool, z, &holds.objects[moved], to[moved]))
		moved++;
	all |= moved < holds.n;
	pool->batch.bytes += (uint64_t)moved * sc->size;
	zsi_budget_spend(&budget->bytes, (uint64_t)moved * sc->size);
	for (unsigned i = moved; i < holds.n; i++)
		zsi_hold_drop(pool, &holds.objects[i]);
	/* The slots that were filled were taken from the middle of the free list. */
	zsi_slot_relist_locked(pool, z);
	return !all;
}

/*
 * Have a source, and a destination if there is one with holes, or with `grow` any. False: the class has no source.
 */
static bool choose(struct zs_pool *pool, unsigned position, bool grow)
{
	struct zsi_compact_batch *b = &pool->batch;

	if (b->src == 0) {
		struct zsi_zspage *src = zsi_pair_isolate_locked(pool, zsi_class_sparsest_locked(pool, position));

		if (src == NULL)
			return false;
		b->src = zsi_zspage_ref(pool, src);
		b->src_done = 0;
	}
	if (b->dst == 0) {
		struct zsi_zspage *dst = find_holes(pool, position);

		if (dst == NULL && grow)
			dst = zsi_class_fullest_locked(pool, position);
		dst = zsi_pair_isolate_locked(pool, dst);
		b->dst = dst != NULL ? zsi_zspage_ref(pool, dst) : 0;
	}
	return true;
}

/* The source's own objects together, and the source aside. Returns the pages that go when the batch ends. */
static uint64_t pack_source(struct zs_pool *pool, struct zsi_class *c, struct zsi_compact_budget *budget)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_zspage *src = zsi_zspage_ptr(pool, b->src);

	while (pack(pool, src, budget) && b->bytes < zsi_pair_batch_bytes(pool) && !zsi_budget_exhausted(budget))
		zsi_lock_breathe(&c->lock, ZSI_RANK_CLASS);
	/* Others may have freed all of it meanwhile. */
	unsigned keep = src->inuse > 0 ? zsi_slot_pages(&pool->space, zsi_size_class(pool, src), src->inuse - 1u) : 0;

	zsi_batch_set_aside_pair(pool);
	return src->present - keep;
}

uint64_t zsi_pack_class(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget)
{
	struct zsi_class *c = &pool->classes[position];
	struct zsi_compact_batch *b = &pool->batch;
	uint64_t freed = 0;
	uint64_t pending = 0;
	bool packed = false;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	b->position = position;
	for (uint64_t rounds = zsi_pair_enough_rounds(pool, position); rounds > 0; rounds--) {
		if (zsi_budget_exhausted(budget) || loose_pages(pool, position) <= pending ||
		    !choose(pool, position, packed))
			break;
		if (b->dst == 0) {
			pending += pack_source(pool, c, budget);
			packed = true;
		} else {
			bool holes = zsi_zspage_ptr(pool, b->dst)->free_head != ZSI_NO_SLOT;
			bool memory = zsi_pair_move(pool, budget, holes);
			uint64_t pages = zsi_pair_sort_out(pool, holes);

			freed += pages;
			zsi_budget_spend(&budget->pages, pages);
			if (!memory)
				break;
		}
		if (b->bytes >= zsi_pair_batch_bytes(pool)) {
			zsi_pair_end_batch_between(pool, c);
			pending = 0;
		} else {
			zsi_lock_breathe(&c->lock, ZSI_RANK_CLASS);
		}
	}
	zsi_batch_set_aside_pair(pool);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	return freed;
}
