/* SPDX-License-Identifier: BSD-3-Clause */
/* scattered.h - reading objects of pools whose pages may lie apart. */
#ifndef ZSI_ZSMALLOC_SCATTERED_H
#define ZSI_ZSMALLOC_SCATTERED_H

#include <stdint.h>

struct zs_pool;

/*
 * Where the object of an entry is: in place if it is in one piece, else copied to local_copy, a page; NULL with
 * EINVAL: it needs a copy, and there is none. In a read section.
 */
const void *zsi_read_scattered(const struct zs_pool *pool, uint64_t entry, void *local_copy);

#endif
