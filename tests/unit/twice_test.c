/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * twice_test.c - what two threads leave that free one object at the same moment: its index in two bins. They are played
 * by one thread here, since a moment of some nanoseconds can't be waited for: it frees the object, and puts the index
 * into a bin once more, as the second thread would have. Whoever meets the index a second time is told, and nobody gets
 * the slot twice.
 */
#include "unit.h"

#include <zsmalloc/zsmalloc.h>

#include "pool/cache.h"
#include "pool/pool.h"

#define N 6000u
#define SIZE 1000u

static struct zs_pool *pool;
static zs_handle h[N];
static unsigned told;
static zs_handle told_of;

static void tell(const struct zs_misuse *m, void *arg)
{
	(void)arg;
	assert_int_equal(m->reason, ZS_MISUSE_DOUBLE_FREE);
	told_of = m->handle;
	told++;
}

static int setup(void **state)
{
	(void)state;
	pool = zs_create_pool("twice");
	if (pool == NULL)
		return -1;
	for (unsigned i = 0; i < N; i++)
		h[i] = zs_malloc(pool, SIZE, 0);
	told = 0;
	(void)zs_set_misuse_handler(tell, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)zs_set_misuse_handler(NULL, NULL);
	zs_destroy_pool(pool);
	return 0;
}

/* As if another thread had freed it, too. */
static void free_twice(zs_handle handle)
{
	struct zsi_cache *cache = zsi_cache_get(pool);
	unsigned position = zsi_position_for(pool, SIZE);
	struct zsi_cache_bin *bin = &cache->bins[position];

	/* The first one has the budget for both, and room. */
	zs_free(pool, zs_malloc(pool, SIZE, 0));
	zs_free(pool, handle);
	assert_true(zsi_cache_enter(cache));
	assert_true(zsi_bin_push(cache, bin, position + 1, zsi_handle_index(handle)));
	zsi_cache_leave(cache);
}

static void a_malloc_is_told(void **state)
{
	zs_handle got[8];

	(void)state;
	free_twice(h[7]);
	for (unsigned i = 0; i < 8; i++)
		assert_int_not_equal(got[i] = zs_malloc(pool, SIZE, 0), 0);
	assert_int_equal(told, 1);
	assert_true(told_of == h[7]);
	for (unsigned i = 0; i < 8; i++)
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(zsi_handle_index(got[i]), zsi_handle_index(got[j]));
	assert_int_equal(zs_pool_validate(pool), 0);
}

static void emptying_the_cache_is_told(void **state)
{
	struct zs_pool_stats before = ZS_POOL_STATS_INIT, after = ZS_POOL_STATS_INIT;

	(void)state;
	zs_pool_stats(pool, &before);
	free_twice(h[7]);
	(void)zs_compact(pool);
	assert_int_equal(told, 1);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_pool_stats(pool, &after);
	assert_int_equal(after.obj_used, before.obj_used - 1);
	assert_int_equal(after.bytes_requested, before.bytes_requested - SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_malloc_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(emptying_the_cache_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
