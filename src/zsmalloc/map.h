/* SPDX-License-Identifier: BSD-3-Clause */
/* map.h - what this thread has mapped. */
#ifndef ZSI_ZSMALLOC_MAP_H
#define ZSI_ZSMALLOC_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;

/* What this thread has mapped, of all pools; NULL: nothing. */
extern _Thread_local struct zsi_mapping *zsi_mappings;

/* Whether this thread has the object mapped, in any mode or as a writer. */
bool zsi_mapped_here(const struct zs_pool *pool, zs_handle handle, bool as_writer);

/* The child's only thread keeps what it had mapped: map.c tells whether an entry is locked by it. */
bool zsi_mapped_index_here(const struct zs_pool *pool, uint32_t index);

#endif
