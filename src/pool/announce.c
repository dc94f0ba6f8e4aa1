/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * announce.c - the other side: whoever has to know what the owners of caches are doing. Owners execute no barrier, so
 * it is made in all threads at once; then what they stored is seen, or they see what was stored here.
 */
#include "pool/announce.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/rcu.h"
#include "pool/handle.h"
#include "pool/pool.h"

bool zsi_cache_membarrier;

void zsi_cache_register_membarrier(void)
{
	long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	zsi_cache_membarrier = commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
			       syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

static void barrier(void)
{
#ifndef ZSI_TSAN
	if (zsi_cache_membarrier && syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0)
		return;
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

void zsi_caches_stop(struct zs_pool *pool)
{
	if (pool->caches == NULL)
		return;
	for (struct zsi_cache *cache = pool->caches; cache != NULL; cache = cache->pool_next)
		/* seq_cst: pairs with zsi_announce() */
		atomic_store_explicit(&cache->revoked, 1, memory_order_seq_cst);
	barrier();
	for (struct zsi_cache *cache = pool->caches; cache != NULL; cache = cache->pool_next)
		/* acquire: pairs with zsi_announce_end() */
		for (unsigned round = 0; atomic_load_explicit(&cache->busy, memory_order_acquire) != 0; round++)
			zsi_backoff(round);
}

void zsi_caches_resume(struct zs_pool *pool)
{
	for (struct zsi_cache *cache = pool->caches; cache != NULL; cache = cache->pool_next)
		/* release: pairs with the acquire in zsi_cache_revoked() */
		atomic_store_explicit(&cache->revoked, 0, memory_order_release);
}

static void report(const _Atomic uint64_t *word, zsi_announced_fn fn, void *arg)
{
	/* seq_cst: pairs with zsi_announce(); acquire: with zsi_announce_end(), so that what was written is seen */
	uint64_t value = atomic_load_explicit(word, memory_order_seq_cst);

	if (value != 0 && value != ZSI_BUSY_BIN)
		fn(arg, zsi_handle_index(value));
}

void zsi_cache_announced(struct zs_pool *pool, zsi_announced_fn fn, void *arg)
{
	zsi_lock(&pool->announcers, ZSI_RANK_META);
	/* A thread that makes its first cache takes the lock for it, and sees what this one stored. */
	if (pool->caches != NULL)
		barrier();
	for (const struct zsi_cache *cache = pool->caches; cache != NULL; cache = cache->pool_next) {
		report(&cache->busy, fn, arg);
		report(&cache->writing, fn, arg);
	}
	zsi_unlock(&pool->announcers, ZSI_RANK_META);
}
