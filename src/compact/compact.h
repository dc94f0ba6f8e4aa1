/* SPDX-License-Identifier: BSD-3-Clause */
/* compact.h - compaction as a whole: the order of its steps (empty.h, pack.h, fold.h), within a budget. */
#ifndef ZSI_COMPACT_COMPACT_H
#define ZSI_COMPACT_COMPACT_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_compact_budget;

/* Empty the caches, take compact_lock, compact within the budget. Pages freed. */
unsigned long zsi_compact(struct zs_pool *pool, struct zsi_compact_budget *budget);

/* Compact within the budget. The caller holds compact_lock and is in no read section. Returns pages freed. */
uint64_t zsi_compact_locked(struct zs_pool *pool, struct zsi_compact_budget *budget);

/*
 * What a whole compaction ends with: give back memory of slot words. False: the time was not enough, and more is to
 * do.
 */
bool zsi_compact_words(struct zs_pool *pool, uint64_t deadline_ns);

#endif
