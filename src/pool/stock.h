/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stock.h - slots that leave their class for a cache, and come back. An object in a cache is nobody's: its entry is
 * retired, and its slot counts as used.
 */
#ifndef ZSI_POOL_STOCK_H
#define ZSI_POOL_STOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_zspage;

/* A slot of the class for a cache, its entry retired. ZSI_NO_INDEX where one would cost anything. */
uint32_t zsi_stock_take_locked(struct zs_pool *pool, unsigned position);

/*
 * Take back the slot of a retired entry of the class, and the entry. A zspage that is empty then is the caller's: it is
 * pushed to *released, which goes to zsi_stock_release() once the class's lock is dropped. False: the entry is no such
 * one, because the object was freed twice, and nothing was done.
 */
bool zsi_stock_return_locked(struct zs_pool *pool, unsigned position, uint32_t index, struct zsi_zspage **released);
void zsi_stock_release(struct zs_pool *pool, struct zsi_zspage *list);

#endif
