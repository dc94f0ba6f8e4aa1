/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * borrow.c - objects in slots of larger classes.
 *
 * An object that would need a new page rather takes a slot of a slightly larger class whose page is there already. It
 * pays in two cases.
 *
 * In a class of u objects, all of them in slots d bytes too large cost u * d bytes, and a partly filled page that the
 * class doesn't have saves half a page, and the metadata of a zspage. So while u * d is below that, it is good for the
 * class never to have a page of its own. Of the objects only some find such a slot, which is why a bit more than half a
 * page is the best bound.
 *
 * And where the larger class has more free slots than its last page explains, because it once was larger than it is:
 * what random frees and allocations leave each class with, its own peak, is then shared by neighbours, whose sum
 * varies less.
 *
 * And where no new page is to be had any slot will do, however much larger, as far as the entry can hold the
 * difference: a full cache that evicts a value to store another lives on the slots of those that it evicted. The
 * smallest that fits is taken. Which classes have free slots at all is known by hints, pool->room.holes, so that a
 * refusal costs little.
 */
#include "base/bits.h"
#include "base/lock.h"
#include "base/probe.h"
#include "pool/cache.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pick.h"
#include "pool/pool.h"
#include "pool/room.h"
#include "pool/slot.h"
#include "pool/tight.h"
#include "pool/zspage.h"
#include "zsmalloc/borrow.h"

#define BORROW_WORTH(page_size) ((page_size) / 4 * 3)

/* How much too large a slot may be: in the first case bytes, in the second an eighth of the class's size. */
#define BORROW_NEAR(page_size) ((page_size) / 64)
#define BORROW_FAR_SHIFT 3

/*
 * Where no page is to be had. More brings fewer refusals and costs payload; less stores a little more, and moves more:
 * bench_limit prints what a full cache holds and how fast it is. And where entries could hold any difference, small objects would take the slots of the largest
 * ones, and these would find none, however many of the small ones are evicted for them.
 */
#define BORROW_ANY(page_size) ((page_size) / 16 - 1)

/* Whether objects of class `position` may lie in class p at all: the entry has to hold how much too large it is. */
static bool near_enough(const struct zs_pool *pool, unsigned position, unsigned p, size_t size, uint32_t most)
{
	const struct zsi_geometry *g = &pool->geometry;

	return p < g->nr_classes && g->classes[p].size - g->classes[position].size < most &&
	       g->classes[p].size - size <= pool->most_slack;
}

/* A slot of class p, if it has one that needs no new page, in the name of entry `index`; 0: none. */
static zs_handle borrow_from(struct zs_pool *pool, unsigned p, uint32_t index, size_t size, bool only_plenty)
{
	zs_handle h = 0;

	/* Two class locks, so the second is only tried. */
	if (!zsi_trylock_word(&pool->classes[p].lock))
		return 0;
	struct zsi_zspage *z =
		only_plenty && !zsi_class_has_plenty_locked(pool, p) ? NULL : zsi_pick_locked(pool, p);

	if (z != NULL && !zsi_pick_needs_page(pool, z)) {
		unsigned slot = zsi_slot_take_locked(pool, z);

		if (slot != ZSI_NO_SLOT) {
			zsi_class_regroup_locked(pool, z);
			h = zsi_slot_publish_locked(pool, z, slot, index, size);
		}
	}
	zsi_unlock_unranked(&pool->classes[p].lock);
	return h;
}

/* A slot of a larger class that needs no new page and is worth taking, in the name of entry `index`; 0: none. */
zs_handle zsi_borrow_locked(struct zs_pool *pool, unsigned position, uint32_t index, size_t size)
{
	const struct zsi_geometry *g = &pool->geometry;
	uint32_t own = g->classes[position].size;
	uint64_t used = pool->classes[position].used + 1;
	zs_handle h = 0;

	for (unsigned p = position + 1; h == 0 && near_enough(pool, position, p, size, BORROW_NEAR(g->page_size)) &&
					used * (g->classes[p].size - own) < BORROW_WORTH(g->page_size);
	     p++)
		h = borrow_from(pool, p, index, size, false);
	for (unsigned p = zsi_class_next_lender(pool, position + 1);
	     h == 0 && near_enough(pool, position, p, size, own >> BORROW_FAR_SHIFT);
	     p = zsi_class_next_lender(pool, p + 1))
		h = borrow_from(pool, p, index, size, true);
	return h;
}

/* The first bin of position..last that has something; last + 1: none. In a busy section. */
static unsigned next_filled(const struct zsi_cache *cache, unsigned position, unsigned last)
{
	while (position <= last && (cache->filled[position + 1] == 0 || zsi_bin_count(&cache->bins[position]) == 0))
		position++;
	return position;
}

/*
 * An object of the thread's own cache in the smallest slot that is large enough, and at most `most` bytes larger, of
 * the classes up to `last`. 0: none, or the cache was revoked.
 */
static zs_handle take_cached(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, size_t size,
			     uint32_t most, unsigned last)
{
	uint32_t twice = ZSI_NO_INDEX;
	zs_handle h = 0;

	if (zsi_cache_enter(cache)) {
		unsigned p = next_filled(cache, position, last);

		if (p <= last && (uint32_t)cache->bins[p].size - size <= most) {
			h = zsi_bin_revive(&pool->handles, cache, &cache->bins[p], size, &twice);
			ZSI_PROBE(malloc, zsi_pool_name(pool), size, h);
		}
	}
	zsi_cache_leave(cache);
	if (zsi_unlikely(twice != ZSI_NO_INDEX))
		zsi_cache_report_index(pool, twice);
	return h;
}

/* A slot of class p that costs nothing; 0: none, and the hint says so from now on. */
static zs_handle take_hole(struct zs_pool *pool, unsigned p, size_t size)
{
	struct zsi_class *c = &pool->classes[p];
	uint32_t index = zsi_handle_alloc(&pool->handles, zsi_handle_own_stack());
	zs_handle h = 0;

	if (index == ZSI_NO_INDEX)
		return 0;
	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	struct zsi_zspage *z = zsi_pick_costless_locked(pool, p);

	if (z != NULL) {
		unsigned slot = zsi_slot_take_locked(pool, z);

		zsi_class_regroup_locked(pool, z);
		h = zsi_slot_publish_locked(pool, z, slot, index, size);
	} else {
		zsi_room_no_hole_locked(&pool->room, p);
	}
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	if (h == 0)
		zsi_handle_release(&pool->handles, index, zsi_handle_own_stack());
	return h;
}

static unsigned last_of(const struct zsi_geometry *g, unsigned position)
{
	return position < g->nr_classes ? position : g->nr_classes - 1;
}

zs_handle zsi_borrow_any(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, size_t size)
{
	const struct zsi_geometry *g = &pool->geometry;
	uint32_t most = (uint32_t)zsi_min(BORROW_ANY(g->page_size), pool->most_slack);
	zs_handle h = 0;

	if (pool->most_slack == 0)
		return 0;
	for (unsigned p = position;; p++) {
		p = zsi_tight_next_hole(&pool->room, p);
		/* The thread's own cache, where what it has is not larger, costs less. */
		if (cache != NULL && (h = take_cached(pool, cache, position, size, most, last_of(g, p))) != 0)
			return h;
		cache = NULL;
		if (p >= g->nr_classes || g->classes[p].size - size > most)
			return 0;
		h = take_hole(pool, p, size);
		if (h != 0)
			return h;
	}
}
