/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compact.h - what the steps of compaction share: the budget, and the batch's source and destination (compact.c empties
 * sparse zspages, pack.c gathers what is left over, batch.c ends a batch). The caller holds compact_lock and, where a
 * function moves objects, the lock of the batch's class.
 */
#ifndef ZSI_ZSMALLOC_COMPACT_H
#define ZSI_ZSMALLOC_COMPACT_H

#include <stdbool.h>
#include <stdint.h>

#include "pool/pool.h"

/* Bytes moved under one hold of the class's lock: about ten microseconds of copying. */
#define ZSI_HOLD_BYTES ((uint64_t)24 << 10)

/* Objects moved between two looks at the clock. */
#define ZSI_CLOCK_EVERY 16u

bool zsi_budget_exhausted(const struct zsi_compact_budget *budget);

static inline void zsi_spend(uint64_t *budget, uint64_t amount)
{
	*budget = amount < *budget ? *budget - amount : 0;
}

/* Bytes moved in a batch until it ends. */
uint64_t zsi_batch_bytes(const struct zs_pool *pool);

/* Take a zspage, if there is one, out of its class's lists. */
struct zsi_zspage *zsi_isolate_locked(struct zs_pool *pool, struct zsi_zspage *z);

/*
 * Move from the batch's source to its destination until one is done with, the batch is full, the lock was held long
 * enough or the budget is spent. only_holes: into free slots between objects, so that the destination does not grow.
 * False: no memory for a page of the destination.
 */
bool zsi_batch_move(struct zs_pool *pool, struct zsi_compact_budget *budget, bool only_holes);

/* After a move: what becomes of the source and of the destination. Returns the pages of an emptied source. */
uint64_t zsi_batch_sort_out(struct zs_pool *pool, bool only_holes);

/* End the batch with the class's lock, which is held, dropped meanwhile. */
void zsi_batch_end_between(struct zs_pool *pool, struct zsi_class *c);

/*
 * Rounds that are enough for a class, each of which ends with a zspage empty or full, a batch or a hold; unless others
 * keep making work.
 */
uint64_t zsi_enough_rounds(const struct zs_pool *pool, unsigned position);

/* --- pack.c --- */

/* Gather what is left over in a class. Returns the pages of zspages that are empty now. */
uint64_t zsi_class_pack(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget);

#endif
