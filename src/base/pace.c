/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pace.c - a thread's share of the processor: what it owes in sleep, what it saved up, and whether others want to
 * run.
 */
#include "base/pace.h"

#include <sys/resource.h>
#include <time.h>

#include "base/bits.h"

/* What is saved up at most: the share of so much time. */
#define SAVED_TIME_NS ((uint64_t)10 * 1000000000u)

/*
 * Work without being taken off the processor after which nobody can have waited for it: one tick of a kernel that has a
 * hundred a second, three of one with 250.
 */
#define ALONE_NS ((uint64_t)12 * 1000000u)

/* Who takes the processor for less than this share of a piece of work is the kernel itself, with something short. */
#define MOMENTS_SHARE 8u

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t zsi_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static struct zsi_spent spent_now(void)
{
	uint64_t cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
	struct rusage usage = { .ru_nivcsw = 0 };

	(void)getrusage(RUSAGE_THREAD, &usage);
	return (struct zsi_spent){ .wall_ns = zsi_now_ns(), .cpu_ns = cpu_ns, .taken = (uint64_t)usage.ru_nivcsw };
}

/* Enter what passed since the last time. */
static void enter(struct zsi_pace *p)
{
	struct zsi_spent now = spent_now();
	int64_t earned = (int64_t)((now.wall_ns - p->at.wall_ns) / 100 * p->percent);
	int64_t most = (int64_t)(SAVED_TIME_NS / 100 * p->percent);

	p->saved_ns += earned - (int64_t)(now.cpu_ns - p->at.cpu_ns);
	if (p->saved_ns > most)
		p->saved_ns = most;
	p->at = now;
}

void zsi_pace_init(struct zsi_pace *p, unsigned percent)
{
	struct zsi_spent now = spent_now();

	*p = (struct zsi_pace){ .percent = percent, .start = now, .at = now };
}

void zsi_pace_start(struct zsi_pace *p)
{
	/* Waking up is work as well. */
	uint64_t cpu_ns = p->at.cpu_ns;

	enter(p);
	p->start = (struct zsi_spent){ .wall_ns = p->at.wall_ns, .cpu_ns = cpu_ns, .taken = p->at.taken };
}

uint64_t zsi_pace_pause(struct zsi_pace *p, bool surge)
{
	enter(p);
	uint64_t worked = p->at.cpu_ns - p->start.cpu_ns, passed = p->at.wall_ns - p->start.wall_ns;
	uint64_t all = worked * 100 / p->percent, put_off = p->put_off_ns;
	/* Readers and locks are waited for as well: that alone doesn't count. */
	bool alone = p->at.taken == p->start.taken || (passed - zsi_min(worked, passed)) * MOMENTS_SHARE < passed;

	p->alone_ns = alone ? p->alone_ns + worked : 0;
	p->put_off_ns = 0;
	if (surge)
		return p->saved_ns >= 0 ? 0 : (uint64_t)-p->saved_ns * 100 / p->percent;
	return put_off + (all > passed ? all - passed : 0);
}

bool zsi_pace_put_off(struct zsi_pace *p, uint64_t pause_ns)
{
	if (p->alone_ns == 0)
		return false;
	if (p->alone_ns < ALONE_NS)
		p->put_off_ns = pause_ns;
	else if (p->saved_ns < 0)
		p->saved_ns = 0;
	return true;
}
