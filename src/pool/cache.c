/* SPDX-License-Identifier: BSD-3-Clause */
/* cache.c - the making, filling, emptying and unmaking of the caches of cache.h. */
#include "pool/cache.h"

#include <errno.h>
#include <pthread.h>

#include "base/account.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/lock.h"
#include "base/os.h"
#include "base/rcu.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/misuse.h"
#include "pool/pool.h"
#include "pool/room.h"
#include "pool/stock.h"
#include "pool/zspage.h"

/*
 * All caches of a pool together: enough for a few objects of each class, where a thread that allocates all
 * sizes finds its next one; but no more than a 32nd of a small pool, and never less than a few of the largest objects.
 * In a large pool a 512th, which is below what a fill wastes.
 *
 * Where several threads have caches, what one misses in its own it takes from zspages that the others take from, too,
 * and each miss costs some lines that the other processor has just written. So each may have twice as much as one
 * alone, and all together a 16th. What it brings: bench_speed prints threads_per_second of one thread and of two.
 */
#define CAP_SHIFT 9
#define CAP_ENOUGH_PAGES 384u
#define CAP_SHARE_SHIFT 5u
#define CAP_FLOOR_PAGES 8u

/*
 * In pools smaller than this an allocation takes what a bin near its own has. In larger ones the caches have a few of
 * each class, and the slack of many objects would be more than it saves.
 */
#define NEAR_PAGES 49152u

/* What a thread's budget grows by. */
#define GRANT_PAGES 2u

/*
 * A thread gets a cache when the pool is so many times as large as the cache's own memory, and the limit larger still.
 */
#define POOL_PER_CACHE 16u
#define LIMIT_PER_CACHE 256u

/* Bins that one free empties to have room for its object. */
#define FLUSHES_AT_ONCE 4u

/* Most objects reserved at a miss. */
#define MOST_WANTED 7u

_Thread_local struct zsi_current zsi_current;

static _Thread_local struct zsi_cache *mine; /* all caches of this thread, through thread_next */
static _Thread_local bool exiting;           /* the thread is at its end: no new cache */
static _Thread_local unsigned hidden;        /* the fast paths keep away; see zsi_cache_hide() */

static struct zsi_lock caches_lock; /* rank CACHES */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static bool exit_key_made; /* written once, under once */

void zsi_caches_lock(void)
{
	zsi_lock(&caches_lock, ZSI_RANK_CACHES);
}

void zsi_caches_unlock(void)
{
	zsi_unlock(&caches_lock, ZSI_RANK_CACHES);
}

uint64_t zsi_cache_cap(const struct zs_pool *pool)
{
	uint64_t pages = atomic_load_explicit(&pool->pages, memory_order_relaxed);
	uint64_t holders = atomic_load_explicit(&pool->cache_holders, memory_order_relaxed);
	uint64_t cap = zsi_min(pages >> CAP_SHARE_SHIFT, CAP_ENOUGH_PAGES);

	if (holders > 1)
		cap = zsi_min(pages >> (CAP_SHARE_SHIFT - 1), 2 * CAP_ENOUGH_PAGES * holders);
	cap = zsi_max(zsi_max(cap, pages >> CAP_SHIFT), CAP_FLOOR_PAGES);
	return cap << pool->space.page_shift;
}

/* Bins near one's own that may serve: their objects are a bit larger than what is asked for. */
unsigned zsi_cache_choose(const struct zsi_cache *cache, unsigned position, size_t size)
{
	uint32_t own = (uint32_t)cache->bins[position].size;

	for (unsigned p = position; p < position + ZSI_CACHE_NEAR && p < ZSI_MAX_CLASSES; p++) {
		if (cache->filled[p + 1] == 0 || zsi_bin_count(&cache->bins[p]) == 0)
			continue;
		uint32_t its = (uint32_t)cache->bins[p].size;

		/* In small objects a few steps are too much. */
		return p == position || (its - own <= own >> ZSI_CACHE_NEAR_SHIFT && its - size <= cache->slack)
			       ? p
			       : ZSI_MAX_CLASSES;
	}
	return ZSI_MAX_CLASSES;
}

void zsi_cache_hide(void)
{
	hidden++;
	zsi_current.pool = NULL, zsi_current.cache = NULL;
}

void zsi_cache_unhide(void)
{
	hidden--;
}

__attribute__((noinline)) void zsi_cache_report_index(struct zs_pool *pool, uint32_t index)
{
	uint64_t entry = atomic_load_explicit(&pool->handles.entries[index], memory_order_relaxed);
	uint64_t freed = entry - (zsi_entry_live(entry) ? 2 : 1) * ZSI_GENERATION_ONE;

	zsi_misuse(pool, zsi_entry_handle(&pool->handles, index, freed), "zs_free", ZS_MISUSE_DOUBLE_FREE);
}

void zsi_cache_report(struct zs_pool *pool)
{
	uint32_t twice = atomic_exchange_explicit(&pool->twice, 0, memory_order_relaxed);

	if (zsi_unlikely(twice != 0))
		zsi_cache_report_index(pool, twice - 1);
}

/* --- emptying --- */

/*
 * Give n objects of a bin back to the class. The class's lock is held, and the bin is the caller's: a busy section of
 * its owner, or revoked. Zspages that nothing is left of are pushed to *released.
 */
static void flush_locked(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, unsigned n,
			 struct zsi_zspage **released)
{
	struct zsi_cache_bin *bin = &cache->bins[position];
	int64_t requested = atomic_load_explicit(&bin->requested, memory_order_relaxed);

	zsi_room_note_freed(&pool->room, (uint64_t)n * (uint32_t)bin->size);
	while (n-- > 0) {
		uint32_t index = (uint32_t)zsi_bin_pop(cache, bin, zsi_bin_count(bin));

		if (zsi_unlikely(!zsi_stock_return_locked(pool, position, index, released)))
			atomic_store_explicit(&pool->twice, index + 1, memory_order_relaxed);
	}
	if (zsi_bin_count(bin) == 0)
		cache->filled[position + 1] = 0;
	pool->classes[position].requested += (uint64_t)requested;
	atomic_store_explicit(&bin->requested, 0, memory_order_relaxed);
}

/* The whole cache, revoked or its owner's last. Returns the pages of the zspages that were released. */
static uint64_t empty_cache(struct zs_pool *pool, struct zsi_cache *cache)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		struct zsi_cache_bin *bin = &cache->bins[i];
		struct zsi_zspage *released = NULL;

		if (zsi_bin_count(bin) == 0 && atomic_load_explicit(&bin->requested, memory_order_relaxed) == 0)
			continue;
		zsi_lock(&pool->classes[i].lock, ZSI_RANK_CLASS);
		flush_locked(pool, cache, i, zsi_bin_count(bin), &released);
		zsi_unlock(&pool->classes[i].lock, ZSI_RANK_CLASS);
		for (const struct zsi_zspage *z = released; z != NULL; z = zsi_zspage_ptr(pool, z->next))
			pages += z->present;
		zsi_stock_release(pool, released);
	}
	ZSI_ASSERT(cache->left == cache->budget);
	atomic_fetch_sub_explicit(&pool->cache_granted, (uint64_t)cache->budget, memory_order_relaxed);
	cache->budget = 0;
	cache->left = 0;
	if (cache->holder)
		atomic_fetch_sub_explicit(&pool->cache_holders, 1, memory_order_relaxed);
	cache->holder = false;
	return pages;
}

bool zsi_caches_drain(struct zs_pool *pool, uint64_t *pages)
{
	uint64_t freed = 0;
	bool any = false;

	if (atomic_load_explicit(&pool->cache_granted, memory_order_relaxed) == 0)
		return false;
	zsi_caches_lock();
	zsi_caches_stop(pool);
	for (struct zsi_cache *cache = pool->caches; cache != NULL; cache = cache->pool_next) {
		any |= cache->left < cache->budget;
		freed += empty_cache(pool, cache);
	}
	zsi_caches_resume(pool);
	zsi_caches_unlock();
	zsi_cache_report(pool);
	if (pages != NULL)
		*pages = freed;
	return any;
}

void zsi_caches_count_locked(const struct zs_pool *pool, unsigned position, uint64_t *objects, int64_t *requested)
{
	*objects = 0;
	*requested = 0;
	for (const struct zsi_cache *cache = pool->caches; cache != NULL; cache = cache->pool_next) {
		*objects += zsi_bin_count(&cache->bins[position]);
		*requested += atomic_load_explicit(&cache->bins[position].requested, memory_order_relaxed);
	}
}

/* --- making and unmaking --- */

static void unlink_from_pool_locked(struct zs_pool *pool, struct zsi_cache *cache)
{
	struct zsi_cache **at = &pool->caches;

	zsi_lock(&pool->announcers, ZSI_RANK_META);
	while (*at != cache)
		at = &(*at)->pool_next;
	*at = cache->pool_next;
	zsi_unlock(&pool->announcers, ZSI_RANK_META);
}

/* The caller has the caches' lock. The cache is empty, and no pool's. */
static void discard(struct zs_pool *pool, struct zsi_cache *cache)
{
	size_t bytes = cache->mapped_bytes;

	if (pool != NULL)
		zsi_uncharge_metadata(&pool->account, bytes);
	zsi_os.release(cache, bytes);
}

/* Free those of this thread's caches whose pools are gone, and with `all` the others too. */
static void sweep_mine(bool all)
{
	struct zsi_cache **at = &mine;

	zsi_current.pool = NULL, zsi_current.cache = NULL;
	zsi_caches_lock();
	while (*at != NULL) {
		struct zsi_cache *cache = *at;
		struct zs_pool *pool = atomic_load_explicit(&cache->pool, memory_order_relaxed);

		if (pool != NULL && !all) {
			at = &cache->thread_next;
			continue;
		}
		*at = cache->thread_next;
		if (pool != NULL) {
			empty_cache(pool, cache);
			unlink_from_pool_locked(pool, cache);
		}
		discard(pool, cache);
	}
	zsi_caches_unlock();
}

static void at_thread_exit(void *value)
{
	(void)value;
	exiting = true;
	sweep_mine(true);
}

static void prepare(void)
{
	zsi_cache_register_membarrier();
	exit_key_made = pthread_key_create(&exit_key, at_thread_exit) == 0;
}

static size_t bytes_of_cache(const struct zs_pool *pool)
{
	return zsi_round_up(sizeof(struct zsi_cache) + (pool->geometry.nr_classes + 1) * sizeof(struct zsi_cache_bin),
			    zsi_os_page_bytes());
}

/* Whether the pool is large enough for what a cache costs. */
static bool worth_it(const struct zs_pool *pool)
{
	uint64_t held = atomic_load_explicit(&pool->account.used, memory_order_relaxed);
	uint64_t limit = atomic_load_explicit(&pool->account.limit, memory_order_relaxed);
	uint64_t bytes = bytes_of_cache(pool);

	return held / POOL_PER_CACHE >= bytes && (limit == 0 || limit / LIMIT_PER_CACHE >= bytes);
}

static struct zsi_cache *make(struct zs_pool *pool)
{
	size_t bytes = bytes_of_cache(pool);
	struct zsi_cache *cache;

	if (zsi_charge_metadata(&pool->account, bytes) != 0)
		return NULL;
	cache = zsi_os.reserve(bytes, 1);
	if (cache == NULL || zsi_os.commit(cache, bytes, ZSI_OS_NO_HUGEPAGE) != 0) {
		if (cache != NULL)
			zsi_os.release(cache, bytes);
		zsi_uncharge_metadata(&pool->account, bytes);
		return NULL;
	}
	cache->mapped_bytes = bytes;
	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		cache->bins[i].size = (int32_t)pool->geometry.classes[i].size;
		cache->bins[i].class = (uint16_t)(i + 1);
	}
	atomic_store_explicit(&cache->pool, pool, memory_order_relaxed);
	return cache;
}

static struct zsi_cache *attach(struct zs_pool *pool)
{
	struct zsi_cache *cache;

	if (exiting || !worth_it(pool) || pthread_once(&once, prepare) != 0 || !exit_key_made)
		return NULL;
	sweep_mine(false);
	if (pthread_setspecific(exit_key, &mine) != 0)
		return NULL;
	cache = make(pool);
	if (cache == NULL)
		return NULL;
	cache->thread_next = mine;
	mine = cache;
	zsi_caches_lock();
	zsi_lock(&pool->announcers, ZSI_RANK_META);
	cache->pool_next = pool->caches;
	pool->caches = cache;
	zsi_unlock(&pool->announcers, ZSI_RANK_META);
	zsi_caches_unlock();
	return cache;
}

struct zsi_cache *zsi_cache_get(struct zs_pool *pool)
{
	struct zsi_cache *cache = zsi_current.cache;
	int saved = errno;

	if (zsi_likely(cache != NULL && atomic_load_explicit(&cache->pool, memory_order_relaxed) == pool))
		return cache;
	if (!pool->cached)
		return NULL;
	for (cache = mine; cache != NULL; cache = cache->thread_next)
		if (atomic_load_explicit(&cache->pool, memory_order_relaxed) == pool)
			break;
	if (cache == NULL)
		cache = attach(pool);
	/* A child's first free has to start its background thread. */
	if (cache != NULL && hidden == 0 && zsi_cache_membarrier && pool->handles.slack != NULL &&
	    !atomic_load_explicit(&pool->shrinker.lost, memory_order_relaxed))
		zsi_current.pool = pool, zsi_current.cache = cache;
	errno = saved;
	return cache;
}

void zsi_caches_detach(struct zs_pool *pool)
{
	zsi_caches_lock();
	while (pool->caches != NULL) {
		struct zsi_cache *cache = pool->caches;

		pool->caches = cache->pool_next;
		/* Its owner may still have the pool as its current one, and another may be made in its place. */
		atomic_store_explicit(&cache->revoked, 1, memory_order_relaxed);
		atomic_store_explicit(&cache->pool, NULL, memory_order_relaxed);
	}
	zsi_caches_unlock();
	/* This thread's own at once; others' when they make their next one, or end. */
	sweep_mine(false);
}

/* --- filling --- */

/*
 * What a thread may have of what all may have together: those that want any get the same, and one step at least. Counts
 * this one among them, and says what it has.
 */
static uint64_t fair_budget(struct zs_pool *pool, struct zsi_cache *cache, uint64_t step, uint64_t *budget)
{
	*budget = 0;
	if (zsi_cache_enter(cache)) {
		*budget = (uint64_t)cache->budget;
		if (!cache->holder)
			atomic_fetch_add_explicit(&pool->cache_holders, 1, memory_order_relaxed);
		cache->holder = true;
	}
	zsi_cache_leave(cache);
	/* Others may be emptying all of them at this moment: then it is out of date, and no harm is done. */
	uint32_t holders = atomic_load_explicit(&pool->cache_holders, memory_order_relaxed);

	return zsi_max(zsi_cache_cap(pool) / zsi_max(holders, 1u), step);
}

static bool grow_budget(struct zs_pool *pool, struct zsi_cache *cache, uint64_t step)
{
	uint64_t cap = zsi_cache_cap(pool);
	uint64_t granted = atomic_load_explicit(&pool->cache_granted, memory_order_relaxed);

	do {
		if (granted + step > cap)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&pool->cache_granted, &granted, granted + step,
							memory_order_relaxed, memory_order_relaxed));
	bool ok = zsi_cache_enter(cache);

	if (ok) {
		cache->budget += (int32_t)step;
		cache->left += (int32_t)step;
	}
	zsi_cache_leave(cache);
	if (!ok)
		atomic_fetch_sub_explicit(&pool->cache_granted, step, memory_order_relaxed);
	return ok;
}

/* Leave a step of the budget, if it is free, to threads that came later. */
static void shrink_budget(struct zs_pool *pool, struct zsi_cache *cache, uint64_t step)
{
	bool ok = zsi_cache_enter(cache) && cache->budget > (int32_t)step && cache->left >= (int32_t)step;

	if (ok) {
		cache->budget -= (int32_t)step;
		cache->left -= (int32_t)step;
	}
	zsi_cache_leave(cache);
	if (ok)
		atomic_fetch_sub_explicit(&pool->cache_granted, step, memory_order_relaxed);
}

/* The owner gives some of a bin's objects back to the class. */
static bool flush_some(struct zs_pool *pool, struct zsi_cache *cache, unsigned position)
{
	struct zsi_class *c = &pool->classes[position];
	struct zsi_zspage *released = NULL;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	bool ok = zsi_cache_enter(cache);

	if (ok) {
		cache->bins[position].want = 0;
		flush_locked(pool, cache, position, (zsi_bin_count(&cache->bins[position]) + 1) / 2, &released);
	}
	zsi_cache_leave(cache);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	zsi_stock_release(pool, released);
	if (zsi_unlikely(atomic_load_explicit(&pool->twice, memory_order_relaxed) != 0))
		zsi_cache_report(pool);
	return ok;
}

/* The next bin that has something, round and round. In a busy section. */
static unsigned next_victim(const struct zs_pool *pool, struct zsi_cache *cache)
{
	unsigned n = pool->geometry.nr_classes;

	for (unsigned i = 0; i < n; i++) {
		unsigned position = (cache->victim + i) % n;

		if (cache->filled[position + 1] != 0 && zsi_bin_count(&cache->bins[position]) > 0) {
			cache->victim = (position + 1) % n;
			return position;
		}
	}
	return UINT32_MAX;
}

bool zsi_cache_make_room(struct zs_pool *pool, struct zsi_cache *cache, unsigned position)
{
	uint64_t step = (uint64_t)GRANT_PAGES << pool->space.page_shift;
	uint64_t budget, fair = fair_budget(pool, cache, step, &budget);

	if (zsi_bin_count(&cache->bins[position]) == ZSI_CACHE_ITEMS)
		return flush_some(pool, cache, position);
	if (budget + step <= zsi_min(fair, ZSI_CACHE_BUDGET_MAX) && grow_budget(pool, cache, step))
		return true;
	/* With more than its share it gives up some. */
	uint64_t spare = budget > fair ? step : 0;

	for (unsigned i = 0; i < FLUSHES_AT_ONCE; i++) {
		unsigned victim = UINT32_MAX;

		if (zsi_cache_enter(cache) && cache->left < cache->bins[position].size + (int32_t)spare)
			victim = next_victim(pool, cache);
		zsi_cache_leave(cache);
		if (victim == UINT32_MAX || !flush_some(pool, cache, victim))
			break;
	}
	if (spare != 0)
		shrink_budget(pool, cache, step);
	return true;
}

void zsi_cache_fill_locked(struct zs_pool *pool, struct zsi_cache *cache, unsigned position)
{
	struct zsi_cache_bin *bin = &cache->bins[position];

	cache->slack = atomic_load_explicit(&pool->pages, memory_order_relaxed) < NEAR_PAGES ? pool->most_slack : 0;
	/* The first miss may be the only one. And half of the budget is for what will be freed. */
	unsigned want = bin->want;

	bin->want = (uint8_t)zsi_min(want * 2 + 1, MOST_WANTED);
	if (want == 0)
		return;
	if (zsi_cache_enter(cache)) {
		for (unsigned i = 0;
		     i < want && zsi_bin_has_room(cache, bin) && cache->left >= cache->budget / 2; i++) {
			uint32_t index = zsi_stock_take_locked(pool, position);

			if (index == ZSI_NO_INDEX)
				break;
			(void)zsi_bin_push(cache, bin, position + 1, index);
		}
	}
	zsi_cache_leave(cache);
}

/* --- fork --- */

void zsi_caches_adopt_after_fork(struct zs_pool *pool)
{
	for (struct zsi_cache *cache = pool->caches, *next; cache != NULL; cache = next) {
		bool own = false;

		next = cache->pool_next;
		empty_cache(pool, cache);
		for (const struct zsi_cache *m = mine; m != NULL; m = m->thread_next)
			own |= m == cache;
		if (!own) {
			unlink_from_pool_locked(pool, cache);
			discard(pool, cache);
		}
	}
	zsi_caches_resume(pool);
}

void zsi_caches_reset_after_fork(void)
{
	zsi_current.pool = NULL, zsi_current.cache = NULL;
	zsi_rank_leave(ZSI_RANK_CACHES);
	zsi_lock_reset(&caches_lock);
	/* The child's address space is another one. */
	if (exit_key_made)
		zsi_cache_register_membarrier();
}
