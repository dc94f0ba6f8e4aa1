/* SPDX-License-Identifier: BSD-3-Clause */
/* zspages.h - how a zspage begins and ends, and how it gives back the pages behind its last object. */
#ifndef ZSI_POOL_ZSPAGES_H
#define ZSI_POOL_ZSPAGES_H

#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_cuts;
struct zsi_zspage;

/*
 * Make a zspage without limbo slots tidy, where pages come as slots are used: its free list is made anew, the slots
 * behind the last one in use count as never used, and the pages behind it are noted in cuts, which has room for one
 * more: until they were given back no slot of the zspage may be given out. Returns the pages.
 */
unsigned zsi_zspages_trim_locked(struct zs_pool *pool, struct zsi_zspage *z, struct zsi_cuts *cuts);

/* A zspage with no slot in use, in no class yet; NULL with ENOMEM. No class lock is held. */
struct zsi_zspage *zsi_zspages_create(struct zs_pool *pool, unsigned position);

/*
 * Give a zspage's memory back. It is in no list and no count. The first leaves the pages with the space, which has to
 * be purged sooner or later; a caller's go back at once. No class lock is held, but where the pages are the arena's it
 * may be.
 */
void zsi_zspages_free(struct zs_pool *pool, struct zsi_zspage *z);
void zsi_zspages_release(struct zs_pool *pool, struct zsi_zspage *z);

#endif
