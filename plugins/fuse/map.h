/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * map.h - which blocks of a file there are, and where on the device.
 *
 * The first 64 blocks of a file are in seven chunks, each as large as all before it:
 *
 *   block    0  1  2 3  4 ... 7  8 ... 15  16 ... 31  32 ... 63
 *   first[]  0  1  2    3        4         5          6
 *
 * Behind them a file has parts of 256 blocks, each a chunk of its own, in an array by their index. A bit a block says
 * whether it is present. A chunk with no block present is given back.
 *
 *   a block that is not present reads as zeros, and the device has nothing at its address
 *   blocks == the number of bits that are set
 *
 * Numbers of blocks are of the device's blocks. Who changes a map holds the file's lock exclusive; who looks at it,
 * shared.
 */
#ifndef ZS_FUSE_MAP_H
#define ZS_FUSE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "space.h"

enum {
	MAP_FIRST = 7,         /* chunks */
	MAP_FIRST_BLOCKS = 64, /* in them */
};

struct map_part {
	uint64_t index; /* its first block is index * SPACE_SEGMENT */
	uint32_t at;    /* on the device; never 0 */
	uint64_t present[SPACE_SEGMENT / 64];
};

struct map {
	uint64_t blocks;
	uint64_t present; /* of the first blocks */
	uint32_t first[MAP_FIRST];
	uint32_t count; /* of parts; there is room for the next power of two */
	struct map_part *parts;
};

/* Blocks side by side in the file and on the device, all in one word of bits. */
struct map_run {
	uint64_t block;    /* of the file */
	uint32_t at;       /* on the device; 0: no chunk is there */
	uint32_t count;    /* blocks from there on, at most what was asked for */
	uint64_t *present; /* the word that has their bits; NULL with at 0 */
	unsigned bit;      /* the first one's */
};

/* One without blocks. NULL with errno. */
struct map *map_create(struct memory *memory);

/* The run that begins with a block, at most count long. */
struct map_run map_find(const struct map *m, uint64_t block, uint64_t count);

/* The same, with a chunk made where there is none. False with errno: ENOSPC, ENOMEM. */
bool map_make(struct map *m, struct memory *memory, struct space *space, uint64_t block, uint64_t count,
	      struct map_run *run);

/* The bits of a run, where they are in its word. */
static inline uint64_t map_mask(const struct map_run *run)
{
	return (run->count == 64 ? ~0ull : (1ull << run->count) - 1) << run->bit;
}

/* Give back the chunk that a block is in, if none of its blocks is present. */
void map_release(struct map *m, struct memory *memory, struct space *space, uint64_t block);

/* As a tree is loaded: one more part behind the others, with no block present. NULL with errno: the chunk is lost. */
struct map_part *map_load_part(struct map *m, struct memory *memory, uint64_t index, uint32_t at);

/* Discard all blocks, give all chunks back, and free the map. NULL is a no-op. Nobody else has it any more. */
void map_free(struct map *m, struct memory *memory, struct space *space, unsigned block_shift);

/* The first block from this one on, below end, that is present or not, as is asked for; end: there is none. */
uint64_t map_next(const struct map *m, uint64_t block, uint64_t end, bool present);

#endif
