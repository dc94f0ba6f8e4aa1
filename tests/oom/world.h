/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * world.h - a pool with objects in it that must survive whatever is done to the pool, and the means to tell.
 *
 *   kept    objects that are there before a fault, of all sizes, in zspages with holes
 *   fresh   objects that the operation under test allocated
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "test_source.h"

#define WORLD_KEPT 160u
#define WORLD_FRESH 24000u

struct world_options {
	enum zs_geometry geometry;
	size_t page_size;
	bool own_pages; /* a page source of the test's */
	uint64_t limit_bytes;
};

struct world_object {
	zs_handle handle;
	size_t size;
};

struct world {
	struct world_options options;
	struct zs_pool *pool;
	struct test_source *source;
	struct world_object kept[WORLD_KEPT];
	size_t nr_kept;
	struct world_object fresh[WORLD_FRESH];
	size_t nr_fresh;
};

/* Only the page source. */
void world_init(struct world *w, const struct world_options *options);

/* Make the pool; false with errno where it can't be made. */
bool world_open(struct world *w);

/* Make the kept objects. No faults are ordered. */
void world_populate(struct world *w);

/* Store a fresh object of size bytes, filled; false with errno ENOMEM. */
bool world_add(struct world *w, size_t size, unsigned flags);

/* The pool is valid, its numbers agree with what is live, every byte is there. */
void world_check(struct world *w);

/* Free the last fresh objects until n are left. */
void world_drop(struct world *w, size_t n);

/* Destroy the pool, if there is one; nothing must be left. */
void world_fini(struct world *w);

#endif
