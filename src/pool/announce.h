/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * announce.h - what a thread says it is about to change, and how others find out, at their own expense.
 *
 * The owner takes no lock and executes no locked instruction to reach its bins. It says that it is busy, looks whether
 * the cache was revoked, works on a bin, and says that it is done; nothing in between waits. Whoever wants somebody
 * else's cache revokes it, makes every thread of the process execute a barrier (membarrier), and waits until the owner
 * is not busy: after that the owner has seen, or will see, that it has to go the long way. Where the system has no
 * membarrier the owner executes a barrier itself.
 *
 * A cache is also where its thread *announces* what it is about to change: the handle of an object that it frees is
 * what makes it busy, that of one it writes to is in `writing`. Having announced, it looks at the entry; if nobody has
 * locked that, it goes on with plain loads and stores. Who locks entries to move their objects makes every thread
 * execute a barrier after that, and looks at the announcements then: an object that is announced stays where it is.
 * Either the announcement was before the barrier, then the mover sees it, or its thread sees the lock.
 *
 * Locks: pool->announcers (rank META) is held by who goes through a pool's list of caches here, and, with the caches'
 * lock, by who changes it.
 */
#ifndef ZSI_POOL_ANNOUNCE_H
#define ZSI_POOL_ANNOUNCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/rcu.h"
#include "pool/geometry.h"

struct zs_pool;

/* What fits into a cache line with the bin's head. */
#define ZSI_CACHE_ITEMS 12u

struct zsi_cache_bin {
	_Atomic uint8_t count;     /* written in busy sections; others read it for statistics */
	uint8_t want;              /* objects to reserve at the next miss; the owner's */
	uint16_t class;            /* as in entries: position + 1; immutable */
	int32_t size;              /* of a slot, bytes; immutable */
	_Atomic int64_t requested; /* bytes that mallocs here added less what frees took away; as count */
	uint32_t items[ZSI_CACHE_ITEMS];
};

_Static_assert(sizeof(struct zsi_cache_bin) == ZSI_CACHE_LINE, "one cache line");

/* A thread's objects in one cache, bytes: far more than bins can have. */
#define ZSI_CACHE_BUDGET_MAX ((uint64_t)1 << 30)

/* What busy is where no object is freed. */
#define ZSI_BUSY_BIN UINT64_MAX

struct zsi_cache {
	_Atomic(struct zs_pool *) pool; /* NULL: it was destroyed, and the owner may free the cache */
	_Atomic uint64_t busy;          /* written by the owner: 0, ZSI_BUSY_BIN, or the handle that it frees */
	_Atomic uint64_t writing;       /* written by the owner: 0, or the handle of the object that it writes to */
	_Atomic uint32_t revoked;       /* written under the caches' lock */
	bool holder;                    /* counted in pool->cache_holders; in busy sections, or revoked, as what follows */
	int32_t left;                   /* bytes of the budget that no object takes */
	int32_t budget;                 /* bytes, at most ZSI_CACHE_BUDGET_MAX */
	uint32_t slack; /* how much larger than asked for a slot of another bin may be; 0: never; the owner's */
	unsigned victim;                         /* class position to flush next */
	size_t mapped_bytes;                     /* immutable */
	struct zsi_cache *pool_next;             /* Guarded by the caches' lock and the pool's announcers */
	struct zsi_cache *thread_next;           /* the owner's */
	uint8_t filled[ZSI_MAX_CLASSES + 1];     /* by class, position + 1. Not 0: the bin may have objects */
	_Alignas(ZSI_CACHE_LINE) struct zsi_cache_bin bins[]; /* by position, and one more, which is always empty */
};

/* The bin so many bytes after the first, through one register. */
static inline struct zsi_cache_bin *zsi_bin_at(struct zsi_cache *cache, uint64_t bytes)
{
	struct zsi_cache *moved = (struct zsi_cache *)((uint8_t *)cache + bytes);

	ZSI_OPAQUE(moved);
	return moved->bins;
}

#define ZSI_BIN_SHIFT 6
_Static_assert(sizeof(struct zsi_cache_bin) == 1u << ZSI_BIN_SHIFT && ZSI_BIN_SHIFT == ZSI_LOOKUP_SCALE,
	       "the lookup table has offsets of bins");

/*
 * The pool and the cache that this thread used last, where the fast paths may use them: the system has membarrier, the
 * pool a table of slack, and the thread has nothing mapped. Else NULL. A pool that was destroyed may be here: then the
 * cache stays revoked.
 */
struct zsi_current {
	const struct zs_pool *pool;
	struct zsi_cache *cache;
	/*
	 * The object whose reading began the thread's last outermost read section; 0: none. May be over: then it is no
	 * sign.
	 */
	uint64_t reading;
};

extern _Thread_local struct zsi_current zsi_current;

/*
 * What only the owner writes, and others read for statistics, or under a protocol that has no barrier here: plain
 * accesses, which compilers fold into other instructions as they don't atomic ones. ThreadSanitizer gets atomic ones.
 */
#ifdef ZSI_TSAN
#define ZSI_OWNED_ADD(counter, n)                                                                                       \
	atomic_store_explicit(&(counter), atomic_load_explicit(&(counter), memory_order_relaxed) + (n),                  \
			      memory_order_relaxed)
#else
#define ZSI_OWNED_ADD(counter, n) (*(int64_t *)(uintptr_t)&(counter) += (n))
#endif

/* Whether membarrier works in this process; set before the first cache is made. */
extern bool zsi_cache_membarrier;

/* `word` is the owner's busy or writing: what it says is said before anything that the owner reads after this. */
static inline void zsi_announce(_Atomic uint64_t *word, uint64_t value)
{
#ifdef ZSI_TSAN
	/* seq_cst: store, then load, in this order for everyone; pairs with stop() and zsi_entry_trylock() */
	atomic_store_explicit(word, value, memory_order_seq_cst);
#else
	atomic_store_explicit(word, value, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

static inline void zsi_announce_end(_Atomic uint64_t *word)
{
	/* release: pairs with the acquire of who waits for it, or looks at it before a move */
	atomic_store_explicit(word, 0, memory_order_release);
}

static inline bool zsi_cache_revoked(const struct zsi_cache *cache)
{
#ifdef ZSI_TSAN
	return atomic_load_explicit(&cache->revoked, memory_order_seq_cst) != 0;
#else
	/* plain, see above */
	if (zsi_unlikely(*(const uint32_t *)(uintptr_t)&cache->revoked != 0))
		return true;
	/* acquire: pairs with the release in zsi_caches_resume(), so that what was done to the bins is seen */
	atomic_thread_fence(memory_order_acquire);
	return false;
#endif
}

/*
 * Begin a busy section, with or without membarrier. False: revoked, don't touch a bin; zsi_cache_leave() all the same.
 */
static inline bool zsi_cache_enter(struct zsi_cache *cache)
{
	zsi_announce(&cache->busy, ZSI_BUSY_BIN);
#ifndef ZSI_TSAN
	if (zsi_unlikely(!zsi_cache_membarrier))
		atomic_thread_fence(memory_order_seq_cst);
#endif
	return !zsi_cache_revoked(cache);
}

static inline void zsi_cache_leave(struct zsi_cache *cache)
{
	zsi_announce_end(&cache->busy);
}

/*
 * Make all threads execute a barrier, and call fn for each object of the pool that one of them has announced before it:
 * few, and each at least once. Everybody who announces something later sees what was stored before this call.
 */
typedef void (*zsi_announced_fn)(void *arg, uint32_t index);
void zsi_cache_announced(struct zs_pool *pool, zsi_announced_fn fn, void *arg);

/* At the first cache of the process, and in a child. */
void zsi_cache_register_membarrier(void);

/* With the caches' lock held: keep all owners out of their bins, and let them in again. */
void zsi_caches_stop(struct zs_pool *pool);
void zsi_caches_resume(struct zs_pool *pool);

#endif
