/* SPDX-License-Identifier: BSD-3-Clause */
/* make_room.c - memory for an allocation that found none: first what costs nothing, then a little compaction. */
#include "compact/make_room.h"

#include "base/bits.h"
#include "base/lock.h"
#include "base/rcu.h"
#include "compact/budget.h"
#include "compact/compact.h"
#include "pages/layout.h"
#include "pages/purge.h"
#include "pages/space.h"
#include "pages/words.h"
#include "pool/cache.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/room.h"
#include "pool/zspage.h"
#include "pool/zspages.h"

/* A look locks every class once: some microseconds, for as many bytes as a few hundred objects have. */
#define LOOK_SHIFT 8
#define LOOK_FLOOR_BYTES ((uint64_t)16 << 10)

/* What compaction could free, as a share of the pages: from here on it is worth it, and worth waiting for. */
#define WORTH_SHIFT 8
#define MUCH_SHIFT 4

/* Emptying all caches stops all threads for a moment, and leaves them without for longer. */
#define DRAIN_SHIFT 3

/*
 * A thread that is refused so often in a row is starving, whatever there seems to be to win: it is tried, first
 * briefly and after more refusals with everything there is.
 */
#define INSISTS 32u
#define INSISTS_THOROUGHLY 128u

/* Bytes moved for each byte freed: emptying a zspage takes about one, so that this is enough to keep up. */
#define MOVED_PER_FREED 2u

/* Of what is kept for reuse, at once: most of the rest is used again. */
#define RECLAIM_BYTES ((uint64_t)64 << 10)

/* One compaction: what one allocation waits for. */
#define ROOM_MOVED_BYTES ((uint64_t)256 << 10)
#define ROOM_FREED_BYTES ((uint64_t)256 << 10)

static _Thread_local unsigned refused_in_row;

static uint64_t held(const struct zs_pool *pool)
{
	return atomic_load_explicit(&pool->account.used, memory_order_relaxed);
}

static uint64_t progress(const struct zsi_room *r)
{
	return atomic_load_explicit(&r->freed, memory_order_relaxed) +
	       atomic_load_explicit(&r->asked, memory_order_relaxed);
}

void zsi_make_room_had(void)
{
	refused_in_row = 0;
}

/* From here on is counted. */
static void begin(struct zs_pool *pool)
{
	struct zsi_room *r = &pool->room;

	for (unsigned i = 0; i < ZSI_MAX_CLASSES / 64; i++)
		atomic_store_explicit(&r->holes[i], ~0ull, memory_order_relaxed);
	r->credit = MOVED_PER_FREED * held(pool);
	atomic_store_explicit(&r->much, true, memory_order_relaxed);
	atomic_store_explicit(&r->tight, true, memory_order_relaxed);
}

/*
 * Give back the pages behind the last object of partly filled zspages, up to about `wanted`. Nothing moves, so nobody
 * is waited for.
 */
static uint64_t trim_tails(struct zs_pool *pool, uint64_t wanted)
{
	uint64_t trimmed = 0;

	for (unsigned i = pool->geometry.nr_classes; i-- > 0 && trimmed < wanted;) {
		struct zsi_class *c = &pool->classes[i];
		struct zsi_cuts cuts = { .n = 0 };

		zsi_lock(&c->lock, ZSI_RANK_CLASS);
		for (unsigned group = 1; group < ZSI_GROUP_FULL; group++)
			for (struct zsi_zspage *z = zsi_zspage_ptr(pool, c->heads[group - 1]);
			     z != NULL && trimmed < wanted && cuts.n < ZSI_CUTS; z = zsi_zspage_ptr(pool, z->next))
				trimmed += zsi_zspages_trim_locked(pool, z, &cuts);
		/* They stay in their lists, so the lock is not dropped before. */
		zsi_purge_cuts(&pool->space, &cuts);
		zsi_purge_settle(&pool->space, &cuts);
		zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	}
	return trimmed;
}

/* Pages that compaction could free, with what is in caches counted as used. */
static uint64_t freeable_pages(struct zs_pool *pool)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		zsi_lock(&pool->classes[i].lock, ZSI_RANK_CLASS);
		pages += zsi_class_freeable_locked(pool, i, 0);
		zsi_unlock(&pool->classes[i].lock, ZSI_RANK_CLASS);
	}
	return pages;
}

/* Someone else compacts. Where much is to be had that may be enough, and is waited for. */
static bool wait_for_other(struct zs_pool *pool)
{
	if (!atomic_load_explicit(&pool->room.much, memory_order_relaxed))
		return false;
	zsi_lock(&pool->compact_lock, ZSI_RANK_COMPACT);
	zsi_unlock(&pool->compact_lock, ZSI_RANK_COMPACT);
	return true;
}

/* Move objects for it, where it was paid for and is worth it. Whether there are pages now. */
static bool compact(struct zs_pool *pool, unsigned flags, bool insists)
{
	struct zsi_room *r = &pool->room;
	uint64_t pages = atomic_load_explicit(&pool->pages, memory_order_relaxed), waste = freeable_pages(pool);
	uint64_t freed = atomic_load_explicit(&r->freed, memory_order_relaxed);

	r->credit += MOVED_PER_FREED * (freed - r->counted);
	r->counted = freed;
	atomic_store_explicit(&r->much, waste > pages >> MUCH_SHIFT, memory_order_relaxed);
	if (r->credit == 0 || (waste <= (insists ? 0 : pages >> WORTH_SHIFT) && zsi_words_target(&pool->words) == 0))
		return false;
	if (!zsi_trylock(&pool->compact_lock, ZSI_RANK_COMPACT))
		return wait_for_other(pool);

	bool thorough = refused_in_row % INSISTS_THOROUGHLY == 0 || (flags & ZS_HEADROOM) != 0;
	uint64_t bytes = zsi_min(r->credit, ROOM_MOVED_BYTES);
	struct zsi_compact_budget budget = { .bytes = bytes,
					     .deadline_ns = UINT64_MAX,
					     .pages = ROOM_FREED_BYTES >> pool->space.page_shift,
					     .skip_little = !thorough,
					     .brief = !thorough,
					     .keep_reserve = true };
	uint64_t gained = zsi_compact_locked(pool, &budget);

	zsi_unlock(&pool->compact_lock, ZSI_RANK_COMPACT);
	zsi_budget_spend(&r->credit, bytes - budget.bytes);
	return gained > 0;
}

/* Bytes that the other threads' caches may hold now. */
static uint64_t caches_of_others(const struct zs_pool *pool)
{
	uint64_t granted = atomic_load_explicit(&pool->cache_granted, memory_order_relaxed), own = 0;
	struct zsi_cache *cache = zsi_current.cache;

	/* Others may be emptying all of them at this moment: then it is not looked at. */
	if (cache != NULL && atomic_load_explicit(&cache->pool, memory_order_relaxed) == pool) {
		if (zsi_cache_enter(cache))
			own = (uint64_t)cache->budget;
		zsi_cache_leave(cache);
	}
	return granted > own ? granted - own : 0;
}

/* One thread at a time. */
static bool look(struct zs_pool *pool, unsigned flags, bool may_compact, bool insists)
{
	struct zsi_room *r = &pool->room;
	bool thorough = refused_in_row % INSISTS_THOROUGHLY == 0 || (flags & ZS_HEADROOM) != 0;
	uint64_t now = progress(r);

	atomic_fetch_add_explicit(&r->looks, 1, memory_order_relaxed);
	/*
	 * What this thread has in its own it found already, but for slots that are too small, of which compaction
	 * makes pages.
	 */
	if (thorough || (now >= r->next_drain && caches_of_others(pool) > 0)) {
		r->next_drain = now + (held(pool) >> DRAIN_SHIFT);
		if (zsi_caches_drain(pool, NULL))
			return true;
	}
	uint64_t later = now + zsi_max(held(pool) >> LOOK_SHIFT, LOOK_FLOOR_BYTES);

	if ((flags & ZS_NOWAIT) == 0 && zsi_space_trim(&pool->space) > 0)
		return true;
	/* One who can't wait for readers leaves it to others to look. */
	if (may_compact && zsi_rcu_read_ongoing()) {
		if (!pool->lazy_pages || now < r->next_trim)
			return false;
		if (trim_tails(pool, ROOM_FREED_BYTES >> pool->space.page_shift) > 0)
			return true;
		r->next_trim = later;
		return false;
	}
	if (may_compact && compact(pool, flags, insists))
		return true;
	atomic_store_explicit(&r->next_look[may_compact], later, memory_order_relaxed);
	return false;
}

bool zsi_make_room(struct zs_pool *pool, size_t size, unsigned flags)
{
	struct zsi_room *r = &pool->room;
	bool may_compact = (flags & (ZS_NOWAIT | ZS_NO_COMPACT)) == 0;
	/* What replaces something must not fail for want of patience. */
	bool insists = ++refused_in_row % INSISTS == 0 || (flags & ZS_HEADROOM) != 0;
	bool result;

	/* What the pool keeps for reuse may have the wrong length. */
	if ((flags & ZS_NOWAIT) == 0 && zsi_space_reclaim(&pool->space, RECLAIM_BYTES >> pool->space.page_shift) > 0)
		return true;
	atomic_fetch_add_explicit(&r->asked, size, memory_order_relaxed);
	if (!insists && progress(r) < atomic_load_explicit(&r->next_look[may_compact], memory_order_relaxed))
		return false;
	/* acquire: pairs with the release below */
	if (atomic_exchange_explicit(&r->looking, 1, memory_order_acquire) != 0)
		return may_compact && !zsi_rcu_read_ongoing() && wait_for_other(pool);
	if (!atomic_load_explicit(&r->tight, memory_order_relaxed))
		begin(pool);
	result = look(pool, flags, may_compact, insists);
	/* release: pairs with the acquire above */
	atomic_store_explicit(&r->looking, 0, memory_order_release);
	return result;
}
