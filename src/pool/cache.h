/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cache.h - per-thread caches: freed objects whose slots stay reserved, for the same thread's next allocation.
 *
 * A cache belongs to one thread and one pool. It has a bin for each size class, a short stack of handle indices. An
 * object in a bin is nobody's: its entry has the generation of a free one, so that old handles are stale, and its lock
 * bit is set, so that the mover passes it over. Its slot counts as used:
 *
 *   class.used      = live objects + objects in the bins of its class + frees that are on their way
 *   class.requested + sum over caches of bin.requested = the live objects' sizes
 *   cache.bytes     = sum over bins of count * slot size <= cache.budget
 *   sum over caches of budget = pool.cache_granted <= zsi_cache_cap()
 *
 * The owner takes no lock and executes no locked instruction to reach its bins. It says that it is busy, looks whether
 * the cache was revoked, works on a bin, and says that it is done; nothing in between waits. Whoever wants somebody
 * else's cache revokes it, makes every thread of the process execute a barrier (membarrier), and waits until the owner
 * is not busy: after that the owner has seen, or will see, that it has to go the long way. Where the system has no
 * membarrier the owner executes a barrier itself.
 *
 * Where a bin and a class change together (filling, flushing), the class's lock is held around the busy section. So
 * whoever holds all class locks and has revoked all caches sees every object in exactly one place.
 *
 * Locks: zsi_caches_lock() (rank CACHES, one for the process) guards the lists of caches, their making and unmaking,
 * and revocation.
 */
#ifndef ZSI_POOL_CACHE_H
#define ZSI_POOL_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/rcu.h"
#include "pool/geometry.h"

struct zs_pool;
struct zsi_class;

/* What fits into a cache line with the bin's head. */
#define ZSI_CACHE_ITEMS 12u

/*
 * Bins that an object may come from, as bits from its own on; and how much larger than its own class's theirs may be.
 */
#define ZSI_CACHE_NEAR 0xfu
#define ZSI_CACHE_NEAR_SHIFT 4

struct zsi_cache_bin {
	_Atomic uint16_t count;    /* written in busy sections; others read it for statistics */
	uint16_t want;             /* objects to reserve at the next miss; the owner's */
	uint32_t size;             /* of a slot, bytes; immutable */
	_Atomic int64_t requested; /* bytes that mallocs here added less what frees took away; as count */
	uint32_t items[ZSI_CACHE_ITEMS];
};

_Static_assert(sizeof(struct zsi_cache_bin) == ZSI_CACHE_LINE, "one cache line");

struct zsi_cache {
	_Atomic(struct zs_pool *) pool; /* NULL: it was destroyed, and the owner may free the cache */
	_Atomic uint32_t busy;          /* written by the owner */
	_Atomic uint32_t revoked;       /* written under the caches' lock */
	uint64_t bytes;                 /* in busy sections, or revoked, as all that follows */
	uint64_t budget;                /* bytes */
	bool holder;                    /* counted in pool->cache_holders */
	uint32_t slack; /* how much larger than asked for a slot of another bin may be; 0: never; the owner's */
	uint64_t nonempty[ZSI_MAX_CLASSES / 64]; /* bit: the bin has objects */
	unsigned victim;                         /* class position to flush next */
	size_t mapped_bytes;                     /* immutable */
	struct zsi_cache *pool_next;             /* Guarded by the caches' lock */
	struct zsi_cache *thread_next;           /* the owner's */
	_Alignas(ZSI_CACHE_LINE) struct zsi_cache_bin bins[];
};

/* The cache that this thread used last. */
extern _Thread_local struct zsi_cache *zsi_cache_current;

/* Whether membarrier works in this process; set before the first cache is made. */
extern bool zsi_cache_membarrier;

/* Begin a busy section. False: revoked, don't touch a bin; zsi_cache_leave() all the same. */
static inline bool zsi_cache_enter(struct zsi_cache *cache)
{
#ifdef ZSI_TSAN
	/* seq_cst: store, then load, in this order for everyone; pairs with revoke() */
	atomic_store_explicit(&cache->busy, 1, memory_order_seq_cst);
	return atomic_load_explicit(&cache->revoked, memory_order_seq_cst) == 0;
#else
	atomic_store_explicit(&cache->busy, 1, memory_order_relaxed);
	if (zsi_likely(zsi_cache_membarrier))
		atomic_signal_fence(memory_order_seq_cst);
	else
		atomic_thread_fence(memory_order_seq_cst);
	/* acquire: pairs with the release in zsi_caches_resume(), so that what was done to the bins is seen */
	return atomic_load_explicit(&cache->revoked, memory_order_acquire) == 0;
#endif
}

static inline void zsi_cache_leave(struct zsi_cache *cache)
{
	/* release: pairs with the acquire in revoke() */
	atomic_store_explicit(&cache->busy, 0, memory_order_release);
}

static inline unsigned zsi_bin_count(const struct zsi_cache_bin *bin)
{
	return atomic_load_explicit(&bin->count, memory_order_relaxed);
}

static inline void zsi_bin_add_requested(struct zsi_cache_bin *bin, int64_t bytes)
{
	atomic_store_explicit(&bin->requested, atomic_load_explicit(&bin->requested, memory_order_relaxed) + bytes,
			      memory_order_relaxed);
}

/* Both in a busy section. Room in the bin and in the budget was checked. */
static inline void zsi_bin_push(struct zsi_cache *cache, unsigned position, uint32_t index)
{
	struct zsi_cache_bin *bin = &cache->bins[position];
	unsigned n = zsi_bin_count(bin);

	bin->items[n] = index;
	if (n == 0)
		cache->nonempty[position / 64] |= 1ull << (position % 64);
	atomic_store_explicit(&bin->count, (uint16_t)(n + 1), memory_order_relaxed);
	cache->bytes += bin->size;
}

static inline uint32_t zsi_bin_pop(struct zsi_cache *cache, unsigned position)
{
	struct zsi_cache_bin *bin = &cache->bins[position];
	unsigned n = zsi_bin_count(bin) - 1u;

	if (n == 0)
		cache->nonempty[position / 64] &= ~(1ull << (position % 64));
	atomic_store_explicit(&bin->count, (uint16_t)n, memory_order_relaxed);
	cache->bytes -= bin->size;
	return bin->items[n];
}

/*
 * The bin to take an object of class `position` from: its own, or that of one of the next few larger classes;
 * ZSI_MAX_CLASSES: none has any. In a busy section.
 */
static inline unsigned zsi_cache_choose(const struct zsi_cache *cache, unsigned position, size_t size)
{
	uint64_t near = cache->nonempty[position / 64] >> (position % 64) & ZSI_CACHE_NEAR;

	if (zsi_likely((near & 1) != 0))
		return position;
	if (near == 0)
		return ZSI_MAX_CLASSES;
	unsigned other = position + (unsigned)__builtin_ctzll(near);
	uint32_t own = cache->bins[position].size, its = cache->bins[other].size;

	/* In small objects a few steps are too much. */
	return its - own <= own >> ZSI_CACHE_NEAR_SHIFT && its - size <= cache->slack ? other : ZSI_MAX_CLASSES;
}

static inline bool zsi_bin_has_room(const struct zsi_cache *cache, unsigned position)
{
	const struct zsi_cache_bin *bin = &cache->bins[position];

	return zsi_bin_count(bin) < ZSI_CACHE_ITEMS && cache->bytes + bin->size <= cache->budget;
}

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

/* With the caches' lock held: keep all owners out of their bins, and let them in again. */
void zsi_caches_stop(struct zs_pool *pool);
void zsi_caches_resume(struct zs_pool *pool);

/* The pool goes: its caches are nobody's. */
void zsi_caches_detach(struct zs_pool *pool);

/*
 * In a child after fork(), which stopped all caches before: only this thread is left. Empties all caches and frees
 * those of other threads. The pool's locks were reset.
 */
void zsi_caches_adopt_after_fork(struct zs_pool *pool);
void zsi_caches_reset_after_fork(void);

#endif
