/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * free.c - zs_free, one at a time and in batches.
 *
 * A free begins by making the handle stale and locking the entry, in one step: from then on nobody else can have to do
 * with the object, and what happens to its slot is the free's business. It goes to the thread's cache, or back to its
 * class.
 */
#include <errno.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/probe.h"
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
__attribute__((noinline)) static void misused(struct zs_pool *pool, zs_handle handle, const char *call, bool mapped)
{
	int saved = errno;

	if (mapped)
		zsi_misuse(pool, handle, call, ZS_MISUSE_MAPPED);
	else
		zsi_misuse_handle(pool, handle, call);
	errno = saved;
}

/* The entry as it was, now retired and locked; 0 after the misuse handler was called. */
static inline uint64_t retire(struct zs_pool *pool, zs_handle handle, const char *call)
{
	if (zsi_unlikely(zsi_mapped_here(pool, handle, false))) {
		misused(pool, handle, call, true);
		return 0;
	}
	for (unsigned round = 0;; round++) {
		uint64_t entry = zsi_entry_look_up(pool, handle);

		if (zsi_unlikely(entry == 0)) {
			misused(pool, handle, call, false);
			return 0;
		}
		if (zsi_likely(zsi_entry_retire(&pool->handles.entries[zsi_handle_index(handle)], entry))) {
			ZSI_PROBE(free, zsi_pool_name(pool), handle);
			return entry;
		}
		zsi_backoff(round);
	}
}

/* The class of a retired object. Its entry is locked: it stays where it is, and its zspage with it. */
static inline unsigned position_of(const struct zs_pool *pool, uint64_t entry)
{
	return zsi_zspage_at(&pool->space, zsi_entry_offset(entry))->class_position;
}

static inline bool put_into_cache(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, uint32_t index,
				  uint64_t entry)
{
	struct zsi_cache_bin *bin = &cache->bins[position];
	bool ok = zsi_cache_enter(cache) && zsi_bin_has_room(cache, position);

	if (zsi_likely(ok)) {
		zsi_bin_add_requested(bin, -(int64_t)zsi_handle_size(&pool->handles, index, entry, bin->size));
		zsi_bin_push(cache, position, index);
	}
	zsi_cache_leave(cache);
	return ok;
}

static void give_to_class(struct zs_pool *pool, unsigned position, uint32_t index, uint64_t entry)
{
	struct zsi_class *c = &pool->classes[position];
	struct zsi_zspage *released = NULL;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	c->requested -= zsi_handle_size(&pool->handles, index, entry, pool->geometry.classes[position].size);
	zsi_room_note_freed(&pool->room, pool->geometry.classes[position].size);
	zsi_stock_return_locked(pool, index, &released);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	zsi_stock_release(pool, released);
}

/* There is no cache yet, or no room in it. */
__attribute__((noinline)) static void free_slow(struct zs_pool *pool, unsigned position, uint32_t index, uint64_t entry)
{
	int saved = errno;
	struct zsi_cache *cache = zsi_cache_get(pool);

	if (cache == NULL || !zsi_cache_make_room(pool, cache, position) ||
	    !put_into_cache(pool, cache, position, index, entry))
		give_to_class(pool, position, index, entry);
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

	if (entry != 0)
		free_slow(pool, position_of(pool, entry), zsi_handle_index(handle), entry);
	if (handle != 0)
		revive_shrinker(pool);
}

void zs_free(struct zs_pool *pool, zs_handle handle)
{
	struct zsi_cache *cache = zsi_cache_current;
	uint32_t index = zsi_handle_index(handle);
	uint64_t entry;

	if (zsi_unlikely(cache == NULL || atomic_load_explicit(&cache->pool, memory_order_relaxed) != pool ||
			 zsi_mappings != NULL || atomic_load_explicit(&pool->shrinker.lost, memory_order_relaxed) ||
			 (entry = zsi_entry_look_up(pool, handle)) == 0 ||
			 !zsi_entry_retire(&pool->handles.entries[index], entry))) {
		free_any(pool, handle);
		return;
	}
	ZSI_PROBE(free, zsi_pool_name(pool), handle);
	unsigned position = position_of(pool, entry);

	if (!zsi_likely(put_into_cache(pool, cache, position, index, entry)))
		free_slow(pool, position, index, entry);
}

struct retired {
	uint64_t entry;
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
			c->requested -= zsi_handle_size(&pool->handles, r[i].index, r[i].entry, slot_size);
			zsi_stock_return_locked(pool, r[i].index, &released);
		}
		zsi_unlock(&c->lock, ZSI_RANK_CLASS);
		zsi_stock_release(pool, released);
	}
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
				batch[count++] = (struct retired){ .entry = entry,
								   .index = zsi_handle_index(handles[done]),
								   .position = position_of(pool, entry) };
		}
		give_all(pool, batch, count);
	}
	revive_shrinker(pool);
	errno = saved;
}
