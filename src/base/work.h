/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * work.h - working memory that goes back to the system when it is freed.
 *
 * A compression context is taken by one thread, used for a while and freed by another. malloc would keep what it took
 * in the arena of the first thread. So a large piece is a mapping of its own, of whole system pages; a small one is
 * malloc's.
 *
 *   piece = [ head, ZSI_CACHE_LINE bytes | the caller's bytes, aligned to ZSI_CACHE_LINE ]
 */
#ifndef ZSI_BASE_WORK_H
#define ZSI_BASE_WORK_H

#include <stddef.h>

/* Pieces of so many bytes or more are mappings: below, rounding up to pages would waste more than malloc keeps. */
#define ZSI_WORK_MAP_BYTES ((size_t)32 << 10)

/* NULL with ENOMEM. The contents are undefined. */
void *zsi_work_alloc(size_t bytes);
void zsi_work_free(void *p); /* NULL is a no-op */

/* What a piece takes in all: head and rounding are in it. 0 for NULL. */
size_t zsi_work_bytes(const void *p);

#endif
