/* SPDX-License-Identifier: BSD-3-Clause */
/* shrink.h - the background threads and fork(). */
#ifndef ZSI_COMPACT_SHRINK_H
#define ZSI_COMPACT_SHRINK_H

#include <zsmalloc/zsmalloc.h>

struct zs_pool;

/* In a child after fork: the threads are gone. And: start them again, if they were lost. */
void zsi_shrinker_reset_after_fork(struct zs_pool *pool);
void zsi_shrinker_revive(struct zs_pool *pool);

#endif
