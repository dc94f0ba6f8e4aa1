/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limit.h - the parts of bench_limit: a cache that is full (limit_cache.c), and the threads that use it (limit_main.c).
 *
 * First in, first out, shared by all threads. A value is stored in pieces of at most a page of the pool; with malloc()
 * in one piece, since there it may.
 *
 *   set   allocate and write a value. Where the pool refuses, evict the oldest value and try again; with malloc() evict
 *         as long as more bytes than the bound are live, which is what the pool's cache had
 */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <pthread.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "dataset.h"

#define MAX_VALUE 65536u
#define MAX_PIECES 16u

struct value {
	union {
		zs_handle handle[MAX_PIECES];
		void *pointer;
	};
	uint32_t size;
};

struct fifo {
	struct zs_pool *pool; /* NULL: malloc() */
	uint32_t piece_bytes; /* at most */
	unsigned flags;       /* of zs_malloc() */
	uint64_t bound;       /* live bytes; malloc() only */
	pthread_mutex_t lock; /* held for no allocation; guards what follows */
	struct value *value;  /* a ring */
	uint64_t room;        /* values in it, a power of two */
	uint64_t head, tail;  /* counted up; values [tail, head) are live */
	uint64_t live;        /* bytes, those of values being written included */
	uint64_t refusals;
};

/* What it is made of lies in pages() of its own. */
struct fifo *fifo_make(struct zs_pool *pool, uint32_t piece_bytes, unsigned flags, uint64_t most_values);

/* Store `size` bytes as the newest value. */
void fifo_set(struct fifo *f, const uint8_t *bytes, uint32_t size);

void fifo_empty(struct fifo *f);

#endif
