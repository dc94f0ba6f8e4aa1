/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fork.c - a child gets pools that work.
 *
 * Before the fork every lock that guards structure is taken, so that the child's copy is consistent. The compaction
 * lock is not among them: its holder may be waiting for readers, and the forking thread may be one. A compaction that
 * was under way leaves its batch in the pool, where the child's next compaction ends it.
 *
 * Entry locks can't be waited for either. In the child those of other threads have no owner left and are cleared; what
 * such a thread was writing may be half written, as with any memory.
 */
#include <errno.h>
#include <pthread.h>

#include "base/lock.h"
#include "base/rcu.h"
#include "compact/shrink.h"
#include "pages/purge.h"
#include "pool/cache.h"
#include "pool/handle.h"
#include "pool/misuse.h"
#include "pool/pool.h"
#include "pool/registry.h"
#include "pool/stock.h"
#include "pool/zspage.h"
#include "zsmalloc/fork.h"
#include "zsmalloc/map.h"

static void lock_pool(struct zs_pool *pool)
{
	for (unsigned i = 0; i < pool->geometry.nr_classes; i++)
		zsi_lock_unranked(&pool->classes[i].lock);
	zsi_purge_lock_at_rest(&pool->space);
	zsi_lock_unranked(&pool->meta.lock);
	zsi_lock_unranked(&pool->words.lock);
	zsi_lock_unranked(&pool->handles.lock);
	zsi_lock_unranked(&pool->announcers);
	zsi_caches_stop(pool);
}

static void unlock_pool(struct zs_pool *pool)
{
	zsi_caches_resume(pool);
	zsi_unlock_unranked(&pool->announcers);
	zsi_unlock_unranked(&pool->handles.lock);
	zsi_unlock_unranked(&pool->words.lock);
	zsi_unlock_unranked(&pool->meta.lock);
	zsi_unlock_unranked(&pool->space.lock);
	for (unsigned i = pool->geometry.nr_classes; i-- > 0;)
		zsi_unlock_unranked(&pool->classes[i].lock);
}

/*
 * Frees that other threads had begun, and mallocs that had not come back from their cache: the object is nobody's, and
 * its slot is free. All caches are empty.
 */
static void finish_frees(struct zs_pool *pool)
{
	struct zsi_handles *h = &pool->handles;
	uint32_t bound = atomic_load_explicit(&h->bound, memory_order_relaxed);

	for (uint32_t i = 0; i < bound; i++) {
		uint64_t entry = atomic_load_explicit(&h->entries[i], memory_order_relaxed);
		struct zsi_zspage *released = NULL;

		if (!zsi_entry_retired(entry))
			continue;
		unsigned position = zsi_entry_class(entry) - 1;

		pool->classes[position].requested -= zsi_handle_size(h, i, pool->geometry.classes[position].size);
		(void)zsi_stock_return_locked(pool, position, i, &released);
		zsi_stock_release(pool, released);
	}
}

/* What another thread had locked. */
static void unlock(const struct zs_pool *pool, _Atomic uint64_t *at, uint64_t entry)
{
	const struct zsi_zspage *z = zsi_zspage_at(&pool->space, zsi_entry_offset(entry));

	atomic_store_explicit(at, zsi_entry_with_position(entry, z->class_position), memory_order_relaxed);
}

static void reset_pool(struct zs_pool *pool)
{
	struct zsi_handles *h = &pool->handles;
	uint32_t bound = atomic_load_explicit(&h->bound, memory_order_relaxed);

	for (unsigned i = 0; i < pool->geometry.nr_classes; i++)
		zsi_lock_reset(&pool->classes[i].lock);
	zsi_lock_reset(&pool->space.lock);
	zsi_lock_reset(&pool->meta.lock);
	zsi_lock_reset(&pool->words.lock);
	zsi_lock_reset(&h->lock);
	zsi_lock_reset(&pool->announcers);
	zsi_lock_reset(&pool->compact_lock);
	for (uint32_t i = 0; i < bound; i++) {
		uint64_t entry = atomic_load_explicit(&h->entries[i], memory_order_relaxed);

		if (zsi_entry_live(entry) && zsi_entry_locked(entry) && !zsi_mapped_index_here(pool, i))
			unlock(pool, &h->entries[i], entry);
	}
	zsi_caches_adopt_after_fork(pool);
	finish_frees(pool);
	zsi_shrinker_reset_after_fork(pool);
	atomic_store_explicit(&pool->room.looking, 0, memory_order_relaxed);
}

static void before_fork(void)
{
	/*
	 * First: a grace period that is under way is waited for here, and the readers it waits for may need class locks
	 * before they end. Nobody waits for a grace period while holding one of ours.
	 */
	zsi_rcu_before_fork();
	zsi_registry_lock();
	zsi_caches_lock();
	for (struct zs_pool *pool = zsi_registry_first(); pool != NULL; pool = pool->registry_next)
		lock_pool(pool);
	zsi_misuse_lock();
}

static void after_fork_parent(void)
{
	zsi_misuse_unlock();
	for (struct zs_pool *pool = zsi_registry_first(); pool != NULL; pool = pool->registry_next)
		unlock_pool(pool);
	zsi_caches_unlock();
	zsi_registry_unlock();
	zsi_rcu_after_fork_parent();
}

static void after_fork_child(void)
{
	zsi_misuse_unlock();
	for (struct zs_pool *pool = zsi_registry_first(); pool != NULL; pool = pool->registry_next)
		reset_pool(pool);
	zsi_caches_reset_after_fork();
	zsi_registry_reset_after_fork();
	zsi_rcu_after_fork_child();
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;

static void install_handlers(void)
{
	once_error = pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

int zsi_fork_handlers(void)
{
	int error = pthread_once(&once, install_handlers);

	return error != 0 ? error : once_error;
}
