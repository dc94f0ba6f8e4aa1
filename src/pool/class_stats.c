/* SPDX-License-Identifier: BSD-3-Clause */
/* class_stats.c - a class's counts, with those of the threads' caches taken off. */
#include "pool/class_stats.h"

#include <string.h>

#include "base/lock.h"
#include "pool/cache.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/zspage.h"

static void lock_class(struct zs_pool *pool, unsigned position)
{
	zsi_caches_lock();
	zsi_lock(&pool->classes[position].lock, ZSI_RANK_CLASS);
}

static void unlock_class(struct zs_pool *pool, unsigned position)
{
	zsi_unlock(&pool->classes[position].lock, ZSI_RANK_CLASS);
	zsi_caches_unlock();
}

static void class_stats_locked(const struct zs_pool *pool, unsigned position, struct zsi_class_stats *out)
{
	const struct zsi_size_class *sc = &pool->geometry.classes[position];
	const struct zsi_class *c = &pool->classes[position];
	uint64_t cached;
	int64_t requested;

	zsi_caches_count_locked(pool, position, &cached, &requested);

	out->zspages = c->zspages;
	out->allocated = (uint64_t)c->zspages * sc->objs;
	out->used = c->used - cached;
	out->requested = c->requested + (uint64_t)requested;
	out->pages = c->pages;
	out->freeable = zsi_class_freeable_locked(pool, position, cached);
	out->almost_empty = out->almost_full = 0;
	memcpy(out->by_group, c->counts, sizeof(out->by_group));
}

void zsi_class_stats(struct zs_pool *pool, unsigned position, struct zsi_class_stats *out)
{
	lock_class(pool, position);
	class_stats_locked(pool, position, out);
	unlock_class(pool, position);
}

void zsi_class_stats_walk(struct zs_pool *pool, unsigned position, struct zsi_class_stats *out)
{
	const struct zsi_size_class *sc = &pool->geometry.classes[position];
	const struct zsi_class *c = &pool->classes[position];

	lock_class(pool, position);
	class_stats_locked(pool, position, out);
	for (unsigned group = 1; group < ZSI_GROUP_FULL; group++) {
		for (const struct zsi_zspage *z = zsi_zspage_ptr(pool, c->heads[group - 1]); z != NULL;
		     z = zsi_zspage_ptr(pool, z->next)) {
			/* n of N slots in use: almost empty up to a quarter, then almost full. */
			if (z->inuse <= sc->objs / 4)
				out->almost_empty++;
			else
				out->almost_full++;
		}
	}
	unlock_class(pool, position);
}
