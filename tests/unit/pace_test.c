/* SPDX-License-Identifier: BSD-3-Clause */
/* pace_test.c - the sleeps that keep a thread to its share, and the savings of it. Clocks are set back, nothing waits. */
#include "unit.h"

#include "base/pace.h"

#define SECOND ((uint64_t)1000000000)
#define SLACK ((int64_t)SECOND / 10) /* what passes while the test runs, under a sanitizer and on a busy machine */

/* As if `wall` more had passed since the piece of work began, and `cpu` of it worked. */
static void let_pass(struct zsi_pace *p, uint64_t wall, uint64_t cpu)
{
	p->start.wall_ns -= wall;
	p->start.cpu_ns -= cpu;
	p->at.wall_ns -= wall;
	p->at.cpu_ns -= cpu;
}

static void about(int64_t is, int64_t expected)
{
	assert_in_range((uint64_t)(is - expected + SLACK), 0, (uint64_t)(2 * SLACK));
}

static void sleeps_for_what_was_worked(void **state)
{
	struct zsi_pace p;

	(void)state;
	/* 2 s of work in 3 s are a tenth of 20 s. */
	zsi_pace_init(&p, 10);
	zsi_pace_start(&p);
	let_pass(&p, 3 * SECOND, 2 * SECOND);
	about((int64_t)zsi_pace_pause(&p, false), 17 * (int64_t)SECOND);

	/* Most of the time it waited: that was rest enough. */
	zsi_pace_start(&p);
	let_pass(&p, 3 * SECOND, SECOND / 5);
	assert_int_equal(zsi_pace_pause(&p, false), 0);

	zsi_pace_init(&p, 100);
	zsi_pace_start(&p);
	let_pass(&p, 3 * SECOND, 3 * SECOND);
	about((int64_t)zsi_pace_pause(&p, false), 0);
}

static void a_surge_spends_savings_first(void **state)
{
	struct zsi_pace p;

	(void)state;
	zsi_pace_init(&p, 10);
	/* 5 s at rest: half a second is saved. */
	let_pass(&p, 5 * SECOND, 0);
	zsi_pace_start(&p);
	about(p.saved_ns, (int64_t)SECOND / 2);
	let_pass(&p, SECOND / 5, SECOND / 5);
	assert_int_equal(zsi_pace_pause(&p, true), 0);
	about(p.saved_ns, (int64_t)SECOND * 32 / 100);
	/* One second more, which earns a tenth: 0.58 s are owed, the tenth part of 5.8. */
	zsi_pace_start(&p);
	let_pass(&p, SECOND, SECOND);
	uint64_t pause = zsi_pace_pause(&p, true);

	about((int64_t)pause / 10, (int64_t)SECOND * 58 / 100);
	/* When it was slept, nothing is owed any more. */
	let_pass(&p, pause, 0);
	zsi_pace_start(&p);
	about(p.saved_ns, 0);
}

static void savings_end_after_ten_seconds(void **state)
{
	struct zsi_pace p;

	(void)state;
	zsi_pace_init(&p, 5);
	let_pass(&p, 3600 * SECOND, 0);
	zsi_pace_start(&p);
	assert_int_equal(p.saved_ns, SECOND / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeps_for_what_was_worked),
		cmocka_unit_test(a_surge_spends_savings_first),
		cmocka_unit_test(savings_end_after_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
