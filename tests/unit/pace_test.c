/* SPDX-License-Identifier: BSD-3-Clause */
/* pace_test.c - the sleeps that keep a thread to its share, and the savings of it. The clocks are the test's. */
#include "unit.h"

#include <sys/resource.h>
#include <time.h>

#include "base/pace.h"

#define SECOND ((uint64_t)1000000000)

/* The linker has everything call this one in place of clock_gettime(). */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

/* And this one in place of getrusage(). */
int __wrap_getrusage(int who, struct rusage *usage);

static uint64_t wall_now = 1000 * SECOND, cpu_now = 100 * SECOND;
static long taken_now = 5;

int __wrap_getrusage(int who, struct rusage *usage)
{
	assert_int_equal(who, RUSAGE_THREAD);
	usage->ru_nivcsw = taken_now;
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	uint64_t now = clock == CLOCK_MONOTONIC ? wall_now : cpu_now;

	assert_true(clock == CLOCK_MONOTONIC || clock == CLOCK_THREAD_CPUTIME_ID);
	*ts = (struct timespec){ (time_t)(now / SECOND), (long)(now % SECOND) };
	return 0;
}

/* `wall` passes, and `cpu` of it the thread works. */
static void let_pass(uint64_t wall, uint64_t cpu)
{
	wall_now += wall;
	cpu_now += cpu;
}

static void sleeps_for_what_was_worked(void **state)
{
	struct zsi_pace p;

	(void)state;
	/* 2 s of work in 3 s are a tenth of 20 s. */
	zsi_pace_init(&p, 10);
	zsi_pace_start(&p);
	let_pass(3 * SECOND, 2 * SECOND);
	assert_int_equal(zsi_pace_pause(&p, false), 17 * SECOND);

	/* Most of the time it waited: that was rest enough. */
	zsi_pace_start(&p);
	let_pass(3 * SECOND, SECOND / 5);
	assert_int_equal(zsi_pace_pause(&p, false), 0);

	zsi_pace_init(&p, 100);
	zsi_pace_start(&p);
	let_pass(3 * SECOND, 3 * SECOND);
	assert_int_equal(zsi_pace_pause(&p, false), 0);
}

static void a_surge_spends_savings_first(void **state)
{
	struct zsi_pace p;

	(void)state;
	zsi_pace_init(&p, 10);
	/* 5 s at rest: half a second is saved. */
	let_pass(5 * SECOND, 0);
	zsi_pace_start(&p);
	assert_int_equal(p.saved_ns, SECOND / 2);
	let_pass(SECOND / 5, SECOND / 5);
	assert_int_equal(zsi_pace_pause(&p, true), 0);
	assert_int_equal(p.saved_ns, SECOND * 32 / 100);
	/* One second more, which earns a tenth: 0.58 s are owed, the tenth part of 5.8. */
	zsi_pace_start(&p);
	let_pass(SECOND, SECOND);
	uint64_t pause = zsi_pace_pause(&p, true);

	assert_int_equal(pause / 10, SECOND * 58 / 100);
	/* When it was slept, nothing is owed any more. */
	let_pass(pause, 0);
	zsi_pace_start(&p);
	assert_int_equal(p.saved_ns, 0);
}

static void savings_end_after_ten_seconds(void **state)
{
	struct zsi_pace p;

	(void)state;
	zsi_pace_init(&p, 5);
	let_pass(3600 * SECOND, 0);
	zsi_pace_start(&p);
	assert_int_equal(p.saved_ns, SECOND / 2);
}

/* A piece of work, in which the processor is taken away so many times. Returns the pause. */
static uint64_t piece(struct zsi_pace *p, uint64_t wall, uint64_t cpu, long taken)
{
	zsi_pace_start(p);
	let_pass(wall, cpu);
	taken_now += taken;
	return zsi_pace_pause(p, false);
}

#define MS ((uint64_t)1000000)

static void who_is_alone_need_not_sleep(void **state)
{
	struct zsi_pace p;

	(void)state;
	/* Too short to know: the sleep is put off, and owed. */
	zsi_pace_init(&p, 10);
	assert_int_equal(piece(&p, 4 * MS, 4 * MS, 0), 36 * MS);
	assert_true(zsi_pace_put_off(&p, 36 * MS));
	/* Somebody comes: all of it. */
	assert_int_equal(piece(&p, 8 * MS, 4 * MS, 1), (36 + 32) * MS);
	assert_false(zsi_pace_put_off(&p, 68 * MS));
	/* Once it is slept, nothing is owed. */
	assert_int_equal(piece(&p, 4 * MS, 4 * MS, 0), 36 * MS);
	assert_true(zsi_pace_put_off(&p, 36 * MS));
	assert_int_equal(piece(&p, 4 * MS, 4 * MS, 0), 72 * MS);
	assert_true(zsi_pace_put_off(&p, 72 * MS));
	/* Nobody came for long: nothing is owed, by no account. */
	assert_int_equal(piece(&p, 4 * MS, 4 * MS, 0), 108 * MS);
	assert_true(p.saved_ns < 0);
	assert_true(zsi_pace_put_off(&p, 108 * MS));
	assert_int_equal(p.saved_ns, 0);
	assert_int_equal(piece(&p, 8 * MS, 4 * MS, 1), 32 * MS);
	assert_false(zsi_pace_put_off(&p, 32 * MS));
}

static void waiting_and_moments_are_nobody(void **state)
{
	struct zsi_pace p;

	(void)state;
	/* It waited for a lock or for readers: nobody took the processor. */
	zsi_pace_init(&p, 10);
	(void)piece(&p, 30 * MS, 4 * MS, 0);
	assert_true(zsi_pace_put_off(&p, MS));
	/* The kernel did something short in between: less than an eighth. */
	(void)piece(&p, 45 * MS / 10, 4 * MS, 3);
	assert_true(zsi_pace_put_off(&p, MS));
	(void)piece(&p, 47 * MS / 10, 4 * MS, 1);
	assert_false(zsi_pace_put_off(&p, MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeps_for_what_was_worked),
		cmocka_unit_test(a_surge_spends_savings_first),
		cmocka_unit_test(savings_end_after_ten_seconds),
		cmocka_unit_test(who_is_alone_need_not_sleep),
		cmocka_unit_test(waiting_and_moments_are_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
