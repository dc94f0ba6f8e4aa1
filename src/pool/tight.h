/* SPDX-License-Identifier: BSD-3-Clause */
/* tight.h - whether a pool is short of memory, and which classes may have a free slot then. */
#ifndef ZSI_POOL_TIGHT_H
#define ZSI_POOL_TIGHT_H

#include <stdbool.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_room;

/* The first class from `position` on that may have a free slot; ZSI_MAX_CLASSES: none. */
unsigned zsi_tight_next_hole(const struct zsi_room *r, unsigned position);

/* Whether the pool was refused memory and is so near its limit that it will be again. */
bool zsi_tight_short(const struct zs_pool *pool);

/*
 * Whether a new page might be had: asking for it costs more than this. Where not, that counts as a refusal by the
 * limit.
 */
bool zsi_tight_page_in_sight(struct zs_pool *pool);

/* The allocation fails. What errno is to be. */
int zsi_tight_refused(struct zs_pool *pool, unsigned flags);

#endif
