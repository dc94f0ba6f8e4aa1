/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.h - the block table: 16 bytes a block, there only where blocks are used.
 *
 * Address space is reserved for all blocks. A chunk is one page of the table (of the system's page size, at least 4 KiB:
 * 256 blocks); it is taken when the first of its blocks is used, and given back when none is.
 *
 *   chunks[c] = PRESENT? | number of blocks of chunk c that are USED        0: reads as holes, and is not touched
 *
 * A block's word, meta, from bit 0:
 *
 *   size 17 | lock 1 | flags 8 | priority 2 | dictionary 3 | touched 1 | access time 32
 *
 * size is that of the stored object, and 0 where there is none. The lock bit guards handle and the rest of meta; whoever
 * holds it is the only one who writes the word, and releases it by writing the new word. `handle` is, by flags:
 *
 *   SAME          the machine word that the block is full of; ZERO as well where that is 0
 *   WB            where the block is in the backing file
 *   else USED     the pool's handle of the object
 *   not USED      0
 *
 * With checksums a second array has 4 bytes a block, and chunks are four times as long so that both fill pages.
 *
 * Giving a chunk back while somebody is about to lock one of its blocks would lose that lock. So it happens only while
 * the device's gate is closed (gate.h); until then empty chunks wait in a list.
 */
#ifndef ZSI_ZRAM_TABLE_H
#define ZSI_ZRAM_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"

#define ZSI_SIZE_MASK 0x1ffffull
#define ZSI_LOCK (1ull << 17)
#define ZSI_USED (1ull << 18)           /* something is stored */
#define ZSI_SAME (1ull << 19)           /* one machine word over and over */
#define ZSI_ZERO (1ull << 20)           /* SAME, and the word is 0 */
#define ZSI_HUGE (1ull << 21)           /* stored as it is */
#define ZSI_WB (1ull << 22)             /* in the backing file */
#define ZSI_IDLE (1ull << 23)           /* not accessed since it was marked */
#define ZSI_INCOMPRESSIBLE (1ull << 24) /* no algorithm shrinks it */
#define ZSI_PP (1ull << 25)             /* chosen for recompression or writeback, not accessed since */
#define ZSI_PRIORITY_SHIFT 26           /* which of the device's algorithms compressed it */
#define ZSI_PRIORITY_MASK (3ull << ZSI_PRIORITY_SHIFT)
#define ZSI_DICT_SHIFT 28 /* which trained dictionary it needs; 0: none */
#define ZSI_DICT_MASK (7ull << ZSI_DICT_SHIFT)
#define ZSI_TOUCHED (1ull << 31) /* saved, or written since the moment of the save under way: see save.h */
#define ZSI_TIME_SHIFT 32        /* of the last access, in ticks of zsi_tick_now() */

struct zsi_block {
	uint64_t handle; /* Guarded by the lock bit */
	_Atomic uint64_t meta;
};

_Static_assert(sizeof(struct zsi_block) == 16, "16 bytes a block");

#define ZSI_CHUNK_PRESENT (1u << 31)
#define ZSI_CHUNKS_PENDING 64u

struct zram;

struct zsi_table {
	/* Immutable while the device is initialised. */
	struct zsi_block *blocks;
	_Atomic uint32_t *chunks;
	uint32_t *sums;            /* NULL: no checksums. An entry is guarded by its block's lock bit */
	_Atomic uint64_t *touched; /* bit: page of chunks[] was written, and is charged. Set under lock */
	uint64_t nr_blocks;
	uint64_t nr_chunks;
	unsigned chunk_shift;                          /* log2 of the blocks in a chunk */
	unsigned directory_shift;                      /* log2 of the chunks in a page of chunks[] */
	size_t chunk_bytes;                            /* of both arrays together */
	size_t blocks_bytes, chunks_bytes, sums_bytes; /* reserved */

	struct zsi_lock lock;                 /* rank TABLE */
	uint64_t granule;                     /* bytes of blocks[] that are made accessible at once; as above */
	uint64_t *accessible;                 /* bit: granule is. Guarded by lock, as all that follows */
	uint64_t pending[ZSI_CHUNKS_PENDING]; /* chunks that became empty; some may be in use again */
	_Atomic unsigned nr_pending;          /* ZSI_CHUNKS_PENDING + 1: there were more, look at all */
};

/*
 * A table for nr_blocks blocks. 0, or -1 with ENOMEM and nothing to undo. fini gives all of it back, and uncharges it;
 * nobody uses it.
 */
int zsi_table_init(struct zram *z, uint64_t nr_blocks, bool sums);
void zsi_table_fini(struct zram *z);

/* Whether the page of chunks[] with this chunk was written. If not it must not be read: that alone would cost memory. */
static inline bool zsi_table_touched(const struct zsi_table *t, uint64_t chunk)
{
	uint64_t page = chunk >> t->directory_shift;

	/* acquire: pairs with the release in zsi_table_make() */
	return (atomic_load_explicit(&t->touched[page / 64], memory_order_acquire) >> (page % 64) & 1) != 0;
}

/* Whether the chunk of a block is there. If not, the block is a hole and must not be touched. */
static inline bool zsi_table_has(const struct zsi_table *t, uint64_t index)
{
	if (!zsi_table_touched(t, index >> t->chunk_shift))
		return false;
	/* acquire: pairs with the release in zsi_table_make() */
	return (atomic_load_explicit(&t->chunks[index >> t->chunk_shift], memory_order_acquire) & ZSI_CHUNK_PRESENT) !=
	       0;
}

/*
 * The block after a hole that is known to be one since its chunk is not there: the first of the next chunk that is there,
 * or nr_blocks. What it looks at grows with what is stored; of the rest of the table it is a bit for each 2^18 blocks.
 */
uint64_t zsi_table_hole_end(const struct zsi_table *t, uint64_t index);

/* What the first block in use takes of the table. */
uint64_t zsi_table_first_bytes(const struct zsi_table *t);

/* Make sure that it is: 0, or -1 with ENOMEM. The caller holds a stream and no block. */
int zsi_table_make(struct zram *z, uint64_t index);

/* A block of a chunk that is there became used, or is no longer. The caller holds its lock bit, and a stream. */
void zsi_table_used(struct zram *z, uint64_t index);
void zsi_table_unused(struct zram *z, uint64_t index);

/* The chunk was made for a block that then was not stored. */
void zsi_table_check_empty(struct zram *z, uint64_t index);

/* Give empty chunks back. The gate is closed. */
void zsi_table_trim_frozen(struct zram *z);

#endif
