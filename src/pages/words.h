/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * words.h - memory for the arrays of slot words: metadata that grows, shrinks and moves.
 *
 * One reservation, filled from the bottom. Blocks are named by a 32-bit reference, the offset in units of 16 bytes;
 * reference 0 is none. A free block has its length at both ends and is in a list of its size:
 *
 *   base                                             base + top            base + committed    base + reserved
 *    | block | free: next prev units ... units | block |   untouched         |   inaccessible    |
 *
 * Whether a neighbour of a block that is freed is free too, and where it begins, is in a map of one bit for each unit.
 * A page is one of the system's: of 4096 bytes it has four words, of larger ones more.
 *
 *   bit of a unit   it is the first or the last of a free block
 *   a page's first word has all bits: the page is absent. It lies inside a free block, whose ends it does not touch,
 *                   and its memory was given back; 64 free blocks of one unit can't be meant: neighbours are joined
 *
 *   free_bytes = sum of the blocks in the lists,  no two free blocks are neighbours
 *   charged to the account: the pages below top that are not absent, and the pages of the map below top
 *
 * Blocks don't move by themselves: whoever owns them (compaction) can ask for one below a reference, copy and free.
 */
#ifndef ZSI_PAGES_WORDS_H
#define ZSI_PAGES_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/account.h"
#include "base/lock.h"

#define ZSI_WORDS_UNIT_SHIFT 4
#define ZSI_WORDS_LISTS 128u
#define ZSI_WORDS_MAX_BYTES ((size_t)1 << 19)

struct zsi_words {
	uint8_t *base;       /* immutable after init */
	uint64_t *map;       /* immutable after init; what it points to: Guarded by lock */
	uint64_t reserved;   /* bytes; immutable after init */
	unsigned page_shift; /* of the system's page; immutable after init */
	struct zsi_account *account;
	struct zsi_lock lock;   /* rank META */
	uint64_t top;           /* bytes; Guarded by lock, as all that follows */
	uint64_t committed;     /* bytes */
	uint64_t map_committed; /* bytes */
	uint64_t free_bytes;
	uint64_t absent_bytes;
	uint32_t cursor; /* where zsi_words_alloc_below() goes on: a unit that is not inside a free block */
	uint32_t lists[ZSI_WORDS_LISTS];         /* references of first blocks */
	uint64_t nonempty[ZSI_WORDS_LISTS / 64]; /* bit: the list has a block */
};

/* 0, or -1 with ENOMEM and nothing to undo. */
int zsi_words_init(struct zsi_words *w, struct zsi_account *account, uint64_t reserve_bytes);
void zsi_words_fini(struct zsi_words *w);

/* A block of bytes (1 to ZSI_WORDS_MAX_BYTES), 16-byte aligned, contents undefined; 0 and ENOMEM. */
uint32_t zsi_words_alloc(struct zsi_words *w, size_t bytes);

/*
 * The same out of what is free below a reference, from the bottom up, going on where the last call ended;
 * zsi_words_target() starts it anew. 0: there is none, or ENOMEM.
 */
uint32_t zsi_words_alloc_below(struct zsi_words *w, size_t bytes, uint32_t below);

/* bytes as it was allocated with. Reference 0 is a no-op. */
void zsi_words_free(struct zsi_words *w, uint32_t ref, size_t bytes);

/*
 * Begin to move blocks together: where all of them would end, with a little to spare, if they were moved together; 0
 * where that would not give back enough to be worth it.
 */
uint32_t zsi_words_target(struct zsi_words *w);

/* Give the memory inside free blocks back. */
void zsi_words_trim(struct zsi_words *w);

/* Compare lists, map and counts: true when they agree. Takes the lock. */
bool zsi_words_validate(struct zsi_words *w);

static inline void *zsi_words_ptr(const struct zsi_words *w, uint32_t ref)
{
	return w->base + ((uint64_t)ref << ZSI_WORDS_UNIT_SHIFT);
}

#endif
