/* SPDX-License-Identifier: BSD-3-Clause */
/* empty.h - sparse zspages of a class, emptied into fuller ones. */
#ifndef ZSI_COMPACT_EMPTY_H
#define ZSI_COMPACT_EMPTY_H

#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_compact_budget;

/* Empty the sparse zspages of a class into the fuller ones. Returns the pages of those that are empty now. */
uint64_t zsi_empty_class(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget);

#endif
