/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bell.h - how the background thread hears of what others do: a free rings, the shrinker listens, and neither calls the
 * other. The bell is a futex with a bit for each reason.
 */
#ifndef ZSI_POOL_BELL_H
#define ZSI_POOL_BELL_H

#include <stdatomic.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "base/bits.h"
#include "pool/pool.h"

/* What happened since the background thread last looked: bits of zsi_shrinker.bell. */
#define ZSI_BELL_STOP 1u     /* both threads end; stays until they are started again */
#define ZSI_BELL_PRESSURE 2u /* the kernel reported memory pressure */
#define ZSI_BELL_FREED 4u    /* objects were freed while the thread was idle */

/* Set bits of the bell and wake who sleeps. */
void zsi_bell_ring(struct zs_pool *pool, uint32_t bits);

/* Sleep until one of the bits is set or ns have passed (UINT64_MAX: without end). Returns which of them are set. */
uint32_t zsi_bell_wait(struct zs_pool *pool, uint32_t bits, uint64_t ns);

/* Wake the thread out of its idle sleep, once a sleep. */
void zsi_bell_wake_idle(struct zs_pool *pool);

/* Under the lock of a class in which slots became free, or may have: there may be waste to look for. */
static inline void zsi_bell_notice(struct zs_pool *pool)
{
	if (zsi_unlikely(atomic_load_explicit(&pool->shrinker.idle, memory_order_relaxed) != 0))
		zsi_bell_wake_idle(pool);
}

#endif
