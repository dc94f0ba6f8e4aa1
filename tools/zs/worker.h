/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * worker.h - one thread of the packer, and the next chunk for it. What it does is packer_store.c and packer_check.c.
 */
#ifndef ZS_WORKER_H
#define ZS_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "packing.h"

/* What the threads of one pass share. */
struct pass {
	struct packer *packer;
	atomic_ullong next_chunk;   /* handed out */
	atomic_ullong done_bytes;   /* for the progress bar */
	atomic_bool failed;         /* the device took a page no more: everyone stops */
	atomic_ullong first_broken; /* number of the first page that didn't read back; UINT64_MAX: none */
};

struct worker {
	struct pass *pass;
	char *input;    /* a chunk as read */
	char *output;   /* a chunk as it comes back */
	char why[1024]; /* what the device said when it took a page no more; else "" */
	bool *good;     /* of each page of the chunk, whether it was read */
	bool *restored; /* and whether it came back */
	uint64_t busy_ns;
	uint64_t pages[PAGE_COMPRESSED + 1]; /* by state */
	uint64_t compressed_bytes, intact, broken;
};

/* The next chunk to work on. False when there are no more, or it is time to stop. */
bool worker_next_chunk(struct worker *worker, struct chunk *chunk);
void worker_chunk_done(struct worker *worker, const struct chunk *chunk);

/* Its buffers, for chunks of the packer's set. False without memory; then destroy it all the same. */
bool worker_init(struct worker *worker, const struct packer *packer);
void worker_destroy(struct worker *worker);

#endif
