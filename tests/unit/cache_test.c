/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cache_test.c - what threads keep for themselves is bounded, is nobody's to use, and comes back: when it is asked for,
 * when a thread ends, at the limit, when the pool goes, in a child.
 */
#include "unit.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compact/budget.h"
#include "compact/compact.h"
#include "pool/cache.h"
#include "pool/pool.h"

#define N 6000u
#define THREADS 6u

static struct zs_pool *pool;
static zs_handle h[N];
static pthread_barrier_t barrier;

static size_t size_of(unsigned i)
{
	return 40 + (i * 7919u) % 3900;
}

static void fill_pool(unsigned flags)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	o.flags = flags;
	pool = zs_create_pool_with("cache", &o);
	assert_non_null(pool);
	for (unsigned i = 0; i < N; i++) {
		h[i] = zs_malloc(pool, size_of(i), 0);
		assert_int_not_equal(h[i], 0);
		assert_int_equal(zs_obj_write(pool, h[i], &i, sizeof(i)), 0);
	}
}

static int setup(void **state)
{
	(void)state;
	fill_pool(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
	pool = NULL;
	return 0;
}

static struct zs_pool_stats stats(void)
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;

	zs_pool_stats(pool, &s);
	return s;
}

static uint64_t cached_bytes(void)
{
	uint64_t bytes = 0;

	zsi_caches_lock();
	zsi_caches_stop(pool);
	for (const struct zsi_cache *c = pool->caches; c != NULL; c = c->pool_next)
		bytes += (uint64_t)(c->budget - c->left);
	zsi_caches_resume(pool);
	zsi_caches_unlock();
	return bytes;
}

static void check(unsigned i)
{
	const unsigned *mem = zs_obj_read_begin(pool, h[i], NULL);

	assert_non_null(mem);
	assert_int_equal(*mem, i);
	zs_obj_read_end(pool, h[i], mem);
}

/* Free and allocate object i; it may be another thread's that allocated it. */
static void replace(unsigned i)
{
	zs_free(pool, h[i]);
	h[i] = zs_malloc(pool, size_of(i), 0);
	assert_int_not_equal(h[i], 0);
	assert_int_equal(zs_obj_write(pool, h[i], &i, sizeof(i)), 0);
}

static void the_next_malloc_gets_what_was_freed(void **state)
{
	uint64_t hits = 0;

	(void)state;
	for (unsigned i = 0; i < N; i++)
		replace(i);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t before = cached_bytes();

		zs_free(pool, h[i]);
		hits += cached_bytes() > before;
		h[i] = zs_malloc(pool, size_of(i), 0);
		assert_int_equal(zs_obj_write(pool, h[i], &i, sizeof(i)), 0);
	}
	/* Most are not even seen by their class. */
	assert_true(hits > 800);
	assert_true(cached_bytes() > 0);
	assert_int_equal(stats().obj_used, N);
	for (unsigned i = 0; i < N; i++)
		check(i);
	/* What compaction is asked for includes it; a slice of the shrinker's leaves it. */
	struct zsi_compact_budget slice = {
		.bytes = UINT64_MAX, .deadline_ns = UINT64_MAX, .pages = UINT64_MAX, .keep_caches = true
	};
	uint64_t cached = cached_bytes();

	(void)zsi_compact(pool, &slice);
	assert_int_equal(cached_bytes(), cached);
	(void)zs_compact(pool);
	assert_int_equal(cached_bytes(), 0);
	assert_int_equal(pool->cache_granted, 0);
	for (unsigned i = 0; i < N; i++)
		check(i);
}

static void off_by_flag_and_in_the_kernels_geometry(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	(void)state;
	zs_destroy_pool(pool);
	fill_pool(ZS_POOL_NO_THREAD_CACHE);
	for (unsigned i = 0; i < N; i++)
		replace(i);
	assert_null(pool->caches);
	for (unsigned i = 0; i < N; i++)
		zs_free(pool, h[i]);
	assert_int_equal(zs_get_total_pages(pool), 0);
	zs_destroy_pool(pool);
	o.geometry = ZS_GEOMETRY_LINUX;
	pool = zs_create_pool_with("linux", &o);
	for (unsigned i = 0; i < N; i++)
		h[i] = zs_malloc(pool, size_of(i), 0);
	for (unsigned i = 0; i < N; i++)
		zs_free(pool, h[i]);
	assert_null(pool->caches);
	assert_int_equal(zs_get_total_pages(pool), 0);
}

/* A pool that is hardly larger than a cache has none. */
static void not_in_small_pools(void **state)
{
	zs_handle few[50];

	(void)state;
	zs_destroy_pool(pool);
	pool = zs_create_pool("small");
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 50; i++)
			few[i] = zs_malloc(pool, 1000, 0);
		for (unsigned i = 0; i < 50; i++)
			zs_free(pool, few[i]);
	}
	assert_null(pool->caches);
	assert_int_equal(zs_get_total_pages(pool), 0);
}

/* Many are freed before the first is allocated again, so that the cache is wanted as large as it may be. */
static void replace_many(void)
{
	for (unsigned i = 0; i < N; i += 2)
		zs_free(pool, h[i]);
	for (unsigned i = 0; i < N; i += 2) {
		h[i] = zs_malloc(pool, size_of(i), 0);
		assert_int_not_equal(h[i], 0);
		assert_int_equal(zs_obj_write(pool, h[i], &i, sizeof(i)), 0);
	}
}

static uint64_t own_budget(void)
{
	const struct zsi_cache *cache = zsi_cache_get(pool);

	return cache != NULL ? (uint64_t)cache->budget : 0;
}

struct in_turn {
	pthread_t thread;
	pthread_barrier_t turn;
	uint64_t budget;
};

/* Replaces objects when the main thread lets it, and stays until that lets it go. */
static void *churn_in_turn(void *arg)
{
	struct in_turn *t = arg;

	for (unsigned round = 0; round < 4; round++) {
		pthread_barrier_wait(&t->turn);
		if (round < 3)
			replace_many();
		t->budget = own_budget();
		pthread_barrier_wait(&t->turn);
	}
	return NULL;
}

static void let_work(struct in_turn *t)
{
	pthread_barrier_wait(&t->turn);
	/* It works now. */
	pthread_barrier_wait(&t->turn);
}

/* One who came first has what one alone may have. With a second there is more; with more of them all give up some. */
static void budgets_become_fair(void **state)
{
	uint64_t step = 2 * 4096, alone, cap;
	struct in_turn t[THREADS];

	(void)state;
	replace_many();
	alone = own_budget();
	assert_true(alone + step > zsi_cache_cap(pool));
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_barrier_init(&t[i].turn, NULL, 2), 0);
		assert_int_equal(pthread_create(&t[i].thread, NULL, churn_in_turn, &t[i]), 0);
		let_work(&t[i]);
		if (i == 0) {
			assert_true(zsi_cache_cap(pool) > alone + step);
			assert_true(t[0].budget >= step);
		}
	}
	for (unsigned round = 0; round < 2; round++) {
		replace_many();
		for (unsigned i = 0; i < THREADS; i++)
			let_work(&t[i]);
	}
	cap = zsi_cache_cap(pool);
	assert_in_range(pool->cache_granted, 1, cap);
	assert_true(own_budget() < alone);
	assert_true(own_budget() <= cap / (THREADS + 1) + 2 * step);
	for (unsigned i = 0; i < THREADS; i++)
		assert_in_range(t[i].budget, step, cap / 2);
	assert_int_equal(zs_pool_validate(pool), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		let_work(&t[i]);
		assert_int_equal(pthread_join(t[i].thread, NULL), 0);
		assert_int_equal(pthread_barrier_destroy(&t[i].turn), 0);
	}
}

/* What was freed serves the next malloc of a size a little smaller, whose size it has then. */
static void a_near_bin_serves(void **state)
{
	unsigned near = 0;

	(void)state;
	for (unsigned i = 0; i < N; i++)
		replace(i);
	(void)zs_compact(pool);
	for (unsigned i = 0; i < 200; i++) {
		zs_handle large = zs_malloc(pool, 2048, 0);

		assert_int_not_equal(large, 0);
		zs_free(pool, large);
		uint64_t requested = stats().bytes_requested;
		zs_handle small = zs_malloc(pool, 2048 - 16 - 5, 0);

		assert_int_not_equal(small, 0);
		near += zs_usable_size(pool, small) == 2048;
		assert_int_equal(stats().bytes_requested, requested + 2048 - 16 - 5);
		zs_free(pool, small);
		/* But not for one that is much smaller. */
		zs_handle other = zs_malloc(pool, 1900, 0);

		assert_true(zs_usable_size(pool, other) < 2000);
		zs_free(pool, other);
	}
	assert_true(near > 50);
	assert_int_equal(stats().obj_used, N);
	for (unsigned i = 0; i < N; i++)
		check(i);
}

static void *churn(void *arg)
{
	unsigned number = (unsigned)(uintptr_t)arg;

	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = number; i < N; i += THREADS)
			replace(i);
	pthread_barrier_wait(&barrier);
	/* The main thread looks now. */
	pthread_barrier_wait(&barrier);
	return arg;
}

static void bounded_and_given_back_by_threads_that_end(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS + 1), 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, churn, (void *)i), 0);
	pthread_barrier_wait(&barrier);
	assert_in_range(cached_bytes(), 1, zsi_cache_cap(pool));
	assert_in_range(pool->cache_granted, 1, zsi_cache_cap(pool));
	assert_in_range(zsi_cache_cap(pool), 32768, (uint64_t)zs_get_total_pages(pool) * 4096 / 16);
	assert_int_equal(stats().obj_used, N);
	assert_int_equal(zs_pool_validate(pool), 0);
	pthread_barrier_wait(&barrier);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	(void)zs_compact(pool);
	for (const struct zsi_cache *c = pool->caches; c != NULL; c = c->pool_next)
		assert_int_equal(c->left, c->budget);
	assert_int_equal(stats().obj_used, N);
	for (unsigned i = 0; i < N; i++) {
		check(i);
		zs_free(pool, h[i]);
	}
	(void)zs_compact(pool);
	assert_int_equal(zs_get_total_pages(pool), 0);
	assert_int_equal(stats().bytes_requested, 0);
	pthread_barrier_destroy(&barrier);
}

/* --- misuse --- */

static enum zs_misuse_reason last_reason;
static unsigned misuses;

static void note(const struct zs_misuse *m, void *arg)
{
	(void)arg;
	last_reason = m->reason;
	misuses++;
}

static void a_cached_object_is_as_freed_as_any(void **state)
{
	zs_handle old = h[5];

	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		replace(i);
	old = h[5];
	uint64_t before = cached_bytes();

	zs_free(pool, old);
	assert_true(cached_bytes() > before);
	misuses = 0;
	(void)zs_set_misuse_handler(note, NULL);
	errno = 4711;
	zs_free(pool, old);
	assert_int_equal(errno, 4711);
	assert_int_equal(misuses, 1);
	assert_int_equal(last_reason, ZS_MISUSE_DOUBLE_FREE);
	assert_null(zs_obj_read_begin(pool, old, NULL));
	assert_int_equal(last_reason, ZS_MISUSE_STALE);
	assert_int_equal(zs_obj_write(pool, old, "x", 1), -1);
	assert_null(zs_map_object(pool, old, ZS_MM_RW));
	assert_int_equal(zs_usable_size(pool, old), 0);
	assert_int_equal(misuses, 5);
	h[5] = zs_malloc(pool, size_of(5), 0);
	assert_int_not_equal(h[5], old);
	assert_int_equal(zs_obj_write(pool, h[5], &(unsigned){ 5 }, sizeof(unsigned)), 0);
	zs_free(pool, old);
	assert_int_equal(misuses, 6);
	(void)zs_set_misuse_handler(NULL, NULL);
	for (unsigned i = 0; i < N; i++)
		check(i);
}

/* --- pools that go while threads live --- */

static void *use_pool_after_pool(void *arg)
{
	for (unsigned round = 0; round < 8; round++) {
		pthread_barrier_wait(&barrier);
		for (unsigned i = 0; i < 3000; i++)
			replace(i);
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

static void threads_outlive_pools(void **state)
{
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
	assert_int_equal(pthread_create(&t, NULL, use_pool_after_pool, NULL), 0);
	for (unsigned round = 0; round < 8; round++) {
		zs_destroy_pool(pool);
		fill_pool(0);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		assert_int_equal(zs_pool_validate(pool), 0);
		assert_int_equal(stats().obj_used, N);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
	pthread_barrier_destroy(&barrier);
}

/* --- the limit --- */

static void *free_and_stay(void *arg)
{
	for (unsigned i = 0; i < N; i++)
		replace(i);
	for (unsigned i = 0; i < 200; i++) {
		zs_free(pool, h[i]);
		h[i] = 0;
	}
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return arg;
}

/* Memory in another thread's cache is as good as free, also for one who may not wait. */
static void others_caches_serve_at_the_limit(void **state)
{
	unsigned served = 0;
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
	assert_int_equal(pthread_create(&t, NULL, free_and_stay, NULL), 0);
	pthread_barrier_wait(&barrier);
	uint64_t cached = cached_bytes();

	assert_true(cached > 0);
	/* In exactly those sizes, and then until there is nothing more. */
	for (unsigned i = 0; i < 200; i++) {
		h[i] = zs_malloc(pool, size_of(i), ZS_NOWAIT);
		served += h[i] != 0;
	}
	assert_true(served > 150);
	while (zs_malloc(pool, 2000, ZS_NOWAIT) != 0)
		;
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(cached_bytes(), 0);
	pthread_barrier_wait(&barrier);
	assert_int_equal(pthread_join(t, NULL), 0);
	pthread_barrier_destroy(&barrier);
}

/* --- fork --- */

static atomic_bool stop;

static void *churn_until(void *arg)
{
	for (unsigned i = 1; !atomic_load(&stop); i = (i + 2) % N)
		replace(i | 1);
	return arg;
}

static void a_child_has_all_of_it(void **state)
{
	pthread_t t;

	(void)state;
	atomic_store(&stop, false);
	for (unsigned i = 0; i < N; i += 2)
		replace(i);
	assert_int_equal(pthread_create(&t, NULL, churn_until, NULL), 0);
	for (unsigned round = 0; round < 8; round++) {
		usleep(1000);
		pid_t child = fork();

		if (child == 0) {
			struct zs_pool_stats s = stats();
			/* Of the other thread's object at most one is on its way. */
			bool ok = zs_pool_validate(pool) == 0 && s.obj_used >= N - 1 && s.obj_used <= N;

			for (unsigned i = 0; i < N; i += 2) {
				const unsigned *mem = zs_obj_read_begin(pool, h[i], NULL);

				ok = ok && mem != NULL && *mem == i;
				zs_obj_read_end(pool, h[i], mem);
				zs_free(pool, h[i]);
			}
			(void)zs_compact(pool);
			ok = ok && zs_pool_validate(pool) == 0 && pool->cache_granted == 0;
			_exit(ok ? 0 : 1);
		}
		int status;

		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(t, NULL), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(budgets_become_fair),
		TEST(a_near_bin_serves),
		TEST(the_next_malloc_gets_what_was_freed),
		TEST(off_by_flag_and_in_the_kernels_geometry),
		TEST(not_in_small_pools),
		TEST(bounded_and_given_back_by_threads_that_end),
		TEST(a_cached_object_is_as_freed_as_any),
		TEST(threads_outlive_pools),
		TEST(others_caches_serve_at_the_limit),
#if !defined(__SANITIZE_THREAD__)
		TEST(a_child_has_all_of_it),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
