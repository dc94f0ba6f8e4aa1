/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * batch.h - some blocks on their way to the backing file.
 *
 * A block is copied and marked (ZSI_CHOSEN), written without its lock, and replaced if the mark is still there: whoever
 * reads or writes it meanwhile takes the mark away, and it stays in memory. The mark does not say whose it is, so there
 * is one batch at a time: z->batch_lock is held from the first block that is taken until all are written or dropped,
 * and so is one stream.
 *
 *   n <= room <= writeback_batch_size;  with room 1 the copy is in the stream's buffer, and no memory is needed
 */
#ifndef ZSI_ZRAM_BATCH_H
#define ZSI_ZRAM_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "device/pieces.h"
#include "device/ring.h"

struct zram;
struct zsi_stream;

struct zsi_batched {
	uint64_t index;
	uint64_t handle;
	uint64_t meta;    /* it had when it was marked */
	uint64_t to_meta; /* it will have in the file, without its time */
	uint32_t sum;     /* and the checksum */
};

/* What one needs that has room for so many. */
struct zsi_batch {
	unsigned room, n;
	size_t used;                /* bytes of data */
	uint8_t *data;              /* NULL: the stream's */
	struct zsi_batched *blocks; /* these three have `room` elements */
	struct zsi_piece *pieces;
	struct zsi_run *runs;
	void *memory;   /* that they are in; NULL: in the next three */
	uint64_t bytes; /* of memory, charged */
	struct zsi_batched one_block;
	struct zsi_piece one_piece;
	struct zsi_run one_run;
	struct zsi_ring *ring; /* NULL: none, or none yet */
	int error;             /* errno of the last block that could not be read or written; 0: none */
	uint64_t gone;         /* bytes of objects that are in the file now. The user's to set to 0, as error */
};

/* For as many blocks as writeback_batch_size says, within `most` bytes and the memory there is; one at least. */
void zsi_batch_open(struct zram *z, struct zsi_batch *b, uint64_t most);
void zsi_batch_close(struct zram *z, struct zsi_batch *b);

/* Add a locked block, whose word is meta, to a batch that is not full. The word to unlock it with. */
uint64_t zsi_batch_take(struct zram *z, struct zsi_stream *s, struct zsi_batch *b, uint64_t index, uint64_t meta);

/*
 * Write all of them, and empty the batch. -1: there is no point in going on. ENOSPC the file or its disk is full,
 * EDQUOT the same by quota, EIO writeback_limit is used up, ENODEV there is no file any more.
 */
int zsi_batch_write(struct zram *z, struct zsi_stream *s, struct zsi_batch *b);

#endif
