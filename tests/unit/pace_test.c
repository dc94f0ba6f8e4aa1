/* SPDX-License-Identifier: BSD-3-Clause */
/* pace_test.c - the sleeps that keep a thread to its share, and the savings of it. The clocks are the test's. */
#include "unit.h"

#include <time.h>

#include "base/pace.h"

#define SECOND ((uint64_t)1000000000)

/* The linker has everything call this one in place of clock_gettime(). */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

static uint64_t wall_now = 1000 * SECOND, cpu_now = 100 * SECOND;

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

/*
 * A piece of work of `cpu` in `wall`, with the processor taken away so many times; anew where the kernel really took it
 * away meanwhile. Returns the pause.
 */
static uint64_t piece(struct zsi_pace *p, uint64_t wall, uint64_t cpu, unsigned taken)
{
	struct zsi_pace before = *p;
	uint64_t pause;

	do {
		*p = before;
		zsi_pace_start(p);
		p->start.taken -= taken;
		let_pass(p, wall, cpu);
		pause = zsi_pace_pause(p, false);
	} while (p->at.taken - p->start.taken != taken);
	return pause;
}

#define MS ((uint64_t)1000000)

/* Pauses are 400 ms less the time that the work took, and a quarter of that is allowed for the test itself. */
static void who_is_alone_need_not_sleep(void **state)
{
	struct zsi_pace p;
	uint64_t pause;

	(void)state;
	/* Too short to know: the sleep is put off, and owed. */
	zsi_pace_init(&p, 1);
	pause = piece(&p, 4 * MS, 4 * MS, 0);
	assert_true(pause >= 300 * MS);
	assert_true(zsi_pace_put_off(&p, pause));
	assert_int_equal(p.put_off_ns, pause);
	/* Somebody comes: all of it. */
	pause = piece(&p, 8 * MS, 4 * MS, 1);
	assert_true(pause >= 600 * MS);
	assert_false(zsi_pace_put_off(&p, pause));
	assert_int_equal(p.put_off_ns, 0);
	/* Nobody came for long: nothing is owed, by no account. */
	for (unsigned i = 0; i < 4; i++)
		assert_true(zsi_pace_put_off(&p, piece(&p, 4 * MS, 4 * MS, 0)));
	assert_int_equal(p.put_off_ns, 0);
	assert_true(p.saved_ns >= 0);
	/* Then somebody comes: only the last piece is paid for. */
	pause = piece(&p, 8 * MS, 4 * MS, 1);
	assert_true(pause >= 300 * MS && pause < 600 * MS);
	assert_false(zsi_pace_put_off(&p, pause));
}

static void waiting_and_moments_are_nobody(void **state)
{
	struct zsi_pace p;

	(void)state;
	/* It waited for a lock or for readers: nobody took the processor. */
	zsi_pace_init(&p, 10);
	(void)piece(&p, 100 * MS, 4 * MS, 0);
	assert_true(zsi_pace_put_off(&p, MS));
	/* The kernel did something short in between: in two seconds a tenth of one. */
	zsi_pace_init(&p, 10);
	(void)piece(&p, 2 * SECOND + SECOND / 10, 2 * SECOND, 3);
	assert_true(zsi_pace_put_off(&p, MS));
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
