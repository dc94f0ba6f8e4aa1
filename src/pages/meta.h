/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * meta.h - memory for bookkeeping: run records and slot words.
 *
 * One reservation, filled from the bottom. Blocks are named by a 32-bit reference, the offset in units of 16 bytes, so
 * that they cost half a pointer where they are kept; reference 0 is none.
 *
 *   base                                       base + top        base + committed      base + reserved
 *    | block | free block | block | ...          |  untouched        |   inaccessible      |
 *
 * Free blocks are in lists by size: one for each number of units up to 64, then four a doubling. A request takes the
 * first block of the first list whose blocks are all large enough, and what is over goes back. Neighbours are not
 * joined when they are freed, which would need a word beside every block, but all at once when enough was freed: the
 * arrays of slot words of young zspages, outgrown side by side, become room for larger ones.
 *
 *   free_bytes = sum of the blocks in the lists
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
#define ZSI_META_LISTS 128u
#define ZSI_META_MAX_BYTES ((size_t)1 << 19)

struct zsi_meta {
	uint8_t *base;     /* immutable after init */
	uint64_t reserved; /* bytes; immutable after init */
	struct zsi_account *account;
	struct zsi_lock lock;
	uint64_t top;       /* bytes; Guarded by lock, as all that follows */
	uint64_t committed; /* bytes */
	uint64_t free_bytes;
	uint64_t join_at;                       /* free_bytes at which neighbours are joined next */
	uint32_t lists[ZSI_META_LISTS];         /* references of first blocks */
	uint64_t nonempty[ZSI_META_LISTS / 64]; /* bit: the list has a block */
};

/* 0, or -1 with ENOMEM and nothing to undo. */
int zsi_meta_init(struct zsi_meta *m, struct zsi_account *account, uint64_t reserve_bytes);
void zsi_meta_fini(struct zsi_meta *m);

/* A block of bytes (1 to ZSI_META_MAX_BYTES), 16-byte aligned, contents undefined; 0 and ENOMEM. */
uint32_t zsi_meta_alloc(struct zsi_meta *m, size_t bytes);

/* bytes as it was allocated with. Reference 0 is a no-op. */
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
