/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model.h - a pool beside a plain map of what it should hold, and single operations on both.
 *
 *   object   a live handle, the size asked for, a shadow copy of what was written; bytes past `known` are undefined
 *   hold     an object that is being read, alone, in a section or in a batch, or is mapped; at most MODEL_HOLDS at once,
 *            released in any order
 *
 * model_step() chooses one operation, carries it out on the pool and on the map and compares what it can at once;
 * model_verify() compares everything. Choices come from a chooser, so that a random test and a fuzzer share the
 * operations. One thread.
 *
 * Invariants: reading_holds = holds of the kinds up to MAP_RO; an object with a hold is neither freed nor written by
 * others.
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "sizes.h"
#include "test_source.h"

#define MODEL_HOLDS 6u
#define MODEL_GRAVES 32u
#define MODEL_BATCH 48u

enum model_source { MODEL_ARENA, MODEL_SCATTERED, MODEL_ADJACENT, MODEL_REVERSED };

struct model_config {
	enum zs_geometry geometry;
	size_t page_size;
	unsigned chain_size;
	unsigned flags;
	uint64_t limit_bytes;
	enum model_source source;
	size_t max_pages; /* of a test source */
	size_t max_objects;
	bool memory_is_short; /* allocations may fail with ENOMEM without being made to */
};

struct model_object {
	zs_handle handle;
	size_t size;   /* as asked for */
	size_t usable; /* as zs_usable_size() said first; it may grow */
	size_t known;  /* bytes written so far, from the start */
	unsigned holds;
	uint8_t *shadow; /* usable bytes */
	size_t position; /* in model.objects */
};

enum model_hold_kind { HOLD_READ, HOLD_IOV, HOLD_SECTION, HOLD_BATCH, HOLD_MAP_RO, HOLD_MAP_RW, HOLD_MAP_WO };

struct model_hold {
	struct model_object *object;
	enum model_hold_kind kind;
	struct iovec iov[2]; /* where the bytes are; the second is empty in all kinds but IOV */
	int pieces;
	uint8_t *local; /* local_copy given to read_begin */
};

struct model {
	struct model_config config;
	struct chooser choose;
	struct zs_pool *pool;
	struct zs_pool *other; /* for handles of another pool; has one object */
	zs_handle other_handle;
	struct test_source *source; /* NULL: the arena */
	struct model_object **objects;
	size_t count;
	uint64_t bytes_requested;
	struct model_hold holds[MODEL_HOLDS];
	unsigned nr_holds;
	unsigned reading_holds;
	zs_handle graves[MODEL_GRAVES]; /* freed handles */
	unsigned nr_graves;
	uint64_t pages_compacted; /* added up from what the calls returned */
	uint64_t version;         /* of the next write */
	uint8_t *scratch;         /* two pages */
	size_t misuses;           /* handler calls so far */
	enum zs_misuse_reason last_misuse;
};

/*
 * Make the pool and the map. The misuse handler is set to one of the model's. NULL with errno as zs_create_pool_with()
 * left it where the pool can't be made.
 */
struct model *model_create(const struct model_config *config, struct chooser choose, uint64_t seed);

/* One operation. */
void model_step(struct model *m);

/* Compare every byte and every number, and validate the pool. */
void model_verify(struct model *m);

/* Release all holds, destroy the pool with what lives in it, check that nothing is left. */
void model_destroy(struct model *m);

/* --- model_object.c: the map --- */

struct model_object *model_pick(struct model *m);                 /* NULL where there is none */
struct model_object *model_pick_free(struct model *m);            /* one without holds */
void model_adopt(struct model *m, zs_handle handle, size_t size); /* a handle that zs_malloc() returned; writes to it */
zs_handle model_forget(struct model *m, struct model_object *o);  /* about to be freed; returns its handle */
void model_write(struct model *m, struct model_object *o, size_t len);
void model_compare(struct model *m, const struct model_object *o, const uint8_t *bytes, size_t len, size_t offset);
void model_compare_stored(struct model *m, const struct model_object *o);

/* --- model_hold.c: objects held --- */

void model_hold(struct model *m, struct model_object *o, enum model_hold_kind kind);
void model_release(struct model *m, unsigned hold);
void model_check_holds(struct model *m);

/* --- model_stats.c --- */

void model_check_stats(struct model *m);
void model_check_print(struct model *m, enum zs_stats_format format);

#endif
