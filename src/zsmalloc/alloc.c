/* SPDX-License-Identifier: BSD-3-Clause */
/* alloc.c - zs_malloc, one at a time and in batches. */
#include <errno.h>

#include "base/account.h"
#include "base/bits.h"
#include "base/lock.h"
#include "base/probe.h"
#include "compact/make_room.h"
#include "pool/cache.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pick.h"
#include "pool/pool.h"
#include "pool/slot.h"
#include "pool/tight.h"
#include "pool/zspage.h"
#include "pool/zspages.h"
#include "zsmalloc/borrow.h"

/* Objects of a batch allocated under one hold of the class's lock. */
#define HOLD_OBJECTS 256u

#define KNOWN_FLAGS (ZS_NOWAIT | ZS_NO_COMPACT | ZS_LIMIT_EDQUOT | ZS_HEADROOM)
_Static_assert((KNOWN_FLAGS & (KNOWN_FLAGS + 1)) == 0, "the lowest bits: others are larger");

/* How often a failed allocation is tried again after room was made. */
#define ROOM_TRIES 4

/*
 * Allocate from a zspage that the class has. 0 where a new one is needed, or, with errno ENOMEM and *refused set, where
 * a page was.
 */
static zs_handle alloc_listed_locked(struct zs_pool *pool, unsigned position, uint32_t index, size_t size,
				     bool *refused)
{
	struct zsi_zspage *z = zsi_pick_locked(pool, position);
	unsigned slot;

	if (pool->lazy_pages && (z == NULL || zsi_pick_needs_page(pool, z))) {
		zs_handle h = zsi_borrow_locked(pool, position, index, size);

		if (h != 0)
			return h;
	}
	if (z == NULL)
		return 0;
	slot = zsi_slot_take_locked(pool, z);
	if (slot == ZSI_NO_SLOT) {
		z = zsi_pick_any_locked(pool, position);
		if (z == NULL) {
			*refused = true;
			return 0;
		}
		slot = zsi_slot_take_locked(pool, z);
	}
	zsi_class_regroup_locked(pool, z);
	return zsi_slot_publish_locked(pool, z, slot, index, size);
}

/* Allocate from a zspage that was just made. It is the class's from then on, or released. */
static zs_handle alloc_fresh_locked(struct zs_pool *pool, struct zsi_zspage *z, uint32_t index, size_t size)
{
	unsigned slot = zsi_slot_take_locked(pool, z);

	if (slot == ZSI_NO_SLOT)
		return 0;
	zsi_class_add_locked(pool, z);
	return zsi_slot_publish_locked(pool, z, slot, index, size);
}

/* In a new zspage. The class's lock, which is held, is dropped meanwhile: the page source may be slow. 0: no memory. */
static zs_handle alloc_new_locked(struct zs_pool *pool, unsigned position, uint32_t index, size_t size)
{
	struct zsi_class *c = &pool->classes[position];
	zs_handle h = 0;

	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	struct zsi_zspage *z = zsi_tight_page_in_sight(pool) ? zsi_zspages_create(pool, position) : NULL;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	if (z == NULL)
		return 0;
	h = alloc_fresh_locked(pool, z, index, size);
	if (h == 0) {
		zsi_unlock(&c->lock, ZSI_RANK_CLASS);
		zsi_zspages_release(pool, z);
		zsi_lock(&c->lock, ZSI_RANK_CLASS);
	}
	return h;
}

/*
 * Up to n objects of one class with the class's lock taken once, but for new zspages; and a few for the cache, if there
 * is one. Returns how many; else ENOMEM.
 */
static size_t alloc_some(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, size_t size, zs_handle *out,
			 size_t n)
{
	struct zsi_class *c = &pool->classes[position];
	uint32_t index = ZSI_NO_INDEX;
	size_t done = 0;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	while (done < n) {
		bool refused = false;

		if (index == ZSI_NO_INDEX)
			index = zsi_handle_alloc(&pool->handles, zsi_handle_own_stack());
		if (index == ZSI_NO_INDEX)
			break;
		zs_handle h = alloc_listed_locked(pool, position, index, size, &refused);

		if (h == 0 && !refused)
			h = alloc_new_locked(pool, position, index, size);
		if (h == 0)
			break;
		out[done++] = h;
		index = ZSI_NO_INDEX;
		if (done % HOLD_OBJECTS == 0)
			zsi_lock_breathe(&c->lock, ZSI_RANK_CLASS);
	}
	if (cache != NULL && done == n)
		zsi_cache_fill_locked(pool, cache, position);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	if (index != ZSI_NO_INDEX)
		zsi_handle_release(&pool->handles, index, zsi_handle_own_stack());
	if (done < n)
		errno = ENOMEM;
	return done;
}

static size_t take_holes(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, size_t size, zs_handle *out,
			 size_t n)
{
	size_t done = 0;

	while (done < n && (out[done] = zsi_borrow_any(pool, cache, position, size)) != 0)
		done++;
	return done;
}

/* Every case, after the cache had none. */
static size_t alloc_all(struct zs_pool *pool, struct zsi_cache *cache, size_t size, unsigned flags, zs_handle *out,
			size_t n)
{
	int saved = errno;
	size_t done = 0;

	if (size == 0 || (flags & ~KNOWN_FLAGS) != 0) {
		errno = EINVAL;
		return 0;
	}
	if (size > pool->geometry.page_size) {
		errno = ENOSPC;
		return 0;
	}
	unsigned position = zsi_position_for(pool, size);

	bool nowait = (flags & ZS_NOWAIT) != 0;

	zsi_limit_refused = false;
	for (unsigned tries = 0; done < n; tries++) {
		zsi_charge_frozen = nowait;
		zsi_charge_headroom = (flags & ZS_HEADROOM) != 0;
		bool full = pool->most_slack > 0 && zsi_tight_short(pool);

		/* What is freed makes more holes, a page that is taken now is missed by a larger one. */
		done += full ? take_holes(pool, cache, position, size, out + done, n - done) : 0;
		if (done < n && !(full && tries == 0 && !zsi_tight_page_in_sight(pool)))
			done += alloc_some(pool, cache, position, size, out + done, n - done);
		done += full ? 0 : take_holes(pool, cache, position, size, out + done, n - done);
		zsi_charge_frozen = zsi_charge_headroom = false;
		if (done == n)
			break;
		if (tries == ROOM_TRIES || !zsi_make_room(pool, size, flags)) {
			errno = zsi_tight_refused(pool, flags);
			return done;
		}
	}
	zsi_make_room_had();
	errno = saved;
	return done;
}

size_t zs_malloc_batch(struct zs_pool *pool, size_t size, unsigned flags, zs_handle *out, size_t n)
{
	return alloc_all(pool, NULL, size, flags, out, n);
}

/* From a bin of the cache: the own one, or one near it. 0: there is none. */
static zs_handle take_near(struct zs_pool *pool, struct zsi_cache *cache, size_t size)
{
	unsigned position = zsi_position_for(pool, size);
	uint32_t twice = ZSI_NO_INDEX;
	zs_handle h = 0;

	if (zsi_cache_enter(cache) && (position = zsi_cache_choose(cache, position, size)) < ZSI_MAX_CLASSES) {
		h = zsi_bin_revive(&pool->handles, cache, &cache->bins[position], size, &twice);
		ZSI_PROBE(malloc, zsi_pool_name(pool), size, h);
	}
	zsi_cache_leave(cache);
	if (zsi_unlikely(twice != ZSI_NO_INDEX))
		zsi_cache_report_index(pool, twice);
	return h;
}

/*
 * The bin was empty, or there is no cache yet, or the request can't be met. Not inlined: the usual path needs no stack.
 */
__attribute__((noinline)) static zs_handle malloc_any(struct zs_pool *pool, size_t size, unsigned flags)
{
	zs_handle h = 0;

	if (zsi_unlikely(atomic_load_explicit(&pool->twice, memory_order_relaxed) != 0))
		zsi_cache_report(pool);
	/* A cache is memory too. */
	zsi_charge_frozen = (flags & ZS_NOWAIT) != 0;
	struct zsi_cache *cache = zsi_cache_get(pool);

	zsi_charge_frozen = false;
	if (cache != NULL && size - 1 < pool->geometry.page_size && (flags & ~KNOWN_FLAGS) == 0)
		h = take_near(pool, cache, size);
	if (h != 0)
		return h;
	return alloc_all(pool, cache, size, flags, &h, 1) == 1 ? h : 0;
}

/*
 * The usual case: the bin of the class has an object. See zs_free(). For a size of 0 the table leads to a bin that is
 * always empty.
 */
zs_handle zs_malloc(struct zs_pool *pool, size_t size, unsigned flags)
{
	if (zsi_unlikely(zsi_current.pool != pool || size > pool->page_size || flags > KNOWN_FLAGS))
		return malloc_any(pool, size, flags);
	struct zsi_cache *cache = zsi_current.cache;
	struct zsi_handles *handles = &pool->handles;
	struct zsi_cache_bin *bin = zsi_bin_at(cache, pool->lookup[zsi_lookup_entry(size)]);
	uint64_t n = 0;

	zsi_announce(&cache->busy, ZSI_BUSY_BIN);
	if (zsi_unlikely(zsi_cache_revoked(cache) || (n = zsi_bin_count(bin)) == 0)) {
		zsi_announce_end(&cache->busy);
		return malloc_any(pool, size, flags);
	}
	uint64_t index = zsi_bin_pop(cache, bin, n);
	uint64_t entry = atomic_load_explicit(&handles->entries[index], memory_order_relaxed);

	if (zsi_unlikely(((entry ^ bin->class) & handles->retired_mask) != 0)) {
		/* It had been freed twice. Read again: so nothing is kept in a register for this. */
		atomic_store_explicit(&pool->twice, bin->items[zsi_bin_count(bin)] + 1, memory_order_relaxed);
		zsi_announce_end(&cache->busy);
		return malloc_any(pool, size, flags);
	}
	ZSI_OWNED_ADD(bin->requested, (int64_t)size);
	atomic_store_explicit(&handles->slack[index], (uint8_t)((uint32_t)bin->size - size), memory_order_relaxed);
	entry += handles->generation_one;
	/* release: pairs with the acquire loads of readers and zsi_entry_trylock() */
	atomic_store_explicit(&handles->entries[index], entry, memory_order_release);
	zsi_release_fence();
	zs_handle h = zsi_entry_handle(handles, index, entry);

	zsi_announce_end(&cache->busy);
	ZSI_PROBE(malloc, zsi_pool_name(pool), size, h);
	return h;
}
