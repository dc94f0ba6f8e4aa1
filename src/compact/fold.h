/* SPDX-License-Identifier: BSD-3-Clause */
/* fold.h - the last page of a class, folded into larger classes. */
#ifndef ZSI_COMPACT_FOLD_H
#define ZSI_COMPACT_FOLD_H

#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_compact_budget;

/* The last page of a class, into larger classes. Returns the pages of a zspage that is empty now. */
uint64_t zsi_fold_class(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget);

#endif
