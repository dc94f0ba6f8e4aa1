/* SPDX-License-Identifier: BSD-3-Clause */
/* borrow.h - objects in slots of larger classes: where it pays, and where no new page is to be had. */
#ifndef ZSI_ZSMALLOC_BORROW_H
#define ZSI_ZSMALLOC_BORROW_H

#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_cache;

/*
 * A slot of a larger class that needs no new page and is worth taking, in the name of entry `index`; 0: none. The lock
 * of the object's own class is held.
 */
zs_handle zsi_borrow_locked(struct zs_pool *pool, unsigned position, uint32_t index, size_t size);

zs_handle zsi_borrow_any(struct zs_pool *pool, struct zsi_cache *cache, unsigned position, size_t size);

#endif
