/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.h - the block table: 16 bytes a block, there only where blocks are used.
 *
 * Address space is reserved for all blocks. A chunk is one page of the table (of the system's page size, at least 4
 * KiB: 256 blocks); it is taken when the first of its blocks is used, and given back when none is.
 *
 *   chunks[c] = PRESENT? | number of blocks of chunk c that are USED        0: reads as holes, and is not touched
 *
 * A block's word, meta, from bit 0:
 *
 *   size 17 | lock 1 | flags 8 | priority 2 | dictionary 3 | touched 1 | access time 32
 *
 * size is that of the stored object, and 0 where there is none. The lock bit guards handle and the rest of meta;
 * whoever holds it is the only one who writes the word, and releases it by writing the new word. `handle` is, by
 * flags:
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
#ifndef ZSI_DEVICE_TABLE_H
#define ZSI_DEVICE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "device/layout.h"

struct zram;

/*
 * A table for nr_blocks blocks. 0, or -1 with ENOMEM and nothing to undo. fini gives all of it back, and uncharges it;
 * nobody uses it.
 */
int zsi_table_init(struct zram *z, uint64_t nr_blocks, bool sums);
void zsi_table_fini(struct zram *z);

/*
 * Whether the page of chunks[] with this chunk was written. If not it must not be read: that alone would cost memory.
 */
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
 * The block after a hole that is known to be one since its chunk is not there: the first of the next chunk that is
 * there, or nr_blocks. What it looks at grows with what is stored; of the rest of the table it is a bit for each 2^18
 * blocks.
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
