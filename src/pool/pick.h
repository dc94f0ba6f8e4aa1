/* SPDX-License-Identifier: BSD-3-Clause */
/* pick.h - which zspage of a class the next object goes to. The caller holds the class's lock. */
#ifndef ZSI_POOL_PICK_H
#define ZSI_POOL_PICK_H

#include <stdbool.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_zspage;

/*
 * A zspage of the class with a free slot that costs nothing: its page is there, and its slot word. NULL: none at hand.
 */
struct zsi_zspage *zsi_pick_costless_locked(struct zs_pool *pool, unsigned position);

/* The zspage to allocate from: the fullest, but rather one that needs no new page. NULL: all are full. */
struct zsi_zspage *zsi_pick_locked(struct zs_pool *pool, unsigned position);

/* Whether the next slot of z would need a page that isn't there. */
bool zsi_pick_needs_page(const struct zs_pool *pool, const struct zsi_zspage *z);

/*
 * A zspage with a free slot whose page is there, of all of the class: when there is no memory for a new page. NULL:
 * none.
 */
struct zsi_zspage *zsi_pick_any_locked(struct zs_pool *pool, unsigned position);

#endif
