/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * oldest.h - the blocks of a device that were not accessed for longest, in their order.
 *
 *   scanning   all blocks are looked at, and those that are older than the youngest here take its place: a heap with
 *              the youngest on top
 *   sorted     all were looked at: the oldest is next
 *
 * What is not here after a scan is younger than what is, and stays so: whoever accesses a block makes it younger. So a
 * block whose time is still the one noted is the oldest there is, however long ago the scan was. Blocks of one time,
 * which has eight ticks a second, are in the order of their numbers.
 */
#ifndef ZSI_ZRAM_OLDEST_H
#define ZSI_ZRAM_OLDEST_H

#include <stdbool.h>
#include <stdint.h>

struct zram;
struct zsi_stream;

struct zsi_old {
	uint64_t index;
	uint32_t time; /* of its last access, ticks */
};

struct zsi_oldest {
	struct zsi_old *at; /* room for `room`; n are there, those before next were taken */
	unsigned room, n, next;
	uint64_t scanned; /* up to this block; UINT64_MAX: all, and they are sorted */
};

/* Nothing is known of any block. */
void zsi_oldest_begin(struct zsi_oldest *o);

/* Look at some more blocks. True: there is nothing left to look at. */
bool zsi_oldest_scan(struct zram *z, struct zsi_stream *s, struct zsi_oldest *o);

/* The next one, after the scan; NULL: there are no more. */
const struct zsi_old *zsi_oldest_take(struct zsi_oldest *o);

/* Whether a block with this word can go from memory to a file. */
bool zsi_oldest_counts(uint64_t meta);

#endif
