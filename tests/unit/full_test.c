/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * full_test.c - a pool at its limit: what an allocation does that is refused memory. Never above the limit; any slot
 * that is large enough is taken; a refusal costs little, however often; ZS_NO_COMPACT moves nothing and waits for
 * nobody; what the reason was is told; and who insists gets what it asks for.
 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "rng.h"
#include "test_source.h"
#include "pool/pool.h"

#define MOST 20000u
#define LIMIT_BYTES (8u << 20)

static struct zs_pool *pool;
static zs_handle object[MOST];
static unsigned objects;

static struct zs_pool *new_pool(uint64_t limit, enum zs_geometry geometry, const struct zs_page_source *pages)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	o.limit_bytes = limit;
	o.geometry = geometry;
	o.pages = pages;
	return zs_create_pool_with("full", &o);
}

static int setup(void **state)
{
	(void)state;
	objects = 0;
	pool = new_pool(LIMIT_BYTES, ZS_GEOMETRY_DENSE, NULL);
	return pool != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	int valid = zs_pool_validate(pool);

	(void)state;
	zs_destroy_pool(pool);
	return valid;
}

static struct zs_pool_stats stats_of(void)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

	zs_pool_stats(pool, &stats);
	assert_true(stats.limit_bytes == 0 || stats.bytes_total <= stats.limit_bytes);
	return stats;
}

static void fill(size_t size)
{
	while (objects < MOST && (object[objects] = zs_malloc(pool, size, 0)) != 0)
		objects++;
	assert_int_equal(errno, ENOMEM);
	assert_in_range(objects, 100, MOST - 1);
}

/* All but each nth. Returns how many. */
static unsigned drop_all_but(unsigned nth)
{
	unsigned dropped = 0;

	for (unsigned i = 0; i < objects; i++) {
		if (i % nth == 0)
			continue;
		zs_free(pool, object[i]);
		object[i] = 0;
		dropped++;
	}
	return dropped;
}

/* Slots of 2000 bytes are what there is for objects of 1900: nothing moves. */
static void any_slot_that_is_large_enough(void **state)
{
	unsigned got = 0, dropped;

	(void)state;
	fill(2000);
	/* One of three, so that no zspage becomes empty. */
	for (unsigned i = dropped = 0; i < objects; i += 3, dropped++) {
		zs_free(pool, object[i]);
		object[i] = 0;
	}
	struct zs_pool_stats before = stats_of();

	while (zs_malloc(pool, 1900, ZS_NO_COMPACT) != 0)
		got++;
	assert_int_equal(errno, ENOMEM);
	struct zs_pool_stats after = stats_of();

	assert_int_equal(after.objs_moved, before.objs_moved);
	assert_true(got >= dropped - dropped / 20);
}

/* With the kernel's geometry an object lies in its own class, whatever there is no memory for. */
static void not_with_the_kernels_geometry(void **state)
{
	unsigned got = 0;

	(void)state;
	zs_destroy_pool(pool);
	pool = new_pool(LIMIT_BYTES, ZS_GEOMETRY_LINUX, NULL);
	assert_non_null(pool);
	fill(2000);
	for (unsigned i = 0; i < objects; i += 3)
		zs_free(pool, object[i]);
	while (zs_malloc(pool, 1500, ZS_NO_COMPACT) != 0)
		got++;
	assert_true(got < 8);
}

static void no_compact_moves_nothing(void **state)
{
	(void)state;
	fill(1000);
	drop_all_but(4);
	struct zs_pool_stats before = stats_of();

	while (zs_malloc(pool, 3000, ZS_NO_COMPACT) != 0)
		;
	assert_int_equal(errno, ENOMEM);
	struct zs_pool_stats after = stats_of();

	assert_int_equal(after.objs_moved, before.objs_moved);
	assert_true(zs_shrinker_count(pool) > 100);
	/* And there was something to be had. */
	assert_int_not_equal(zs_malloc(pool, 3000, 0), 0);
	assert_true(stats_of().objs_moved > before.objs_moved);
}

static _Atomic int reader_holds, reader_may_end;

static void *hold(void *arg)
{
	const void *mem = zs_obj_read_begin(pool, object[0], NULL);

	atomic_store(&reader_holds, 1);
	while (atomic_load(&reader_may_end) == 0)
		usleep(100);
	zs_obj_read_end(pool, object[0], mem);
	return arg;
}

static void *compact_all(void *arg)
{
	(void)zs_compact(pool);
	return arg;
}

/*
 * A compaction is under way and waits for a reader, who ends when this thread was refused: if it waited, it did so for
 * ever.
 */
static void no_compact_waits_for_nobody(void **state)
{
	pthread_t reader, compactor;

	(void)state;
	fill(1000);
	drop_all_but(4);
	atomic_store(&reader_holds, 0);
	atomic_store(&reader_may_end, 0);
	assert_int_equal(pthread_create(&reader, NULL, hold, NULL), 0);
	while (atomic_load(&reader_holds) == 0)
		usleep(100);
	assert_int_equal(pthread_create(&compactor, NULL, compact_all, NULL), 0);
	while (atomic_load(&pool->compact_lock.word) == 0)
		usleep(100);
	while (zs_malloc(pool, 3000, ZS_NO_COMPACT) != 0)
		;
	assert_int_equal(errno, ENOMEM);
	atomic_store(&reader_may_end, 1);
	assert_int_equal(pthread_join(reader, NULL), 0);
	assert_int_equal(pthread_join(compactor, NULL), 0);
}

static void reasons_are_told_apart(void **state)
{
	struct test_source *source = test_source_create(4096, 200, TEST_SOURCE_SCATTERED, 7);
	struct zs_page_source pages = test_source_callbacks(source);

	(void)state;
	fill(3000);
	struct zs_pool_stats before = stats_of();

	assert_int_equal(zs_malloc(pool, 4000, ZS_NO_COMPACT), 0);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(zs_malloc(pool, 4000, ZS_LIMIT_EDQUOT), 0);
	assert_int_equal(errno, EDQUOT);
	assert_int_equal(zs_malloc_batch(pool, 4000, ZS_LIMIT_EDQUOT, &object[objects], 2), 0);
	assert_int_equal(errno, EDQUOT);
	/* It asks for no memory, so nobody refuses any. */
	assert_int_equal(zs_malloc(pool, 4000, ZS_NOWAIT | ZS_LIMIT_EDQUOT), 0);
	assert_int_equal(errno, ENOMEM);
	struct zs_pool_stats after = stats_of();

	assert_int_equal(after.limit_refusals, before.limit_refusals + 3);
	assert_int_equal(after.other_refusals, 0);
	zs_destroy_pool(pool);

	/* Pages that are all taken, in a pool with and without a limit. */
	for (unsigned i = 0; i < 2; i++) {
		pool = new_pool(i * LIMIT_BYTES, ZS_GEOMETRY_DENSE, &pages);
		assert_non_null(pool);
		while (zs_malloc(pool, 3000, ZS_LIMIT_EDQUOT) != 0)
			;
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(stats_of().limit_refusals, 0);
		assert_int_equal(stats_of().other_refusals, 1);
		zs_destroy_pool(pool);
	}
	test_source_destroy(source);
	pool = new_pool(LIMIT_BYTES, ZS_GEOMETRY_DENSE, NULL);
	assert_non_null(pool);
	assert_int_equal(zs_malloc(pool, 100, 1u << 31), 0);
	assert_int_equal(errno, EINVAL);
}

/* Nothing was freed, so there is nothing to look for. */
static void refusals_cost_little(void **state)
{
	(void)state;
	fill(2000);
	uint64_t looks = atomic_load(&pool->room.looks);

	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(zs_malloc(pool, 2000, 0), 0);
	assert_true(atomic_load(&pool->room.looks) - looks < 2000);
	assert_int_equal(stats_of().objs_moved, 0);
}

/* What was freed is found, though nothing was to be had a moment before. */
static void freed_memory_is_found(void **state)
{
	unsigned got = 0, dropped;

	(void)state;
	fill(1000);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(zs_malloc(pool, 3000, 0), 0);
	dropped = drop_all_but(4);
	while (zs_malloc(pool, 3000, 0) != 0)
		got++;
	assert_true(got > dropped / 3 * 9 / 10);
}

/* A full cache, first in, first out: for each value about one goes, little moves, and most of the limit is values. */
static void full_cache(void **state)
{
	static uint32_t size[MOST];
	struct rng rng = { .state = 5 };
	uint64_t live = 0, refusals = 0;
	unsigned head = 0, tail = 0, sets = 60000;

	(void)state;
	for (unsigned i = 0; i < sets; i++) {
		uint32_t bytes = (uint32_t)(rng_range(&rng, 1, 2048) + rng_range(&rng, 0, 2048));
		zs_handle h;

		while ((h = zs_malloc(pool, bytes, 0)) == 0) {
			assert_int_equal(errno, ENOMEM);
			assert_int_not_equal(tail, head);
			live -= size[tail % MOST];
			zs_free(pool, object[tail++ % MOST]);
			refusals++;
		}
		assert_true(zs_get_total_bytes(pool) <= LIMIT_BYTES);
		object[head % MOST] = h;
		size[head++ % MOST] = bytes;
		live += bytes;
	}
	struct zs_pool_stats stats = stats_of();

	assert_int_equal(stats.bytes_requested, live);
	assert_true(refusals < sets * 11 / 10);
	assert_true(stats.objs_moved < sets / 2);
	assert_true(live > LIMIT_BYTES / 100 * 90);
}

/* Large objects among small ones: it takes a bounded number of those to make room. */
static void who_insists_is_heard(void **state)
{
	unsigned gone = 0;

	(void)state;
	fill(500);
	for (unsigned i = 0; i < 50; i++) {
		while (zs_malloc(pool, 4000, 0) == 0) {
			unsigned k = gone * 7919 % objects;

			assert_int_equal(errno, ENOMEM);
			assert_true(gone < objects);
			zs_free(pool, object[k]);
			object[k] = 0;
			gone++;
		}
	}
	/* 400 of them have as many bytes. */
	assert_true(gone < 4000);
}

#define THREADS 4u
#define SETS 12000u

/* A cache that four threads share: whoever is refused evicts the oldest. */
static struct {
	pthread_mutex_t lock;
	zs_handle ring[MOST];
	unsigned head, tail; /* Guarded by lock, as the ring */
	_Atomic unsigned wrong;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void evict_oldest(void)
{
	zs_handle oldest = 0;

	pthread_mutex_lock(&shared.lock);
	if (shared.tail != shared.head)
		oldest = shared.ring[shared.tail++ % MOST];
	pthread_mutex_unlock(&shared.lock);
	zs_free(pool, oldest);
}

static void *use_shared(void *arg)
{
	static const unsigned flags[] = { 0, 0, ZS_NO_COMPACT, ZS_NOWAIT };
	struct rng rng = { .state = *(unsigned *)arg };

	for (unsigned i = 0; i < SETS; i++) {
		size_t size = rng_one_in(&rng, 4) ? 4096 : rng_range(&rng, 50, 3000);
		zs_handle h;

		while ((h = zs_malloc(pool, size, flags[rng_below(&rng, 4)])) == 0) {
			shared.wrong += errno != ENOMEM;
			evict_oldest();
		}
		shared.wrong += zs_get_total_bytes(pool) > LIMIT_BYTES;
		pthread_mutex_lock(&shared.lock);
		shared.ring[shared.head++ % MOST] = h;
		pthread_mutex_unlock(&shared.lock);
	}
	return NULL;
}

static void threads_at_the_limit(void **state)
{
	pthread_t thread[THREADS];
	unsigned seed[THREADS];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		seed[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, use_shared, &seed[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(shared.wrong, 0);
	assert_true(stats_of().limit_refusals > 0);
	while (shared.tail != shared.head)
		evict_oldest();
	assert_int_equal(stats_of().obj_used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_slot_that_is_large_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(not_with_the_kernels_geometry, setup, teardown),
		cmocka_unit_test_setup_teardown(no_compact_moves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(no_compact_waits_for_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(reasons_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_cost_little, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_memory_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(full_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(who_insists_is_heard, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_at_the_limit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
