/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fold.c - the last page of a class, folded into larger classes.
 *
 * After compaction each class has at most one partly filled page, and with few objects these pages are what a pool
 * wastes most. So the objects of such a page move to free slots of slightly larger classes, on pages that are there
 * anyway, as borrowing (alloc.c) does for objects that are new. It is done for all objects of the page or for none,
 * since only the whole page can be given back.
 */
#include "compact/fold.h"

#include "base/bits.h"
#include "base/lock.h"
#include "compact/batch.h"
#include "compact/budget.h"
#include "compact/move.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pick.h"
#include "pool/pool.h"
#include "pool/zspage.h"

/* Objects of a page that are worth moving: each costs its slack for as long as it lives. */
#define MOST_OBJECTS 8u
#define MOST_SLACK(page_size) ((page_size) / 64)

/* The slots that have bytes on the last page: [*from, bump). Returns how many are in use. */
static unsigned tail_of(const struct zs_pool *pool, const struct zsi_zspage *z, unsigned *from)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);
	unsigned used = 0, slot = z->bump;

	while (slot > 0 && zsi_slot_pages(&pool->space, sc, slot - 1) == z->present)
		used += (slots[--slot] & ZSI_SLOT_FREE) == 0;
	*from = slot;
	return used;
}

/* Slots of the zspage that cost nothing, as far as one can tell without walking its free list. */
static unsigned costless_slots(const struct zs_pool *pool, const struct zsi_zspage *z)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	uint64_t slots =
		zsi_min(((uint64_t)z->present << pool->space.page_shift) / sc->size, zsi_slot_words(sc, z->slots_step));

	return slots > z->inuse ? (unsigned)(slots - z->inuse) : 0;
}

/* Whether an object of `size` bytes in a slot of the class may lie in one of class q. */
static bool may_lie_in(const struct zs_pool *pool, unsigned q, size_t size)
{
	const struct zsi_geometry *g = &pool->geometry;

	return q < g->nr_classes && g->classes[q].size - size < MOST_SLACK(g->page_size) &&
	       g->classes[q].size - size <= pool->most_slack;
}

static size_t size_of(const struct zs_pool *pool, const struct zsi_zspage *z, unsigned slot)
{
	uint32_t index = zsi_zspage_slots(&pool->words, z)[slot];

	return zsi_handle_size(&pool->handles, index, zsi_size_class(pool, z)->size);
}

/* Whether there seems to be room for `wanted` objects, the smallest of which may lie in classes up to q. */
static bool room_for(struct zs_pool *pool, unsigned position, unsigned wanted, size_t smallest)
{
	unsigned room = 0;

	for (unsigned q = position + 1; room < wanted && may_lie_in(pool, q, smallest); q++) {
		if (!zsi_trylock_word(&pool->classes[q].lock))
			continue;
		struct zsi_zspage *z = zsi_pick_costless_locked(pool, q);

		if (z != NULL)
			room += costless_slots(pool, z);
		zsi_unlock_unranked(&pool->classes[q].lock);
	}
	return room >= wanted;
}

/* Move one held object to the nearest larger class that has a slot. False: none has, or it was let go of. */
static bool move_up(struct zs_pool *pool, struct zsi_zspage *z, struct zsi_hold *hold)
{
	size_t size = size_of(pool, z, hold->slot);

	for (unsigned q = z->class_position + 1u; may_lie_in(pool, q, size); q++) {
		struct zsi_class *to = &pool->classes[q];
		enum zsi_moved moved = ZSI_MOVE_NO_MEMORY;

		/* Two class locks, so the second is only tried. */
		if (!zsi_trylock_word(&to->lock))
			continue;
		struct zsi_zspage *dst = zsi_pick_costless_locked(pool, q);

		if (dst != NULL)
			moved = zsi_move_object_locked(pool, z, hold, dst);
		if (moved == ZSI_MOVED)
			zsi_class_regroup_locked(pool, dst);
		zsi_unlock_unranked(&to->lock);
		if (moved != ZSI_MOVE_NO_MEMORY)
			return moved == ZSI_MOVED;
	}
	return false;
}

/* The objects of slots [from, bump), MOST_OBJECTS at most, until one stays. Returns how many were moved. */
static unsigned move_all_up(struct zs_pool *pool, struct zsi_zspage *z, unsigned from)
{
	struct zsi_holds holds;
	unsigned moved = 0;

	holds.n = 0;
	for (unsigned slot = from; slot < z->bump; slot++)
		if ((zsi_zspage_slots(&pool->words, z)[slot] & ZSI_SLOT_FREE) == 0 &&
		    !zsi_hold_locked(pool, &holds, z, slot))
			break;
	zsi_hold_settle(pool, &holds);
	while (moved < holds.n && move_up(pool, z, &holds.objects[moved]))
		moved++;
	for (unsigned i = moved; i < holds.n; i++)
		zsi_hold_drop(pool, &holds.objects[i]);
	return moved;
}

static struct zsi_zspage *fold_locked(struct zs_pool *pool, unsigned position, uint64_t *bytes)
{
	struct zsi_zspage *z = zsi_class_sparsest_locked(pool, position);
	size_t smallest = SIZE_MAX;
	unsigned from;

	if (z == NULL || z->limbo > 0)
		return NULL;
	unsigned wanted = tail_of(pool, z, &from);

	if (wanted == 0 || wanted > MOST_OBJECTS)
		return NULL;
	for (unsigned slot = from; slot < z->bump; slot++)
		if ((zsi_zspage_slots(&pool->words, z)[slot] & ZSI_SLOT_FREE) == 0)
			smallest = zsi_min(smallest, size_of(pool, z, slot));
	if (!room_for(pool, position, wanted, smallest))
		return NULL;
	zsi_class_unlist_locked(pool, z);
	*bytes += move_all_up(pool, z, from) * zsi_size_class(pool, z)->size;
	zsi_class_regroup_locked(pool, z);
	return z;
}

uint64_t zsi_fold_class(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget)
{
	struct zsi_class *c = &pool->classes[position];
	struct zsi_compact_batch *b = &pool->batch;
	uint64_t freed = 0, before = b->bytes;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	struct zsi_zspage *folded = fold_locked(pool, position, &b->bytes);

	zsi_budget_spend(&budget->bytes, b->bytes - before);
	if (folded != NULL && folded->inuse == 0) {
		freed = folded->present;
		zsi_class_remove_locked(pool, folded);
		zsi_batch_push(pool, &b->emptied, folded);
	} else if (folded != NULL) {
		zsi_batch_push(pool, &b->passed, folded);
	}
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	return freed;
}
