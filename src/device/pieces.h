/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pieces.h - many blocks written to the backing file together.
 *
 *   piece   what one block is in the file: some bytes, and zeros up to the end of the last unit
 *   run     pieces that lie side by side in the file, and in memory: one write
 *
 * Several runs are under way at the same time where there is a ring (ring.h). A run of several pieces that fails, or
 * that was not written to its end, is gone through once more piece by piece: so errors are those of single pieces.
 */
#ifndef ZSI_DEVICE_PIECES_H
#define ZSI_DEVICE_PIECES_H

#include <stddef.h>
#include <stdint.h>

struct zram;
struct zsi_ring;
struct zsi_run;

struct zsi_piece {
	uint64_t unit;
	uint8_t *data; /* whole units of it are the piece's */
	size_t bytes;
	int error; /* errno; 0: written; ECANCELED: not tried, since there is no more room where the file is */
};

/* Write n pieces; each has its error then. runs: room for n. *ring is opened when it is needed. */
void zsi_pieces_write(struct zram *z, struct zsi_ring **ring, struct zsi_piece *pieces, struct zsi_run *runs,
		      unsigned n);

#endif
