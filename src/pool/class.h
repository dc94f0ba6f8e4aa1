/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * class.h - a size class's lists of zspages and its counts. The caller holds the class's lock, but where it says not.
 */
#ifndef ZSI_POOL_CLASS_H
#define ZSI_POOL_CLASS_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_class;
struct zsi_zspage;

/* Put a zspage at the head of the list of its fullness group; take it out of its list. */
void zsi_class_list_locked(struct zs_pool *pool, struct zsi_zspage *z);
void zsi_class_unlist_locked(struct zs_pool *pool, struct zsi_zspage *z);

/* Count the zspage under the group of its inuse; move it between lists where it is listed. */
void zsi_class_regroup_locked(struct zs_pool *pool, struct zsi_zspage *z);

/* Whether the class has more free slots, on pages that it has, than its partly filled page explains. */
bool zsi_class_has_plenty_locked(const struct zs_pool *pool, unsigned position);

/* The first class from `position` on that seems to have; nr_classes: none. No lock is needed. */
unsigned zsi_class_next_lender(const struct zs_pool *pool, unsigned position);

/* First zspage of the highest (or lowest) group between 1 and 10 that has one; NULL: none. */
struct zsi_zspage *zsi_class_fullest_locked(struct zs_pool *pool, unsigned position);
struct zsi_zspage *zsi_class_sparsest_locked(struct zs_pool *pool, unsigned position);

/* Add a new zspage to, and remove an empty one from, the class's counts. */
void zsi_class_add_locked(struct zs_pool *pool, struct zsi_zspage *z);
void zsi_class_remove_locked(struct zs_pool *pool, struct zsi_zspage *z);

/* Pages that compacting the class could free, after it got back `cached` objects from caches. */
uint64_t zsi_class_freeable_locked(const struct zs_pool *pool, unsigned position, uint64_t cached);

/* The class has so many pages more, or fewer. */
void zsi_class_count_pages_locked(struct zs_pool *pool, struct zsi_class *c, int64_t pages);

#endif
