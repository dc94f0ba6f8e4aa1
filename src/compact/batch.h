/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * batch.h - what compaction has emptied or passed over since the last grace period, and the end of it. The caller holds
 * compact_lock.
 */
#ifndef ZSI_COMPACT_BATCH_H
#define ZSI_COMPACT_BATCH_H

#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_zspage;

/* Put a zspage at the head of a list of the batch. */
void zsi_batch_push(struct zs_pool *pool, uint32_t *list, struct zsi_zspage *z);

/* The pair that is worked on waits for the batch's end. The lock of its class is held. */
void zsi_batch_set_aside_pair(struct zs_pool *pool);

/* End a batch, this process's or one that a fork cut short. The caller holds compact_lock and no class's lock. */
void zsi_batch_end(struct zs_pool *pool);

#endif
