/* SPDX-License-Identifier: BSD-3-Clause */
/* lock.c - the sleeping side of struct zsi_lock, and the rank masks. */
#include "base/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How often a waiter looks before it sleeps: about the length of a short critical section. */
#define SPINS 64

/* Pauses until a sleeper that was woken has surely taken the lock: some tens of microseconds. */
#define BREATHS 1000

/* Rounds of zsi_backoff() that only pause, and that yield; after them it sleeps. */
#define BACKOFF_PAUSES 32
#define BACKOFF_YIELDS 64
#define BACKOFF_SLEEP_NS 50000

static void pause_hint(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

void zsi_lock_slow(struct zsi_lock *lock)
{
	int saved = errno;

	for (int i = 0; i < SPINS; i++) {
		pause_hint();
		if (atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 && zsi_trylock_word(lock))
			return;
	}
	/* acquire: pairs with the release in zsi_unlock_word() */
	while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0)
		(void)syscall(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
	errno = saved;
}

void zsi_lock_wake(struct zsi_lock *lock)
{
	int saved = errno;

	(void)syscall(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	errno = saved;
}

void zsi_lock_breathe(struct zsi_lock *lock, enum zsi_rank rank)
{
	bool waited_for = atomic_load_explicit(&lock->word, memory_order_relaxed) == 2;

	zsi_unlock(lock, rank);
	if (waited_for)
		for (unsigned i = 0; i < BREATHS && atomic_load_explicit(&lock->word, memory_order_relaxed) == 0; i++)
			pause_hint();
	zsi_lock(lock, rank);
}

void zsi_backoff(unsigned round)
{
	if (round < BACKOFF_PAUSES) {
		pause_hint();
	} else if (round < BACKOFF_YIELDS) {
		(void)sched_yield();
	} else {
		int saved = errno;
		struct timespec ts = { 0, BACKOFF_SLEEP_NS };

		(void)nanosleep(&ts, NULL);
		errno = saved;
	}
}

#if ZSI_ASSERT_LEVEL >= 1
static _Thread_local uint32_t held_ranks;

void zsi_rank_enter(enum zsi_rank rank)
{
	ZSI_ASSERT((held_ranks >> rank) == 0);
	held_ranks |= 1u << rank;
}

void zsi_rank_leave(enum zsi_rank rank)
{
	ZSI_ASSERT((held_ranks >> rank & 1) == 1);
	held_ranks &= ~(1u << rank);
}
#endif
