/* SPDX-License-Identifier: BSD-3-Clause */
/* shrink_test.c - the background thread works, stops, and takes no policy that is out of range. */
#include "unit.h"

#include <check.h>
#include <eventually.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zsmalloc/zsmalloc.h>

#include "base/pace.h"
#include "pool/pool.h"

#define N 3000

static zs_handle h[N];

static struct zs_pool *wasteful(void)
{
	struct zs_pool *pool = zs_create_pool("shrink");

	for (unsigned i = 0; i < N; i++)
		h[i] = zs_malloc(pool, 1500, 0);
	for (unsigned i = 0; i < N; i++)
		if (i % 4 != 0)
			zs_free(pool, h[i]);
	assert_true(zs_shrinker_count(pool) > 100);
	return pool;
}

static void waste_goes(struct zs_pool *pool)
{
	EVENTUALLY(zs_shrinker_count(pool) * 100 <= zs_get_total_pages(pool));
}

static void works_and_stops(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = wasteful();

	(void)state;
	policy.interval_ms = 5;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	assert_int_equal(zs_register_shrinker(pool, &policy), -1);
	assert_int_equal(errno, EEXIST);
	waste_goes(pool);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_unregister_shrinker(pool);
	zs_unregister_shrinker(pool);
	/* And again, with the defaults; destroying the pool stops it. */
	assert_int_equal(zs_register_shrinker(pool, NULL), 0);
	zs_destroy_pool(pool);
}

/* Waste of six or seven thousandths: less than one percent, more than the half that is the default. */
#define MANY 40000u

static zs_handle many[MANY];

static struct zs_pool *hardly_wasteful(void)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	o.flags = ZS_POOL_NO_THREAD_CACHE;
	struct zs_pool *pool = zs_create_pool_with("hardly", &o);

	assert_non_null(pool);
	for (unsigned i = 0; i < MANY; i++)
		many[i] = zs_malloc(pool, 1500, 0);
	for (unsigned i = 0; i < MANY && zs_shrinker_count(pool) * 1000 <= zs_get_total_pages(pool) * 6; i += 40)
		zs_free(pool, many[i]);
	assert_in_range(zs_shrinker_count(pool) * 1000, zs_get_total_pages(pool) * 6, zs_get_total_pages(pool) * 9);
	return pool;
}

static void default_is_half_a_percent(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = hardly_wasteful();
	unsigned long waste = zs_shrinker_count(pool);

	(void)state;
	policy.interval_ms = 5;
	policy.waste_percent = 1;
	policy.flags = ZS_SHRINKER_NO_PSI;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	usleep(200000);
	assert_int_equal(zs_shrinker_count(pool), waste);
	zs_unregister_shrinker(pool);
	policy.waste_percent = 0;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	/* And once it works, it goes on to half of that. */
	EVENTUALLY(zs_shrinker_count(pool) * 10000 <= zs_get_total_pages(pool) * 25);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
}

/* The linker has the shrinker call this one in place of zsi_pace_pause(). */
uint64_t __real_zsi_pace_pause(struct zsi_pace *p, bool surge);
uint64_t __wrap_zsi_pace_pause(struct zsi_pace *p, bool surge);

/* And this one, so that the processor is as wanted as the test says. */
bool __real_zsi_pace_put_off(struct zsi_pace *p, uint64_t pause_ns);
bool __wrap_zsi_pace_put_off(struct zsi_pace *p, uint64_t pause_ns);

static atomic_uint surges, calms, put_off;
static _Atomic uint64_t forced_pause_ns; /* 0: the real one */
static atomic_bool alone;                /* where the pause is forced */

uint64_t __wrap_zsi_pace_pause(struct zsi_pace *p, bool surge)
{
	atomic_fetch_add(surge ? &surges : &calms, 1);
	uint64_t pause = __real_zsi_pace_pause(p, surge), forced = atomic_load(&forced_pause_ns);

	return forced != 0 ? forced : pause;
}

bool __wrap_zsi_pace_put_off(struct zsi_pace *p, uint64_t pause_ns)
{
	atomic_fetch_add(&put_off, 1);
	return atomic_load(&forced_pause_ns) == 0 ? __real_zsi_pace_put_off(p, pause_ns) : atomic_load(&alone);
}

/* Savings are for much waste: not for a little more than is tolerated, and not for the rest of what was much. */
static void spends_its_savings_in_a_surge(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;

	(void)state;
	policy.interval_ms = 5;
	policy.cpu_percent = 100;
	policy.flags = ZS_SHRINKER_NO_PSI;
	for (unsigned much = 0; much <= 1; much++) {
		struct zs_pool *pool = hardly_wasteful();

		for (unsigned i = 1; much && i < MANY; i += 2)
			zs_free(pool, many[i]);
		atomic_store(&surges, 0);
		atomic_store(&calms, 0);
		assert_int_equal(zs_register_shrinker(pool, &policy), 0);
		for (int i = 0; i < 2000 && zs_shrinker_count(pool) * 10000 > zs_get_total_pages(pool) * 25; i++)
			usleep(10000);
		assert_true(zs_shrinker_count(pool) * 10000 <= zs_get_total_pages(pool) * 25);
		zs_unregister_shrinker(pool);
		assert_int_equal(atomic_load(&surges) > 0, much);
		assert_true(atomic_load(&calms) > 0);
		assert_int_equal(zs_pool_validate(pool), 0);
		zs_destroy_pool(pool);
	}
}

/* Sleeps between slices are a minute: memory is back before only where they are left out. */
static struct zs_pool *with_long_sleeps(unsigned flags, bool is_alone)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = wasteful();

	policy.interval_ms = 1;
	policy.flags = ZS_SHRINKER_NO_PSI | flags;
	atomic_store(&forced_pause_ns, (uint64_t)60 * 1000000000u);
	atomic_store(&alone, is_alone);
	atomic_store(&put_off, 0);
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	EVENTUALLY(flags == 0 ? atomic_load(&put_off) > 0 : atomic_load(&pool->shrinker.runs) > 0);
	return pool;
}

static void end_long_sleeps(struct zs_pool *pool)
{
	zs_unregister_shrinker(pool);
	atomic_store(&forced_pause_ns, 0);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
}

/* One that is alone goes from slice to slice until the waste is gone and it is idle; others, and the strict, sleep. */
static void goes_on_where_nobody_wants_the_processor(void **state)
{
	struct zs_pool *pool = with_long_sleeps(0, true);

	(void)state;
	EVENTUALLY(atomic_load(&pool->shrinker.idle) == ZSI_SHRINKER_IDLE);
	assert_true(zs_shrinker_count(pool) * 100 <= zs_get_total_pages(pool));
	end_long_sleeps(pool);

	pool = with_long_sleeps(0, false);
	usleep(20000);
	assert_int_equal(atomic_load(&pool->shrinker.runs), 1);
	assert_int_not_equal(atomic_load(&pool->shrinker.idle), ZSI_SHRINKER_IDLE);
	end_long_sleeps(pool);

	pool = with_long_sleeps(ZS_SHRINKER_STRICT, true);
	usleep(20000);
	assert_int_equal(atomic_load(&pool->shrinker.runs), 1);
	assert_int_equal(atomic_load(&put_off), 0);
	end_long_sleeps(pool);
}

/* A free while it naps is noticed, and rings nothing. */
static void a_free_ends_its_quiet(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	(void)state;
	o.flags = ZS_POOL_NO_THREAD_CACHE;
	struct zs_pool *pool = zs_create_pool_with("quiet", &o);
	zs_handle object = zs_malloc(pool, 100, 0);

	atomic_store(&pool->shrinker.idle, ZSI_SHRINKER_NAPS);
	zs_free(pool, object);
	assert_int_equal(atomic_load(&pool->shrinker.idle), ZSI_SHRINKER_BUSY);
	assert_int_equal(atomic_load(&pool->shrinker.bell), 0);
	zs_destroy_pool(pool);
}

/* It sleeps while objects are only allocated, and wakes up for the first that is freed. */
static void is_woken_by_frees_alone(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	(void)state;
	o.flags = ZS_POOL_NO_THREAD_CACHE;
	policy.flags = ZS_SHRINKER_NO_PSI;
	policy.interval_ms = 1;
	struct zs_pool *pool = zs_create_pool_with("asleep", &o);

	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	EVENTUALLY(atomic_load(&pool->shrinker.idle) == ZSI_SHRINKER_IDLE);
	for (unsigned i = 0; i < N; i++)
		assert_int_not_equal(h[i] = zs_malloc(pool, 1 + i % 4096, 0), 0);
	assert_int_equal(atomic_load(&pool->shrinker.idle), 1);
	assert_int_equal(atomic_load(&pool->shrinker.wakeups), 0);
	zs_free(pool, h[0]);
	EVENTUALLY(atomic_load(&pool->shrinker.wakeups) > 0);
	zs_destroy_pool(pool);
}

/* A thread that sleeps for a minute is not waited for. */
static void stops_at_once(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = wasteful();

	(void)state;
	policy.interval_ms = 60000;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	alarm(100);
	zs_destroy_pool(pool);
	alarm(0);
}

static double seconds(clockid_t clock)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(clock, &ts), 0);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/*
 * Waste that can't be helped, because writers hold all objects, is not looked at more often than the policy pays for.
 */
static void keeps_to_its_share_of_the_processor(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool;
	double wall, used;

	(void)state;
	if (CHECK_TSAN || CHECK_ASAN)
		skip(); /* their own work counts too */
	pool = wasteful();
	for (unsigned i = 0; i < N; i += 4)
		assert_non_null(zs_map_object(pool, h[i], ZS_MM_RW));
	policy.interval_ms = 1;
	policy.cpu_percent = 1;
	wall = seconds(CLOCK_MONOTONIC);
	used = seconds(CLOCK_PROCESS_CPUTIME_ID);
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	usleep(1000000);
	zs_unregister_shrinker(pool);
	used = seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	assert_true(used < wall * 0.04);
	for (unsigned i = 0; i < N; i += 4)
		zs_unmap_object(pool, h[i]);
	zs_destroy_pool(pool);
}

static void policies_out_of_range(void **state)
{
	struct zs_pool *pool = zs_create_pool("policies");
#define BAD(...)                                                              \
	{                                                                     \
		.struct_size = sizeof(struct zs_shrinker_policy), __VA_ARGS__ \
	}
	const struct zs_shrinker_policy bad[] = {
		{ .struct_size = 0 },
		BAD(.waste_percent = 101),
		BAD(.cpu_percent = 101),
		BAD(.interval_ms = 60001),
		BAD(.psi_window_us = 499999),
		BAD(.psi_window_us = 10000001),
		BAD(.psi_stall_us = 1000001),
		BAD(.psi_window_us = 500000, .psi_stall_us = 500001),
		BAD(.flags = ZS_SHRINKER_STRICT << 1),
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		assert_int_equal(zs_register_shrinker(pool, &bad[i]), -1);
		assert_int_equal(errno, EINVAL);
	}
	zs_destroy_pool(pool);
}

static void lives_on_in_a_child(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = zs_create_pool("fork");
	int status;

	(void)state;
	if (CHECK_TSAN) {
		/* ThreadSanitizer has no threads in the child of a process that had some. */
		zs_destroy_pool(pool);
		skip();
	}
	policy.interval_ms = 5;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	/* A thread that begins has locks of a sanitizer's, which the child would wait for. */
	EVENTUALLY(atomic_load(&pool->shrinker.idle) == ZSI_SHRINKER_IDLE);
	for (unsigned i = 0; i < N; i++)
		h[i] = zs_malloc(pool, 1500, 0);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		for (unsigned i = 0; i < N; i++)
			if (i % 4 != 0)
				zs_free(pool, h[i]);
		waste_goes(pool);
		if (zs_pool_validate(pool) != 0)
			_exit(1);
		zs_destroy_pool(pool);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_is_half_a_percent),
		cmocka_unit_test(works_and_stops),
		cmocka_unit_test(spends_its_savings_in_a_surge),
		cmocka_unit_test(goes_on_where_nobody_wants_the_processor),
		cmocka_unit_test(a_free_ends_its_quiet),
		cmocka_unit_test(is_woken_by_frees_alone),
		cmocka_unit_test(stops_at_once),
		cmocka_unit_test(policies_out_of_range),
		cmocka_unit_test(keeps_to_its_share_of_the_processor),
		cmocka_unit_test(lives_on_in_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
