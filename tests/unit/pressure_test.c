/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pressure_test.c - the shrinker sleeps until there is work, and memory pressure is work: with reports, refusals and
 * breaks that the test makes, in place of the kernel's.
 */
#include "unit.h"

#include <check.h>
#include <eventually.h>
#include <fake_psi.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <zsmalloc/zsmalloc.h>

#include "base/pace.h"
#include "pool/pool.h"

#define N 3000

static zs_handle h[N];

static int play_kernel(void **state)
{
	(void)state;
	fake_psi_install();
	return 0;
}

/* --- pools --- */

static struct zs_pool *filled(void)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	/* What is freed is to reach its class at once. */
	o.flags = ZS_POOL_NO_THREAD_CACHE;
	struct zs_pool *pool = zs_create_pool_with("pressure", &o);

	assert_non_null(pool);
	for (unsigned i = 0; i < N; i++) {
		h[i] = zs_malloc(pool, 1500, 0);
		assert_true(h[i] != 0);
	}
	return pool;
}

static void free_most(struct zs_pool *pool)
{
	for (unsigned i = 0; i < N; i++)
		if (i % 4 != 0)
			zs_free(pool, h[i]);
	assert_true(zs_shrinker_count(pool) > 100);
}

static struct zs_pool_stats stats(struct zs_pool *pool)
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;

	zs_pool_stats(pool, &s);
	return s;
}

static bool asleep(struct zs_pool *pool)
{
	return atomic_load(&pool->shrinker.idle) == ZSI_SHRINKER_IDLE;
}

static uint64_t wakeups(struct zs_pool *pool)
{
	return atomic_load(&pool->shrinker.wakeups);
}

/* --- tests --- */

/* Waste that the threshold tolerates stays until memory is short. */
static void pressure_compacts_below_the_threshold(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = filled();

	(void)state;
	policy.waste_percent = 100;
	policy.interval_ms = 1;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	assert_int_equal(stats(pool).pressure_armed, 1);
	assert_string_equal(fake_psi.path, "/proc/pressure/memory");
	assert_int_equal(fake_psi.window_us, 1000000);
	assert_int_equal(fake_psi.stall_us, 100000);
	free_most(pool);
	usleep(50000);
	assert_int_equal(stats(pool).shrinker_runs, 0);
	assert_true(zs_shrinker_count(pool) > 100);
	fake_psi_report(1);
	EVENTUALLY(zs_shrinker_count(pool) == 0);
	assert_int_equal(stats(pool).pressure_events, 1);
	EVENTUALLY(stats(pool).shrinker_runs > 0);
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
}

/* A report cuts the interval short. */
static void pressure_does_not_wait_for_the_interval(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = filled();

	(void)state;
	policy.interval_ms = 60000;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	free_most(pool);
	fake_psi_report(1);
	EVENTUALLY(zs_shrinker_count(pool) == 0);
	zs_destroy_pool(pool);
}

/* The linker has the shrinker call this one in place of zsi_pace_pause(). */
uint64_t __real_zsi_pace_pause(struct zsi_pace *p, bool surge);
uint64_t __wrap_zsi_pace_pause(struct zsi_pace *p, bool surge);

static atomic_bool share_is_used_up;

uint64_t __wrap_zsi_pace_pause(struct zsi_pace *p, bool surge)
{
	uint64_t pause_ns = __real_zsi_pace_pause(p, surge);

	return atomic_load(&share_is_used_up) ? UINT64_MAX / 4 : pause_ns;
}

/* Reports as fast as they come do not cut short the sleep that keeps the thread to the policy's share. */
static void reports_keep_to_the_share(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = filled();

	(void)state;
	policy.flags = ZS_SHRINKER_STRICT;
	atomic_store(&share_is_used_up, true);
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	fake_psi_report(1);
	EVENTUALLY(stats(pool).shrinker_runs == 1);
	for (int i = 0; i < 100; i++) {
		fake_psi_report(1);
		usleep(200);
	}
	EVENTUALLY(stats(pool).pressure_events == 101);
	usleep(20000);
	assert_int_equal(stats(pool).shrinker_runs, 1);
	atomic_store(&share_is_used_up, false);
	zs_destroy_pool(pool);
}

/* An idle pool costs nothing: no look between two frees, and one wake-up a sleep however much is freed. */
static void sleeps_until_something_is_freed(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = filled();
	uint64_t before;

	(void)state;
	policy.interval_ms = 1;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	EVENTUALLY(asleep(pool));
	usleep(20000);
	before = wakeups(pool);
	usleep(200000);
	assert_int_equal(wakeups(pool), before);
	zs_free(pool, h[0]);
	EVENTUALLY(wakeups(pool) == before + 1 && asleep(pool));
	usleep(100000);
	assert_int_equal(wakeups(pool), before + 1);
	free_most(pool);
	EVENTUALLY(zs_shrinker_count(pool) * 100 <= zs_get_total_pages(pool));
	zs_destroy_pool(pool);
}

/* However many are freed, the thread is rung for once, until it sleeps again. */
static void is_woken_once_a_sleep(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = filled();
	uint64_t before;

	(void)state;
	policy.interval_ms = 60000;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	EVENTUALLY(asleep(pool));
	before = wakeups(pool);
	free_most(pool);
	EVENTUALLY(wakeups(pool) == before + 1);
	assert_false(asleep(pool));
	usleep(50000);
	assert_int_equal(wakeups(pool), before + 1);
	assert_int_equal(stats(pool).shrinker_runs, 0);
	zs_destroy_pool(pool);
}

/* Waste that writers hold is given up on, and taken up again when something changes. */
static void gives_up_on_what_stays(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = filled();
	unsigned long runs;

	(void)state;
	free_most(pool);
	for (unsigned i = 0; i < N; i += 4)
		assert_non_null(zs_map_object(pool, h[i], ZS_MM_RW));
	policy.interval_ms = 1;
	policy.cpu_percent = 100;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	EVENTUALLY(stats(pool).shrinker_runs > 0 && asleep(pool));
	usleep(20000);
	EVENTUALLY(asleep(pool));
	runs = stats(pool).shrinker_runs;
	usleep(200000);
	assert_int_equal(stats(pool).shrinker_runs, runs);
	for (unsigned i = 0; i < N; i += 4)
		zs_unmap_object(pool, h[i]);
	for (unsigned i = 0; i < N / 2; i += 4)
		zs_free(pool, h[i]);
	EVENTUALLY(zs_shrinker_count(pool) * 100 <= zs_get_total_pages(pool));
	zs_destroy_pool(pool);
}

/* Reports are refused, or break off at once. */
static void works_without_reports(const char *what)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = filled();

	print_message("%s\n", what);
	policy.interval_ms = 1;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	EVENTUALLY(stats(pool).pressure_armed == 0);
	free_most(pool);
	EVENTUALLY(zs_shrinker_count(pool) * 100 <= zs_get_total_pages(pool));
	assert_int_equal(stats(pool).pressure_events, 0);
	zs_destroy_pool(pool);
}

static void refused_or_missing(void **state)
{
	const int errors[] = { EPERM, EACCES, ENOENT, EOPNOTSUPP, EINVAL, ENOMEM, ENOSYS };

	(void)state;
	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fake_psi.open_error = errors[i];
		works_without_reports(strerror(errors[i]));
	}
	assert_int_equal(fake_psi.opened, sizeof(errors) / sizeof(errors[0]));
}

/* The cgroup was removed: no thread spins on it. */
static void breaks(void **state)
{
	(void)state;
	fake_psi_break();
	works_without_reports("broken from the start");
}

static void breaks_later(void **state)
{
	struct zs_pool *pool = filled();

	(void)state;
	assert_int_equal(zs_register_shrinker(pool, NULL), 0);
	fake_psi_report(1);
	EVENTUALLY(stats(pool).pressure_events == 1);
	assert_int_equal(stats(pool).pressure_armed, 1);
	fake_psi_break();
	EVENTUALLY(stats(pool).pressure_armed == 0);
	free_most(pool);
	EVENTUALLY(zs_shrinker_count(pool) * 100 <= zs_get_total_pages(pool));
	zs_unregister_shrinker(pool);
	zs_destroy_pool(pool);
}

static void not_asked_for(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = filled();

	(void)state;
	policy.flags = ZS_SHRINKER_NO_PSI;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	assert_int_equal(stats(pool).pressure_armed, 0);
	assert_int_equal(fake_psi.opened, 0);
	zs_destroy_pool(pool);
}

/* The path is copied, and the struct of version 0.1, which ends before it, is taken with the defaults. */
static void policies_of_callers(void **state)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zs_pool *pool = zs_create_pool("policies");
	char path[] = "/sys/fs/cgroup/some/memory.pressure";

	(void)state;
	policy.psi_path = path;
	policy.psi_window_us = 4000000;
	policy.psi_stall_us = 70000;
	assert_int_equal(zs_register_shrinker(pool, &policy), 0);
	memset(path, 'x', sizeof(path) - 1);
	assert_string_equal(pool->shrinker.policy.psi_path, "/sys/fs/cgroup/some/memory.pressure");
	assert_string_equal(fake_psi.path, "/sys/fs/cgroup/some/memory.pressure");
	assert_int_equal(fake_psi.window_us, 4000000);
	assert_int_equal(fake_psi.stall_us, 70000);
	zs_unregister_shrinker(pool);
	assert_int_equal(stats(pool).pressure_armed, 0);

	struct {
		size_t struct_size;
		unsigned waste_percent, cpu_percent, interval_ms;
	} old = { sizeof(old), 0, 0, 0 };

	_Static_assert(sizeof(old) == offsetof(struct zs_shrinker_policy, psi_path),
		       "nothing in the old one's padding");
	memset((char *)&old + offsetof(struct zs_shrinker_policy, interval_ms) + sizeof(unsigned), 0xff,
	       sizeof(old) - offsetof(struct zs_shrinker_policy, interval_ms) - sizeof(unsigned));
	assert_int_equal(zs_register_shrinker(pool, (const void *)&old), 0);
	assert_string_equal(fake_psi.path, "/proc/pressure/memory");
	assert_int_equal(stats(pool).pressure_armed, 1);
	zs_destroy_pool(pool);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, play_kernel)
	const struct CMUnitTest tests[] = {
		TEST(pressure_compacts_below_the_threshold),
		TEST(pressure_does_not_wait_for_the_interval),
		TEST(reports_keep_to_the_share),
		TEST(sleeps_until_something_is_freed),
		TEST(is_woken_once_a_sleep),
		TEST(gives_up_on_what_stays),
		TEST(refused_or_missing),
		TEST(breaks),
		TEST(breaks_later),
		TEST(not_asked_for),
		TEST(policies_of_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
