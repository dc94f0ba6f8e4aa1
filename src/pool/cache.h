/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cache.h - per-thread caches: freed objects whose slots stay reserved, for the same thread's next allocation.
 *
 * A cache belongs to one thread and one pool. It has a bin for each size class, a short stack of handle indices. An
 * object in a bin is nobody's: its entry has the generation of a free one, so that old handles are stale and the mover
 * passes it over. Its slot counts as used:
 *
 *   class.used      = live objects + objects in the bins of its class + frees that are on their way
 *   class.requested + sum over caches of bin.requested = the live objects' sizes
 *   cache.budget - cache.left = sum over bins of count * slot size <= cache.budget
 *   sum over caches of budget = pool.cache_granted <= zsi_cache_cap()
 *
 * Its owner reaches its bins without a lock; announce.h says how, and how others keep it away.
 *
 * Two threads that free one object at the same moment both get that far, and its index is in two bins. So an index
 * that leaves a bin has to be one that is retired, in a slot of the bin's class, or the misuse handler is called.
 *
 * Where a bin and a class change together (filling, flushing), the class's lock is held around the busy section. So
 * whoever holds all class locks and has revoked all caches sees every object in exactly one place.
 *
 * Locks: zsi_caches_lock() (rank CACHES, one for the process) guards the lists of caches, their making and unmaking,
 * and revocation. Who changes a pool's list holds pool->announcers (rank META) too, so that a mover, which holds a
 * class's lock, can go through it.
 */
#ifndef ZSI_POOL_CACHE_H
#define ZSI_POOL_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pool/announce.h"
#include "pool/handle.h"

struct zs_pool;

/* Bins that an object may come from, its own among them; and how much larger than its own class's theirs may be. */
#define ZSI_CACHE_NEAR 4u
#define ZSI_CACHE_NEAR_SHIFT 4

static inline unsigned zsi_bin_count(const struct zsi_cache_bin *bin)
{
	return atomic_load_explicit(&bin->count, memory_order_relaxed);
}

/* In a busy section, as what follows. False: the bin, or the budget, is full. class is the bin's, position + 1. */
static inline bool zsi_bin_push(struct zsi_cache *cache, struct zsi_cache_bin *bin, uint64_t class, uint32_t index)
{
	uint64_t n = zsi_bin_count(bin);

	if (zsi_unlikely(n >= ZSI_CACHE_ITEMS))
		return false;
	int32_t left = cache->left - bin->size;

	if (zsi_unlikely(left < 0))
		return false;
	cache->left = left;
	cache->filled[class] = 1;
	bin->items[n] = index;
	ZSI_OPAQUE(n);
	atomic_store_explicit(&bin->count, (uint8_t)(n + 1), memory_order_relaxed);
	return true;
}

/* One of the n objects of a bin, n > 0. */
static inline uint64_t zsi_bin_pop(struct zsi_cache *cache, struct zsi_cache_bin *bin, uint64_t n)
{
	uint64_t index = bin->items[n - 1];

	ZSI_OPAQUE(n);
	atomic_store_explicit(&bin->count, (uint8_t)(n - 1), memory_order_relaxed);
	cache->left += bin->size;
	return index;
}

static inline bool zsi_bin_has_room(const struct zsi_cache *cache, const struct zsi_cache_bin *bin)
{
	return zsi_bin_count(bin) < ZSI_CACHE_ITEMS && cache->left >= bin->size;
}

/*
 * What a bin has is there for a request of `size` bytes. 0: what was there had been freed twice, and *twice is its
 * index.
 */
static inline uint64_t zsi_bin_revive(struct zsi_handles *h, struct zsi_cache *cache, struct zsi_cache_bin *bin,
				      size_t size, uint32_t *twice)
{
	uint32_t index = (uint32_t)zsi_bin_pop(cache, bin, zsi_bin_count(bin));
	uint64_t entry = atomic_load_explicit(&h->entries[index], memory_order_relaxed);

	if (zsi_unlikely(!zsi_entry_retired_in(entry, bin->class))) {
		*twice = index;
		return 0;
	}
	ZSI_OWNED_ADD(bin->requested, (int64_t)size);
	return zsi_handle_revive(h, index, entry, (uint32_t)bin->size, size);
}

/*
 * The bin to take an object of class `position` from: its own, or that of one of the next few larger classes;
 * ZSI_MAX_CLASSES: none has any. In a busy section.
 */
unsigned zsi_cache_choose(const struct zsi_cache *cache, unsigned position, size_t size);

/*
 * While this thread has something mapped the fast paths, which don't look for that, keep away from its caches: once for
 * each mapping.
 */
void zsi_cache_hide(void);
void zsi_cache_unhide(void);

/* Call the misuse handler for what was found to be freed twice: any, or this one. The caller holds no lock. */
void zsi_cache_report(struct zs_pool *pool);
void zsi_cache_report_index(struct zs_pool *pool, uint32_t index);

/*
 * This thread's cache of the pool, made if there is none; NULL: the pool has none, or no memory for it. errno is kept.
 * The caller holds no lock.
 */
struct zsi_cache *zsi_cache_get(struct zs_pool *pool);

/* Have room for one more object of the class: with more budget, or by flushing others. False: it was not to be had. */
bool zsi_cache_make_room(struct zs_pool *pool, struct zsi_cache *cache, unsigned position);

/* Reserve free slots of the class that cost nothing, for the mallocs to come. The caller holds the class's lock. */
void zsi_cache_fill_locked(struct zs_pool *pool, struct zsi_cache *cache, unsigned position);

/*
 * Give everything that all threads have cached back to the classes. Whether there was anything; *pages, if not NULL, is
 * how many pages of empty zspages that released. Locks: below CACHES.
 */
bool zsi_caches_drain(struct zs_pool *pool, uint64_t *pages);

/* Objects in the bins of a class, and what to add to its requested bytes. The caller holds both locks. */
void zsi_caches_count_locked(const struct zs_pool *pool, unsigned position, uint64_t *objects, int64_t *requested);

/* Most bytes that all caches of the pool together may hold. */
uint64_t zsi_cache_cap(const struct zs_pool *pool);

void zsi_caches_lock(void);
void zsi_caches_unlock(void);

/* The pool goes: its caches are nobody's. */
void zsi_caches_detach(struct zs_pool *pool);

/*
 * In a child after fork(), which stopped all caches before: only this thread is left. Empties all caches and frees
 * those of other threads. The pool's locks were reset.
 */
void zsi_caches_adopt_after_fork(struct zs_pool *pool);
void zsi_caches_reset_after_fork(void);

#endif
