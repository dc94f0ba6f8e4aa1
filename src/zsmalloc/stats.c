/* SPDX-License-Identifier: BSD-3-Clause */
/* stats.c - the pool's numbers, as structs. print.c turns them into text. */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "pool/class_stats.h"
#include "pool/geometry.h"
#include "pool/pool.h"

/* The struct of version 0.1, which callers that set no size have. */
#define FIRST_VERSION_BYTES (offsetof(struct zs_pool_stats, limit_hits) + sizeof(unsigned long))

void zs_pool_stats(struct zs_pool *pool, struct zs_pool_stats *stats)
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;
	size_t room = stats->struct_size != 0 ? stats->struct_size : FIRST_VERSION_BYTES;

	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		struct zsi_class_stats cs;

		zsi_class_stats(pool, i, &cs);
		s.zspages += cs.zspages;
		s.obj_allocated += cs.allocated;
		s.obj_used += cs.used;
		s.bytes_requested += cs.requested;
		s.pages_used += cs.pages;
		s.freeable_pages += cs.freeable;
	}
	s.struct_size = stats->struct_size;
	s.pages_compacted = atomic_load_explicit(&pool->pages_compacted, memory_order_relaxed);
	s.bytes_total = atomic_load_explicit(&pool->account.used, memory_order_relaxed);
	s.bytes_metadata = atomic_load_explicit(&pool->account.metadata, memory_order_relaxed);
	s.limit_bytes = atomic_load_explicit(&pool->account.limit, memory_order_relaxed);
	s.objs_moved = atomic_load_explicit(&pool->objs_moved, memory_order_relaxed);
	s.limit_hits = atomic_load_explicit(&pool->account.hits, memory_order_relaxed);
	s.pressure_events = atomic_load_explicit(&pool->shrinker.pressure_events, memory_order_relaxed);
	s.shrinker_runs = atomic_load_explicit(&pool->shrinker.runs, memory_order_relaxed);
	s.pressure_armed = atomic_load_explicit(&pool->shrinker.watch, memory_order_relaxed) == ZSI_WATCH_ARMED;
	s.limit_refusals = atomic_load_explicit(&pool->room.limit_refusals, memory_order_relaxed);
	s.other_refusals = atomic_load_explicit(&pool->room.other_refusals, memory_order_relaxed);
	memcpy(stats, &s, zsi_min(room, sizeof(s)));
}

int zs_get_class_info(struct zs_pool *pool, unsigned index, struct zs_class_info *info)
{
	struct zs_class_info i = ZS_CLASS_INFO_INIT;
	struct zsi_class_stats cs;
	unsigned position = 0;

	if (info->struct_size < sizeof(info->struct_size)) {
		errno = EINVAL;
		return -1;
	}
	while (position < pool->geometry.nr_classes && pool->geometry.classes[position].index < index)
		position++;
	if (position == pool->geometry.nr_classes) {
		errno = ENOENT;
		return -1;
	}
	const struct zsi_size_class *sc = &pool->geometry.classes[position];

	zsi_class_stats(pool, position, &cs);
	i.struct_size = info->struct_size;
	i.index = sc->index;
	i.size = sc->size;
	i.min_request = sc->min_request;
	i.max_request = sc->max_request;
	i.pages_per_zspage = sc->pages;
	i.objs_per_zspage = sc->objs;
	i.zspages = cs.zspages;
	i.obj_allocated = cs.allocated;
	i.obj_used = cs.used;
	i.pages_used = cs.pages;
	i.freeable_pages = cs.freeable;
	i.bytes_requested = cs.requested;
	memcpy(info, &i, zsi_min(info->struct_size, sizeof(i)));
	return 0;
}
