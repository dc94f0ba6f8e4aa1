/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * meta.h - memory for bookkeeping: run records and slot words.
 *
 * One reservation, filled from the bottom. Blocks are named by a 32-bit reference, the offset in units of 16 bytes, so
 * that they cost half a pointer where they are kept; reference 0 is none. A freed block goes to a list of its bucket
 * and is reused by the next block of that bucket. Sizes up to 1 KiB have a bucket every 16 bytes, larger ones four
 * a doubling.
 *
 *   base                                       base + top        base + committed      base + reserved
 *    | block | free block | block | ...          |  untouched        |   inaccessible      |
 *
 * Charged to the account: top, rounded up to the system's pages.
 */
#ifndef ZSI_PAGES_META_H
#define ZSI_PAGES_META_H

#include <stddef.h>
#include <stdint.h>

#include "base/account.h"
#include "base/lock.h"

#define ZSI_META_UNIT_SHIFT 4
#define ZSI_META_BUCKETS 112
#define ZSI_META_MAX_BYTES ((size_t)1 << 19)

struct zsi_meta {
	uint8_t *base;     /* immutable after init */
	uint64_t reserved; /* bytes; immutable after init */
	struct zsi_account *account;
	struct zsi_lock lock;
	uint64_t top;       /* bytes; Guarded by lock */
	uint64_t committed; /* bytes; Guarded by lock */
	uint64_t free_bytes; /* in the lists; Guarded by lock */
	uint32_t free[ZSI_META_BUCKETS]; /* references; Guarded by lock */
};

/* 0, or -1 with ENOMEM and nothing to undo. */
int zsi_meta_init(struct zsi_meta *m, struct zsi_account *account, uint64_t reserve_bytes);
void zsi_meta_fini(struct zsi_meta *m);

/* A block of at least bytes (up to ZSI_META_MAX_BYTES), 16-byte aligned, contents undefined; 0 and ENOMEM. */
uint32_t zsi_meta_alloc(struct zsi_meta *m, size_t bytes);

/* bytes as it was allocated with. */
void zsi_meta_free(struct zsi_meta *m, uint32_t ref, size_t bytes);

static inline void *zsi_meta_ptr(const struct zsi_meta *m, uint32_t ref)
{
	return m->base + ((uint64_t)ref << ZSI_META_UNIT_SHIFT);
}

static inline uint32_t zsi_meta_ref(const struct zsi_meta *m, const void *ptr)
{
	return (uint32_t)((uint64_t)((const uint8_t *)ptr - m->base) >> ZSI_META_UNIT_SHIFT);
}

#endif
