/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pair.h - a source and a destination of one class, and moving objects from the one to the other. The caller holds
 * compact_lock and the class's lock.
 */
#ifndef ZSI_COMPACT_PAIR_H
#define ZSI_COMPACT_PAIR_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_class;
struct zsi_compact_budget;
struct zsi_zspage;

/* Bytes moved in a batch until it ends. */
uint64_t zsi_pair_batch_bytes(const struct zs_pool *pool);

/* Take a zspage, if there is one, out of its class's lists. */
struct zsi_zspage *zsi_pair_isolate_locked(struct zs_pool *pool, struct zsi_zspage *z);

/*
 * Move from the batch's source to its destination until one is done with, the batch is full, the lock was held long
 * enough or the budget is spent. only_holes: into free slots between objects, so that the destination does not grow.
 * False: no memory for a page of the destination.
 */
bool zsi_pair_move(struct zs_pool *pool, struct zsi_compact_budget *budget, bool only_holes);

/* After a move: what becomes of the source and of the destination. Returns the pages of an emptied source. */
uint64_t zsi_pair_sort_out(struct zs_pool *pool, bool only_holes);

/* End the batch with the class's lock, which is held, dropped meanwhile. */
void zsi_pair_end_batch_between(struct zs_pool *pool, struct zsi_class *c);

/*
 * Rounds that are enough for a class, each of which ends with a zspage empty or full, a batch or a hold; unless others
 * keep making work.
 */
uint64_t zsi_pair_enough_rounds(const struct zs_pool *pool, unsigned position);

#endif
