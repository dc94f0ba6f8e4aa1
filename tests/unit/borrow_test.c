/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * borrow_test.c - an object that would need a new page takes a slot of a slightly larger class: where that has plenty
 * of free ones, and only there; and everything that counts objects knows.
 */
#include "unit.h"

#include "pool/pool.h"

#define LENT 4000u
#define OWN 1500u
#define MORE 900u

static struct zs_pool *pool;
static zs_handle lent[LENT], own[OWN], more[MORE];
static uint64_t requested;

static zs_handle make(size_t size, unsigned content)
{
	zs_handle h = zs_malloc(pool, size, 0);

	assert_int_not_equal(h, 0);
	assert_int_equal(zs_obj_write(pool, h, &content, sizeof(content)), 0);
	requested += size;
	return h;
}

static void drop(zs_handle *h, size_t size)
{
	if (*h == 0)
		return;
	zs_free(pool, *h);
	*h = 0;
	requested -= size;
}

static void has(zs_handle h, unsigned content)
{
	const unsigned *mem = zs_obj_read_begin(pool, h, NULL);

	assert_non_null(mem);
	assert_int_equal(*mem, content);
	zs_obj_read_end(pool, h, mem);
}

/* A class that was larger: every other one of its objects is gone. And one a little smaller, with nothing free. */
static int setup(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	(void)state;
	o.flags = ZS_POOL_NO_THREAD_CACHE;
	pool = zs_create_pool_with("borrow", &o);
	if (pool == NULL)
		return -1;
	requested = 0;
	for (unsigned i = 0; i < LENT; i++)
		lent[i] = make(2048, i);
	for (unsigned i = 0; i < OWN; i++)
		own[i] = make(2000, i);
	for (unsigned i = 0; i < LENT; i += 2)
		drop(&lent[i], 2048);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LENT; i++)
		drop(&lent[i], 2048);
	for (unsigned i = 0; i < OWN; i++)
		drop(&own[i], 2000);
	for (unsigned i = 0; i < MORE; i++)
		drop(&more[i], 2000);
	assert_int_equal(zs_get_total_pages(pool), 0);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
	return 0;
}

static void check_counts(unsigned objects)
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;

	zs_pool_stats(pool, &s);
	assert_int_equal(s.obj_used, objects);
	assert_int_equal(s.bytes_requested, requested);
	assert_int_equal(zs_pool_validate(pool), 0);
}

static void from_one_with_plenty(void **state)
{
	unsigned long pages = zs_get_total_pages(pool);
	unsigned borrowed = 0;

	(void)state;
	for (unsigned i = 0; i < MORE; i++) {
		more[i] = make(2000, i);
		borrowed += zs_usable_size(pool, more[i]) == 2048;
	}
	/* A page of its own the class had room on, and no other. */
	assert_true(borrowed >= MORE - 4);
	assert_in_range(zs_get_total_pages(pool), pages, pages + 1);
	check_counts(LENT / 2 + OWN + MORE);
	/* Compaction moves them as objects of the class they are in. */
	(void)zs_compact(pool);
	for (unsigned i = 0; i < MORE; i++)
		has(more[i], i);
	for (unsigned i = 0; i < OWN; i++)
		has(own[i], i);
	for (unsigned i = 1; i < LENT; i += 2)
		has(lent[i], i);
	check_counts(LENT / 2 + OWN + MORE);
}

static void not_where_the_last_pages_explain_it(void **state)
{
	(void)state;
	/* Compacted, the larger class has at most a page that is not full. */
	(void)zs_compact(pool);
	unsigned long pages = zs_get_total_pages(pool);

	for (unsigned i = 0; i < MORE; i++)
		more[i] = make(2000, i);
	assert_in_range(zs_get_total_pages(pool), pages + MORE * 2000 / 4096 - 3, pages + MORE * 2000 / 4096 + 5);
	check_counts(LENT / 2 + OWN + MORE);
}

static void not_from_one_that_is_much_larger(void **state)
{
	zs_handle small[200];
	unsigned long pages = zs_get_total_pages(pool);

	(void)state;
	/* 2048 is more than an eighth above its class, and then more than an entry can say. */
	for (unsigned i = 0; i < 200; i++) {
		small[i] = make(1780, i);
		assert_true(zs_usable_size(pool, small[i]) < 2048);
	}
	assert_true(zs_get_total_pages(pool) > pages + 200 * 1780 / 4096 - 3);
	for (unsigned i = 0; i < 200; i++)
		drop(&small[i], 1780);
}

/* The kernel's arithmetic has no such thing. */
static void never_in_the_kernels_geometry(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	zs_handle h[300], g[200];

	(void)state;
	o.geometry = ZS_GEOMETRY_LINUX;
	struct zs_pool *linux_pool = zs_create_pool_with("linux", &o);

	assert_non_null(linux_pool);
	for (unsigned i = 0; i < 300; i++)
		assert_int_not_equal(h[i] = zs_malloc(linux_pool, 2048, 0), 0);
	for (unsigned i = 0; i < 300; i += 2)
		zs_free(linux_pool, h[i]);
	for (unsigned i = 0; i < 200; i++) {
		g[i] = zs_malloc(linux_pool, 2000, 0);
		assert_int_not_equal(g[i], 0);
		assert_true(zs_usable_size(linux_pool, g[i]) <= 2000 + 48);
		assert_int_not_equal(zs_usable_size(linux_pool, g[i]), zs_usable_size(linux_pool, h[1]));
	}
	assert_int_equal(zs_pool_validate(linux_pool), 0);
	for (unsigned i = 0; i < 200; i++)
		zs_free(linux_pool, g[i]);
	for (unsigned i = 1; i < 300; i += 2)
		zs_free(linux_pool, h[i]);
	zs_destroy_pool(linux_pool);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(from_one_with_plenty),
		TEST(not_where_the_last_pages_explain_it),
		TEST(not_from_one_that_is_much_larger),
		cmocka_unit_test(never_in_the_kernels_geometry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
