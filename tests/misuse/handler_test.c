/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handler_test.c - a misuse handler that returns: each call fails with EINVAL where it can say so, does nothing else,
 * and the pool is as it was.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

#include "check.h"
#include "pattern.h"

#define SIZE 700u

struct seen {
	size_t count;
	struct zs_misuse last; /* its strings are copied below */
	char call[64];
	char pool_name[128];
	char message[512];
};

static void on_misuse(const struct zs_misuse *misuse, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	seen->last = *misuse;
	snprintf(seen->call, sizeof(seen->call), "%s", misuse->call);
	snprintf(seen->pool_name, sizeof(seen->pool_name), "%s", misuse->pool_name);
	snprintf(seen->message, sizeof(seen->message), "%s", misuse->message);
	errno = ERANGE; /* what a handler leaves there is not the caller's */
}

static void expect(struct seen *seen, const char *call, enum zs_misuse_reason reason, const char *text, zs_handle h)
{
	char message[512];

	CHECK_MSG(seen->count == 1, "%s: %zu reports", call, seen->count);
	CHECK_MSG(strcmp(seen->call, call) == 0, "%s, not %s", seen->call, call);
	CHECK_MSG(seen->last.reason == reason, "%s: reason %d, not %d", call, (int)seen->last.reason, (int)reason);
	CHECK(seen->last.handle == h && strcmp(seen->pool_name, "returning") == 0);
	snprintf(message, sizeof(message), "zsmalloc: %s: %s (handle 0x%016" PRIx64 ", pool returning)", call, text, h);
	CHECK_MSG(strcmp(seen->message, message) == 0, "%s\nnot %s", seen->message, message);
	seen->count = 0;
}

/* The same for the calls of read sections. */
static void section_calls(struct zs_pool *pool, struct seen *seen, zs_handle h, enum zs_misuse_reason reason,
			  const char *text)
{
	const void *mem[2] = { seen, seen };
	uint8_t byte = 99;

	CHECK(zs_obj_read(pool, h, 0, &byte, 1) == -1 && errno == EINVAL && byte == 99);
	expect(seen, "zs_obj_read", reason, text, h);
	CHECK(zs_obj_read_begin_batch(pool, (zs_handle[]){ h, h }, 2, mem, NULL) == -1 && errno == EINVAL);
	expect(seen, "zs_obj_read_begin_batch", reason, text, h);
	CHECK(mem[0] == NULL && mem[1] == NULL);
	zs_read_begin(pool);
	CHECK(zs_obj_address(pool, h) == NULL && errno == EINVAL);
	expect(seen, "zs_obj_address", reason, text, h);
	CHECK(zs_obj_try_address(pool, h) == NULL && errno == ESTALE && seen->count == 0);
	zs_read_end(pool);
	zs_prefetch(pool, h);
	CHECK(seen->count == 0);
	/* None of them left a section open. */
	errno = 0;
	(void)zs_compact(pool);
	CHECK(errno != EDEADLK);
}

/* Every call that takes a handle, with one that is no good. */
static void all_calls(struct zs_pool *pool, struct seen *seen, zs_handle h, enum zs_misuse_reason reason,
		      const char *text)
{
	uint8_t bytes[4096];
	struct iovec iov[2] = { { seen, 3 }, { seen, 4 } };
	bool freed = reason == ZS_MISUSE_STALE;

	CHECK(zs_obj_read_begin(pool, h, bytes) == NULL && errno == EINVAL);
	expect(seen, "zs_obj_read_begin", reason, text, h);
	CHECK(zs_obj_read_iov_begin(pool, h, 1, iov) == -1 && errno == EINVAL);
	expect(seen, "zs_obj_read_iov_begin", reason, text, h);
	CHECK(iov[0].iov_base == seen && iov[1].iov_base == seen);
	CHECK(zs_obj_write(pool, h, bytes, 1) == -1 && errno == EINVAL);
	expect(seen, "zs_obj_write", reason, text, h);
	CHECK(zs_usable_size(pool, h) == 0 && errno == EINVAL);
	expect(seen, "zs_usable_size", reason, text, h);
	for (int mode = ZS_MM_RW; mode <= ZS_MM_WO; mode++) {
		CHECK(zs_map_object(pool, h, (enum zs_mapmode)mode) == NULL && errno == EINVAL);
		expect(seen, "zs_map_object", reason, text, h);
	}
	section_calls(pool, seen, h, reason, text);
	zs_unmap_object(pool, h);
	expect(seen, "zs_unmap_object", ZS_MISUSE_NOT_MAPPED, "object is not mapped by this thread", h);
	errno = 4711;
	zs_free(pool, h);
	CHECK(errno == 4711);
	expect(seen, "zs_free", freed ? ZS_MISUSE_DOUBLE_FREE : reason, freed ? "double free" : text, h);
	zs_free_batch(pool, &h, 1);
	CHECK(errno == 4711);
	expect(seen, "zs_free_batch", freed ? ZS_MISUSE_DOUBLE_FREE : reason, freed ? "double free" : text, h);
}

static void mapped_calls(struct zs_pool *pool, struct seen *seen, zs_handle h)
{
	for (int mode = ZS_MM_RW; mode <= ZS_MM_WO; mode++) {
		uint8_t *mem = zs_map_object(pool, h, (enum zs_mapmode)mode);

		CHECK(mem != NULL);
		if (mode == ZS_MM_WO)
			pattern_fill(mem, SIZE, 1, 1, 0);
		zs_free(pool, h);
		expect(seen, "zs_free", ZS_MISUSE_MAPPED, "object is mapped by this thread", h);
		zs_free_batch(pool, &h, 1);
		expect(seen, "zs_free_batch", ZS_MISUSE_MAPPED, "object is mapped by this thread", h);
		if (mode != ZS_MM_RO) {
			CHECK(zs_obj_write(pool, h, "x", 1) == -1 && errno == EINVAL);
			expect(seen, "zs_obj_write", ZS_MISUSE_MAPPED, "object is mapped by this thread", h);
		}
		zs_unmap_object(pool, h);
		CHECK(seen->count == 0);
		zs_unmap_object(pool, h);
		expect(seen, "zs_unmap_object", ZS_MISUSE_NOT_MAPPED, "object is not mapped by this thread", h);
	}
}

/* What this thread itself is reading is not freed; and what it was reading, or reads beside, is. */
static void held_calls(struct zs_pool *pool, struct seen *seen, zs_handle h)
{
	uint8_t local[2][4096];
	zs_handle other = zs_malloc(pool, SIZE, 0), third = zs_malloc(pool, SIZE, 0),
		  fourth = zs_malloc(pool, SIZE, 0);
	const void *mem = zs_obj_read_begin(pool, h, local[0]);
	struct iovec iov[2];

	CHECK(mem != NULL && other != 0 && third != 0 && fourth != 0);
	zs_free(pool, h);
	expect(seen, "zs_free", ZS_MISUSE_HELD, "object is being read by this thread", h);
	zs_free_batch(pool, &h, 1);
	expect(seen, "zs_free_batch", ZS_MISUSE_HELD, "object is being read by this thread", h);
	zs_free(pool, other);
	zs_obj_read_end(pool, h, mem);
	CHECK(zs_obj_read_iov_begin(pool, h, SIZE, iov) > 0);
	zs_free(pool, h);
	expect(seen, "zs_free", ZS_MISUSE_HELD, "object is being read by this thread", h);
	zs_obj_read_iov_end(pool, h);
	/* Readings end in any order. */
	mem = zs_obj_read_begin(pool, fourth, local[0]);
	const void *inner = zs_obj_read_begin(pool, h, local[1]);

	zs_obj_read_end(pool, fourth, mem);
	zs_free(pool, fourth);
	zs_obj_read_end(pool, h, inner);
	CHECK(seen->count == 0);
	/* Read before, freed in a section of other objects. */
	mem = zs_obj_read_begin(pool, third, local[1]);
	zs_obj_read_end(pool, third, mem);
	zs_read_begin(pool);
	zs_free(pool, third);
	zs_read_end(pool);
	CHECK(seen->count == 0);
	CHECK(zs_pool_validate(pool) == 0);
}

/* Ends of readings that were not begun: no later compaction waits for them. */
static void ends_not_held(struct zs_pool *pool, struct seen *seen, zs_handle h)
{
	zs_obj_read_end(pool, h, seen);
	expect(seen, "zs_obj_read_end", ZS_MISUSE_NOT_HELD, "no object is held by this thread", h);
	zs_obj_read_iov_end(pool, h);
	expect(seen, "zs_obj_read_iov_end", ZS_MISUSE_NOT_HELD, "no object is held by this thread", h);
	zs_read_end(pool);
	expect(seen, "zs_read_end", ZS_MISUSE_NOT_HELD, "no object is held by this thread", 0);
	zs_obj_read_end_batch(pool);
	expect(seen, "zs_obj_read_end_batch", ZS_MISUSE_NOT_HELD, "no object is held by this thread", 0);
	(void)zs_compact(pool);
}

struct other_thread {
	struct zs_pool *pool;
	zs_handle handle;
};

static void *unmap_elsewhere(void *arg)
{
	const struct other_thread *o = arg;

	zs_unmap_object(o->pool, o->handle);
	return NULL;
}

/* What one thread has mapped another can't unmap. */
static void mapped_by_another(struct zs_pool *pool, struct seen *seen, zs_handle h)
{
	struct other_thread o = { pool, h };
	pthread_t thread;

	CHECK(zs_map_object(pool, h, ZS_MM_RW) != NULL);
	CHECK(pthread_create(&thread, NULL, unmap_elsewhere, &o) == 0 && pthread_join(thread, NULL) == 0);
	expect(seen, "zs_unmap_object", ZS_MISUSE_NOT_MAPPED, "object is not mapped by this thread", h);
	zs_unmap_object(pool, h);
	CHECK(seen->count == 0);
}

/* The message is one line, whatever the pool is called. */
static void awkward_names(struct seen *seen)
{
	char long_name[200];

	memset(long_name, 'n', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	const char *names[] = { long_name, "", "two\nlines", "%s%n", NULL };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct zs_pool *pool = zs_create_pool(names[i]);

		CHECK(pool != NULL);
		seen->count = 0;
		zs_free(pool, 1);
		CHECK(seen->count == 1);
		CHECK_MSG(strchr(seen->message, '\n') == NULL, "%s", seen->message);
		CHECK_MSG(seen->message[strlen(seen->message) - 1] == ')', "%s", seen->message);
		if (i == 0)
			CHECK(strlen(seen->pool_name) == 63);
		if (names[i] == NULL)
			CHECK(strcmp(seen->pool_name, "zsmalloc") == 0);
		zs_destroy_pool(pool);
	}
	seen->count = 0;
}

int main(void)
{
	static struct seen seen;
	struct zs_pool *pool = zs_create_pool("returning"), *other = zs_create_pool("other");
	struct zs_pool_stats before = ZS_POOL_STATS_INIT, after = ZS_POOL_STATS_INIT;
	uint8_t bytes[SIZE];

	check_install();
	CHECK(pool != NULL && other != NULL);
	CHECK(zs_set_misuse_handler(on_misuse, &seen) == NULL);
	zs_handle live = zs_malloc(pool, SIZE, 0), stale = zs_malloc(pool, SIZE, 0),
		  foreign = zs_malloc(other, SIZE, 0);

	CHECK(live != 0 && stale != 0 && foreign != 0);
	pattern_fill(bytes, SIZE, 1, 1, 0);
	CHECK(zs_obj_write(pool, live, bytes, SIZE) == 0 && zs_obj_write(other, foreign, bytes, SIZE) == 0);
	zs_free(pool, stale);
	zs_pool_stats(pool, &before);

	all_calls(pool, &seen, stale, ZS_MISUSE_STALE, "stale handle");
	all_calls(pool, &seen, foreign, ZS_MISUSE_FOREIGN, "handle of another pool");
	all_calls(pool, &seen, 7, ZS_MISUSE_FORGED, "forged handle");
	all_calls(pool, &seen, ~(zs_handle)0, ZS_MISUSE_FORGED, "forged handle");
	mapped_calls(pool, &seen, live);
	mapped_by_another(pool, &seen, live);
	held_calls(pool, &seen, live);
	ends_not_held(pool, &seen, live);
	/* A batch goes on after the one it can't free. */
	zs_handle extra = zs_malloc(pool, SIZE, 0);

	zs_free_batch(pool, (zs_handle[]){ stale, extra }, 2);
	CHECK(seen.count == 1);
	seen.count = 0;

	zs_pool_stats(pool, &after);
	CHECK(after.obj_used == before.obj_used && after.bytes_requested == before.bytes_requested);
	CHECK(zs_pool_validate(pool) == 0 && zs_pool_validate(other) == 0);
	for (int i = 0; i < 2; i++) {
		struct zs_pool *p = i == 0 ? pool : other;
		zs_handle h = i == 0 ? live : foreign;
		const void *mem = zs_obj_read_begin(p, h, NULL);

		CHECK(mem != NULL && pattern_match(mem, SIZE, 1, 1, 0) == SIZE);
		zs_obj_read_end(p, h, mem);
	}
	/* A handle of a pool that is gone is no one's. */
	zs_destroy_pool(other);
	CHECK(zs_usable_size(pool, foreign) == 0);
	expect(&seen, "zs_usable_size", ZS_MISUSE_FORGED, "forged handle", foreign);
	awkward_names(&seen);
	CHECK(zs_set_misuse_handler(NULL, NULL) == on_misuse);
	zs_destroy_pool(pool);
	return 0;
}
