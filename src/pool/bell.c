/* SPDX-License-Identifier: BSD-3-Clause */
/* bell.c - ringing, and sleeping until it rings. */
#include "pool/bell.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/pace.h"
#include "pool/pool.h"

void zsi_bell_ring(struct zs_pool *pool, uint32_t bits)
{
	_Atomic uint32_t *bell = &pool->shrinker.bell;

	atomic_fetch_or_explicit(bell, bits, memory_order_relaxed);
	(void)syscall(SYS_futex, bell, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

uint32_t zsi_bell_wait(struct zs_pool *pool, uint32_t bits, uint64_t ns)
{
	_Atomic uint32_t *bell = &pool->shrinker.bell;
	uint64_t end = ns != UINT64_MAX ? zsi_now_ns() + ns : UINT64_MAX;

	for (;;) {
		uint32_t now = atomic_load_explicit(bell, memory_order_relaxed);
		uint64_t left = UINT64_MAX;

		if ((now & bits) != 0)
			return now & bits;
		if (end != UINT64_MAX) {
			uint64_t at = zsi_now_ns();

			if (at >= end)
				return 0;
			left = end - at;
		}
		struct timespec ts = { (time_t)(left / 1000000000u), (long)(left % 1000000000u) };

		(void)syscall(SYS_futex, bell, FUTEX_WAIT_PRIVATE, now, end != UINT64_MAX ? &ts : NULL, NULL, 0);
	}
}

void zsi_bell_wake_idle(struct zs_pool *pool)
{
	if (atomic_exchange_explicit(&pool->shrinker.idle, ZSI_SHRINKER_BUSY, memory_order_relaxed) ==
	    ZSI_SHRINKER_IDLE)
		zsi_bell_ring(pool, ZSI_BELL_FREED);
}
