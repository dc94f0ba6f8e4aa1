/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * space.h - the device's address space, in chunks for files.
 *
 * The device is thin: its addresses cost nothing until they are written, so they may be given out with a full hand. A
 * chunk is 2^order blocks, order 0 to 8, and lies within one segment of 256 blocks, aligned to its size. That is what
 * the device's table is made of: a segment that is in use costs a page of it, so small files share segments.
 *
 *   segment    256 bits: which of its blocks are free
 *   shard      segments that are partly in use, in lists by the largest chunk that they have free
 *
 * A thread takes chunks from a shard of its own. A chunk goes back to the shard whose segment it is in. Segments that
 * are all free belong to no shard. Addresses are numbers of blocks; 0 is no chunk's, as segment 0 is never used.
 */
#ifndef ZS_FUSE_SPACE_H
#define ZS_FUSE_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lock.h"

enum {
	SPACE_ORDERS = 9,
	SPACE_SEGMENT = 1 << (SPACE_ORDERS - 1), /* blocks */
	SPACE_SHARDS = 16,
};

struct space_segment {
	uint64_t free[SPACE_SEGMENT / 64]; /* Guarded by the shard's lock, as the next two */
	uint32_t next, prev;               /* in the shard's list; next in that of free segments; 0: none */
	uint8_t shard;                     /* fixed while one of its blocks is in use */
	uint8_t order;                     /* of its largest free chunk, and 1; 0: it has none and is in no list */
	bool taken;                        /* it belongs to a shard */
};

struct space_shard {
	struct lock lock;
	uint32_t list[SPACE_ORDERS + 1]; /* by order and 1. Guarded by lock */
	char apart[64];                  /* no two locks in one line */
};

struct space {
	struct space_segment *segments; /* mapped, touched where used */
	uint32_t count;                 /* of them; immutable */
	struct lock lock;
	uint32_t unused; /* none from here on was ever taken. Guarded by lock, as the next */
	uint32_t spare;  /* the first of the free segments below; 0: none */
	struct space_shard shards[SPACE_SHARDS];
};

/* Blocks that a device may have at most, for addresses of 32 bits. */
#define SPACE_MAX_BLOCKS ((uint64_t)UINT32_MAX + 1)

/* 0, or -1 with ENOMEM. blocks: of the device, a multiple of SPACE_SEGMENT. */
int space_init(struct space *s, uint64_t blocks);
void space_destroy(struct space *s);

/* A chunk, or 0 with ENOSPC. Any thread. */
uint32_t space_take(struct space *s, unsigned order);
void space_give(struct space *s, uint32_t at, unsigned order);

/* Take this very chunk, as a tree is loaded. False: it is none, or is taken. Not beside others. */
bool space_claim(struct space *s, uint32_t at, unsigned order);

/* Call fn for all blocks that are in no chunk, in runs, in order. Not beside others. */
typedef void (*space_run_fn)(uint64_t at, uint64_t blocks, void *arg);
void space_each_free(const struct space *s, space_run_fn fn, void *arg);

#endif
