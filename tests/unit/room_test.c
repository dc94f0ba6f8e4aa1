/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * room_test.c - at its limit a pool makes room for whatever it is that is refused: pages, slot words, the handle
 * table, the records of new zspages, the tables of a caller's pages. Half of the objects are freed, every other one,
 * so that all of the room has to be made.
 */
#include "unit.h"

#include <zsmalloc/zsmalloc.h>

#include "test_source.h"

#define LIMIT ((uint64_t)8 << 20)
#define LARGE 3000u
#define MOST (1u << 20)

static zs_handle handles[MOST];

static struct zs_pool *pool_with(enum zs_geometry geometry, struct test_source *source)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_page_source pages;
	struct zs_pool *pool;

	o.geometry = geometry;
	o.limit_bytes = LIMIT;
	if (source != NULL) {
		pages = test_source_callbacks(source);
		o.pages = &pages;
	}
	pool = zs_create_pool_with("room", &o);
	assert_non_null(pool);
	return pool;
}

static size_t fill(struct zs_pool *pool, size_t size, size_t from)
{
	size_t n = from;

	while (n < MOST && (handles[n] = zs_malloc(pool, size, 0)) != 0)
		n++;
	assert_int_equal(errno, ENOMEM);
	return n;
}

/* Half of what LARGE objects took goes to ones of `size`: that many bytes of them fit, less what they take beside. */
static void half_becomes(struct zs_pool *pool, size_t size, unsigned percent)
{
	size_t large = fill(pool, LARGE, 0), small;
	uint64_t bytes;

	for (size_t i = 0; i < large; i += 2)
		zs_free(pool, handles[i]);
	small = fill(pool, size, large) - large;
	bytes = (uint64_t)small * size;
	if (bytes * 100 < (uint64_t)large / 2 * LARGE * percent)
		fail_msg("%zu objects of %zu bytes in half of what %zu of %u took", small, size, large, LARGE);
	assert_true(zs_get_total_bytes(pool) <= LIMIT);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
}

/* Entries of 8 bytes and slot words of 4 for 32 bytes each; the table of handles grows tenfold. */
static void handles_and_words(void **state)
{
	(void)state;
	half_becomes(pool_with(ZS_GEOMETRY_DENSE, NULL), 32, 60);
	half_becomes(pool_with(ZS_GEOMETRY_LINUX, NULL), 24, 45);
}

/* A zspage each: records, and runs of another length. */
static void records(void **state)
{
	(void)state;
	half_becomes(pool_with(ZS_GEOMETRY_DENSE, NULL), 4096, 90);
	half_becomes(pool_with(ZS_GEOMETRY_LINUX, NULL), 4096, 90);
}

/* With a source of pages the tables of them too. */
static void tables_of_pages(void **state)
{
	const size_t sizes[] = { 32, 4096 };

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct test_source *source = test_source_create(4096, 4096, TEST_SOURCE_SCATTERED, i);

		half_becomes(pool_with(i % 2 == 0 ? ZS_GEOMETRY_DENSE : ZS_GEOMETRY_LINUX, source), sizes[i / 2], 40);
		test_source_destroy(source);
	}
}

/* What is kept is had with the flag alone, also where all of it is metadata; and what is free in a page by anybody. */
static void headroom(void **state)
{
	(void)state;
	for (unsigned g = 0; g < 2; g++) {
		struct zs_pool *pool = pool_with(g == 0 ? ZS_GEOMETRY_DENSE : ZS_GEOMETRY_LINUX, NULL);
		const uint64_t kept = LIMIT / 8;
		size_t n, more;

		zs_set_headroom(pool, kept);
		n = fill(pool, LARGE, 0);
		assert_true(zs_get_total_bytes(pool) <= LIMIT - kept);
		assert_int_equal(zs_malloc(pool, LARGE, 0), 0);
		for (more = n; (handles[more] = zs_malloc(pool, LARGE, ZS_HEADROOM)) != 0; more++)
			;
		assert_int_equal(errno, ENOMEM);
		assert_true((uint64_t)(more - n) * LARGE > kept / 4 * 3);
		assert_true(zs_get_total_bytes(pool) <= LIMIT);
		/* A slot is a slot. */
		zs_free(pool, handles[n]);
		assert_true((handles[n] = zs_malloc(pool, LARGE, 0)) != 0);
		/* Batches know it too, and it goes with the other flag. */
		assert_int_equal(zs_malloc_batch(pool, LARGE, ZS_HEADROOM, handles + more, 4), 0);
		zs_free(pool, handles[n]);
		assert_true((handles[n] = zs_malloc(pool, LARGE, ZS_HEADROOM | ZS_NOWAIT)) != 0);
		zs_set_headroom(pool, 0);
		assert_int_equal(zs_malloc(pool, LARGE, 0), 0);
		zs_free_batch(pool, handles, n / 2);
		assert_true(fill(pool, 100, 0) > 0);
		assert_int_equal(zs_pool_validate(pool), 0);
		zs_destroy_pool(pool);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handles_and_words),
		cmocka_unit_test(records),
		cmocka_unit_test(tables_of_pages),
		cmocka_unit_test(headroom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
