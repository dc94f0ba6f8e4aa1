/* SPDX-License-Identifier: BSD-3-Clause */
/* pace.c - see pace.h. */
#include "base/pace.h"

#include <time.h>

/* What is saved up at most: the share of so much time. */
#define SAVED_TIME_NS ((uint64_t)10 * 1000000000u)

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

	return (struct zsi_spent){ .wall_ns = zsi_now_ns(), .cpu_ns = cpu_ns };
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
	p->start = (struct zsi_spent){ .wall_ns = p->at.wall_ns, .cpu_ns = cpu_ns };
}

uint64_t zsi_pace_pause(struct zsi_pace *p, bool surge)
{
	enter(p);
	if (surge)
		return p->saved_ns >= 0 ? 0 : (uint64_t)-p->saved_ns * 100 / p->percent;
	uint64_t worked = p->at.cpu_ns - p->start.cpu_ns, passed = p->at.wall_ns - p->start.wall_ns;
	uint64_t all = worked * 100 / p->percent;

	return all > passed ? all - passed : 0;
}
