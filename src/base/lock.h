/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock.h - a four-byte mutex, and the order in which locks are taken.
 *
 * A pthread mutex is 40 bytes and costs more than twice as much when uncontended; there are hundreds of locks here,
 * each taken once an operation. This one is a futex word: 0 free, 1 held, 2 held and someone sleeps.
 *
 * Ranks, from the outermost to the innermost. A thread that holds a lock may take only locks of a higher rank; with
 * assertions on, each thread keeps a mask of what it holds and a wrong order aborts at once, whether or not it would
 * have deadlocked this time. Locks that are only tried are exempt: trying cannot deadlock. docs/locking.md has the
 * matrix of what excludes what.
 */
#ifndef ZSI_BASE_LOCK_H
#define ZSI_BASE_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"

enum zsi_rank {
	ZSI_RANK_SAVE,     /* a device is saved, or reset */
	ZSI_RANK_TRAIN,    /* a device's training thread is started and stopped */
	ZSI_RANK_BATCH,    /* blocks of a device are on their way to its backing file */
	ZSI_RANK_DEVICE,   /* a zram device is made, reset, reconfigured */
	ZSI_RANK_BLOCK,    /* the lock bit of a device's block; one at a time */
	ZSI_RANK_CONTEXT,  /* a device's compression context that threads share */
	ZSI_RANK_TABLE,    /* a device's block table grows and shrinks */
	ZSI_RANK_MEMORY,   /* what a device may hold */
	ZSI_RANK_REGISTRY, /* the list of all pools */
	ZSI_RANK_SHRINKER, /* registering and stopping a pool's shrinker */
	ZSI_RANK_COMPACT,  /* one compaction or page migration a pool */
	ZSI_RANK_CACHES,   /* the lists of per-thread caches, and their revocation */
	ZSI_RANK_ENTRY,    /* the lock bit of a handle entry */
	ZSI_RANK_CLASS,    /* a size class */
	ZSI_RANK_SOURCE,   /* a pool's pages: chunks, runs, the caller's callbacks */
	ZSI_RANK_META,     /* a pool's metadata memory */
};

struct zsi_lock {
	_Atomic uint32_t word;
};

void zsi_lock_slow(struct zsi_lock *lock);
void zsi_lock_wake(struct zsi_lock *lock);

/* A short pause in a spin loop, longer with every round: first the processor's hint, then a yield, then a sleep. */
void zsi_backoff(unsigned round);

#if ZSI_ASSERT_LEVEL >= 1
void zsi_rank_enter(enum zsi_rank rank);
void zsi_rank_leave(enum zsi_rank rank);
#else
static inline void zsi_rank_enter(enum zsi_rank rank)
{
	(void)rank;
}
static inline void zsi_rank_leave(enum zsi_rank rank)
{
	(void)rank;
}
#endif

static inline bool zsi_trylock_word(struct zsi_lock *lock)
{
	uint32_t expected = 0;

	/* acquire: pairs with the release in zsi_unlock_word() */
	return atomic_compare_exchange_strong_explicit(&lock->word, &expected, 1, memory_order_acquire,
						       memory_order_relaxed);
}

static inline void zsi_unlock_word(struct zsi_lock *lock)
{
	/* release: pairs with the acquire of whoever locks next */
	if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
		zsi_lock_wake(lock);
}

static inline void zsi_lock(struct zsi_lock *lock, enum zsi_rank rank)
{
	zsi_rank_enter(rank);
	if (!zsi_trylock_word(lock))
		zsi_lock_slow(lock);
}

static inline bool zsi_trylock(struct zsi_lock *lock, enum zsi_rank rank)
{
	if (!zsi_trylock_word(lock))
		return false;
	zsi_rank_enter(rank);
	return true;
}

static inline void zsi_unlock(struct zsi_lock *lock, enum zsi_rank rank)
{
	zsi_unlock_word(lock);
	zsi_rank_leave(rank);
}

/*
 * Drop a lock that is held for long and take it again: whoever waits for it gets it in between. A waiter that sleeps
 * takes longer to wake up than the lock would be free, so that one who let somebody wait waits himself for a moment.
 */
void zsi_lock_breathe(struct zsi_lock *lock, enum zsi_rank rank);

/* For one who holds several locks of one rank at once, in an order of his own (all classes, by index). */
static inline void zsi_lock_unranked(struct zsi_lock *lock)
{
	if (!zsi_trylock_word(lock))
		zsi_lock_slow(lock);
}

static inline void zsi_unlock_unranked(struct zsi_lock *lock)
{
	zsi_unlock_word(lock);
}

/* In a child after fork(), for a lock that fork's preparation took: free whatever sleepers it had in the parent. */
static inline void zsi_lock_reset(struct zsi_lock *lock)
{
	atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
}

#endif
