/* SPDX-License-Identifier: BSD-3-Clause */
/* pack.h - what is left over in a class, gathered in one zspage. */
#ifndef ZSI_COMPACT_PACK_H
#define ZSI_COMPACT_PACK_H

#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_compact_budget;

/* Gather what is left over in a class. Returns the pages of zspages that are empty now. */
uint64_t zsi_pack_class(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget);

#endif
