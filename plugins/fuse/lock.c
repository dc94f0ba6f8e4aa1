/* SPDX-License-Identifier: BSD-3-Clause */
/* lock.c - one word, changed by compare-and-swap; whoever leaves it free wakes all who sleep, and they try again. */
#include "lock.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "turn.h"

#define WRITER (1u << 31)
#define WAITED (1u << 30)

enum { SPINS = 60 }; /* most locks here are held for less than the way into the kernel takes */

static void wait_while(struct lock *l, uint32_t state)
{
	syscall(SYS_futex, &l->state, FUTEX_WAIT_PRIVATE, state, NULL, NULL, 0);
}

static void wake_all(struct lock *l)
{
	syscall(SYS_futex, &l->state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Add to the state where none of the bits is set; else wait and try again. */
static void take(struct lock *l, uint32_t what, uint32_t none_of)
{
	for (unsigned spins = 0;;) {
		uint32_t state = atomic_load_explicit(&l->state, memory_order_relaxed);
		if ((state & none_of) == 0) {
			if (atomic_compare_exchange_weak_explicit(&l->state, &state, state + what, memory_order_acquire,
								  memory_order_relaxed))
				return;
		} else if (spins < SPINS) {
			spins++;
		} else if ((state & WAITED) != 0 ||
			   atomic_compare_exchange_weak_explicit(&l->state, &state, state | WAITED,
								 memory_order_relaxed, memory_order_relaxed)) {
			turn_pass();
			wait_while(l, state | WAITED);
		}
	}
}

void lock_shared(struct lock *l)
{
	take(l, 1, WRITER | WAITED);
}

void lock_exclusive(struct lock *l)
{
	/* Any reader, or another writer; with WAITED alone the lock is free, and those who woke up compete. */
	take(l, WRITER, ~WAITED);
}

bool lock_try_exclusive(struct lock *l)
{
	uint32_t none = 0;
	return atomic_compare_exchange_strong_explicit(&l->state, &none, WRITER, memory_order_acquire,
						       memory_order_relaxed);
}

void unlock_shared(struct lock *l)
{
	uint32_t state = atomic_fetch_sub_explicit(&l->state, 1, memory_order_release) - 1;
	/* The last one out: who waits may come. Another may have cleared the bit meanwhile, or taken the lock. */
	if (state == WAITED && atomic_compare_exchange_strong_explicit(&l->state, &state, 0, memory_order_relaxed,
								       memory_order_relaxed))
		wake_all(l);
}

void unlock_exclusive(struct lock *l)
{
	if ((atomic_exchange_explicit(&l->state, 0, memory_order_release) & WAITED) != 0)
		wake_all(l);
}
