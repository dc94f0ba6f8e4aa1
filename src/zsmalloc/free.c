/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * free.c - zs_free, one at a time and in batches.
 *
 * A free begins by making the handle stale: from then on nobody else can have to do with the object, and what happens
 * to its slot is the free's business. It goes to the thread's cache, or back to its class. The usual path announces
 * the object and needs plain loads and stores only; the others make the handle stale with a compare-and-swap.
 */
#include <errno.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/probe.h"
#include "base/rcu.h"
#include "compact/shrink.h"
#include "pool/cache.h"
#include "pool/entry.h"
#include "pool/handle.h"
#include "pool/misuse.h"
#include "pool/pool.h"
#include "pool/room.h"
#include "pool/stock.h"
#include "pool/zspage.h"
#include "zsmalloc/map.h"

/* Handles of a batch that are sorted by class at a time. */
#define BATCH_HANDLES 128u

/* A free has no error: errno stays what it was, also where the handler returns. */
__attribute__((noinline)) static void misused(struct zs_pool *pool, zs_handle handle, const char *call)
{
	int saved = errno;

	if (zsi_mapped_here(pool, handle, false))
		zsi_misuse(pool, handle, call, ZS_MISUSE_MAPPED);
	else if (zsi_current.reading == handle && zsi_rcu_read_ongoing())
		zsi_misuse(pool, handle, call, ZS_MISUSE_HELD);
	else
		zsi_misuse_handle(pool, handle, call);
	errno = saved;
}

/* The entry as it was, now retired and locked; 0 after the misuse handler was called. */
static inline uint64_t retire(struct zs_pool *pool, zs_handle handle, const char *call)
{
	if (zsi_unlikely(zsi_mapped_here(pool, handle, false) ||
			 (zsi_current.reading == handle && zsi_rcu_read_ongoing()))) {
		misused(pool, handle, call);
		return 0;
	}
	for (unsigned round = 0;; round++) {
		uint64_t entry = zsi_entry_look_up(pool, handle);

		if (zsi_unlikely(entry == 0)) {
			misused(pool, handle, call);
			return 0;
		}
		if (zsi_likely(zsi_entry_retire(&pool->handles.entries[zsi_handle_index(handle)], entry))) {
			ZSI_PROBE(free, zsi_pool_name(pool), handle);
			return entry;
		}
		zsi_backoff(round);
	}
}

static bool put_into_cache(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, uint32_t index)
{
	struct zsi_cache_bin *bin = &cache->bins[position];
	int64_t size = (int64_t)zsi_handle_size(&pool->handles, index, (uint32_t)bin->size);
	bool ok = zsi_cache_enter(cache) && zsi_bin_push(cache, bin, position + 1, index);

	if (zsi_likely(ok))
		ZSI_OWNED_ADD(bin->requested, -size);
	zsi_cache_leave(cache);
	return ok;
}

static void give_to_class(struct zs_pool *pool, unsigned position, uint32_t index)
{
	struct zsi_class *c = &pool->classes[position];
	struct zsi_zspage *released = NULL;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	c->requested -= zsi_handle_size(&pool->handles, index, pool->geometry.classes[position].size);
	zsi_room_note_freed(&pool->room, pool->geometry.classes[position].size);
	bool ok = zsi_stock_return_locked(pool, position, index, &released);

	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	zsi_stock_release(pool, released);
	if (zsi_unlikely(!ok))
		zsi_cache_report_index(pool, index);
}

/* What becomes of the slot of a retired object. There is no cache yet, or no room in it. */
__attribute__((noinline)) static void put_away(struct zs_pool *pool, uint32_t index, uint64_t entry)
{
	unsigned position = zsi_entry_class(entry) - 1;
	int saved = errno;
	struct zsi_cache *cache = zsi_cache_get(pool);

	if (cache == NULL || !zsi_cache_make_room(pool, cache, position) ||
	    !put_into_cache(pool, cache, position, index))
		give_to_class(pool, position, index);
	errno = saved;
}

/* In a child after fork: what is freed is what the background thread is for. */
static inline void revive_shrinker(struct zs_pool *pool)
{
	if (zsi_unlikely(atomic_load_explicit(&pool->shrinker.lost, memory_order_relaxed)))
		zsi_shrinker_revive(pool);
}

/* Every case. Not inlined, so that the usual one below needs no stack. */
__attribute__((noinline)) static void free_any(struct zs_pool *pool, zs_handle handle)
{
	uint64_t entry = handle != 0 ? retire(pool, handle, "zs_free") : 0;

	/* What is no longer read is usually freed soon: the next time it is no sign. */
	if (zsi_current.reading == handle && !zsi_rcu_read_ongoing())
		zsi_current.reading = 0;
	if (entry != 0)
		put_away(pool, zsi_handle_index(handle), entry);
	if (handle != 0)
		revive_shrinker(pool);
}

/*
 * The usual case: the object is announced, with that the cache is busy, and nothing else is to be looked at than the
 * entry and the bin. Whatever would make it unusual has taken the pool out of zsi_current, or revoked the cache.
 */
void zs_free(struct zs_pool *pool, zs_handle handle)
{
	if (zsi_unlikely(zsi_current.pool != pool || zsi_current.reading == handle)) {
		free_any(pool, handle);
		return;
	}
	struct zsi_cache *cache = zsi_current.cache;
	struct zsi_handles *h = &pool->handles;

	zsi_announce(&cache->busy, handle);
	uint64_t key = zsi_handle_key(h, handle);

	ZSI_OPAQUE(key);
	if (zsi_unlikely(zsi_cache_revoked(cache) || key >= atomic_load_explicit(&h->reach, memory_order_acquire)))
		goto unusual;
	uint64_t index = key >> ZSI_KEY_SHIFT;
	uint64_t entry = atomic_load_explicit(&h->entries[index], ZSI_ENTRY_LOAD);
	uint64_t class = entry & ZSI_CLASS_MASK;

	if (zsi_unlikely((entry ^ handle) >> ZSI_GENERATION_SHIFT != 0 || class >= ZSI_CLASS_HELD))
		goto unusual;
	struct zsi_cache_bin *bin = zsi_bin_at(cache, class << ZSI_BIN_SHIFT) - 1;

	if (zsi_unlikely(!zsi_bin_push(cache, bin, class, (uint32_t)index)))
		goto unusual;
	ZSI_OWNED_ADD(bin->requested, (int64_t)atomic_load_explicit(&h->slack[index], memory_order_relaxed) - bin->size);
	zsi_entry_retire_announced(h, &h->entries[index], entry);
	zsi_announce_end(&cache->busy);
	ZSI_PROBE(free, zsi_pool_name(pool), handle);
	return;
unusual:
	/* Not in a register all the way to here. */
	handle = atomic_load_explicit(&cache->busy, memory_order_relaxed);
	zsi_announce_end(&cache->busy);
	free_any(pool, handle);
}

struct retired {
	uint32_t index;
	uint32_t position;
};

/* By class, few and mostly in long runs of one. */
static void sort_by_class(struct retired *r, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct retired x = r[i];
		unsigned at = i;

		for (; at > 0 && r[at - 1].position > x.position; at--)
			r[at] = r[at - 1];
		r[at] = x;
	}
}

static void give_all(struct zs_pool *pool, struct retired *r, unsigned n)
{
	sort_by_class(r, n);
	for (unsigned i = 0; i < n;) {
		unsigned position = r[i].position;
		struct zsi_class *c = &pool->classes[position];
		uint32_t slot_size = pool->geometry.classes[position].size;
		struct zsi_zspage *released = NULL;

		zsi_lock(&c->lock, ZSI_RANK_CLASS);
		for (; i < n && r[i].position == position; i++) {
			zsi_room_note_freed(&pool->room, slot_size);
			c->requested -= zsi_handle_size(&pool->handles, r[i].index, slot_size);
			if (zsi_unlikely(!zsi_stock_return_locked(pool, position, r[i].index, &released)))
				atomic_store_explicit(&pool->twice, r[i].index + 1, memory_order_relaxed);
		}
		zsi_unlock(&c->lock, ZSI_RANK_CLASS);
		zsi_stock_release(pool, released);
	}
	if (zsi_unlikely(atomic_load_explicit(&pool->twice, memory_order_relaxed) != 0))
		zsi_cache_report(pool);
}

void zs_free_batch(struct zs_pool *pool, const zs_handle *handles, size_t n)
{
	struct retired batch[BATCH_HANDLES];
	int saved = errno;

	for (size_t done = 0; done < n;) {
		unsigned count = 0;

		for (; done < n && count < BATCH_HANDLES; done++) {
			uint64_t entry = handles[done] != 0 ? retire(pool, handles[done], "zs_free_batch") : 0;

			if (entry != 0)
				batch[count++] = (struct retired){ .index = zsi_handle_index(handles[done]),
								   .position = zsi_entry_class(entry) - 1 };
		}
		give_all(pool, batch, count);
	}
	revive_shrinker(pool);
	errno = saved;
}
