/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shrink.c - compaction in the background.
 *
 * One thread a pool, asleep for the policy's interval between two looks. Where the waste passes the threshold it
 * compacts a slice, measures how long that took, and sleeps so long that its share of the processor stays within the
 * policy; slice and sleep repeat until the waste is gone. It sleeps on a futex, so that unregistering never waits out a
 * sleep; a file descriptor would be closed behind its back by programs that close all of theirs after a fork.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "zsmalloc/pool.h"
#include "zsmalloc/stats.h"
#include "zsmalloc/versioned.h"

#define DEFAULT_WASTE_PERCENT 1u
#define DEFAULT_CPU_PERCENT 5u
#define DEFAULT_INTERVAL_MS 100u
#define MAX_INTERVAL_MS 60000u

/* One slice of work: short against the intervals, long against waking up. */
#define SLICE_NS 2000000u

unsigned long zs_shrinker_count(struct zs_pool *pool)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		struct zsi_class_stats stats;

		zsi_class_stats(pool, i, &stats);
		pages += stats.freeable;
	}
	return (unsigned long)pages;
}

static bool too_much_waste(struct zs_pool *pool, const struct zs_shrinker_policy *policy)
{
	return zs_shrinker_count(pool) * 100 > (uint64_t)zs_get_total_pages(pool) * policy->waste_percent;
}

/* Sleep; true when it is time to stop. */
static bool sleep_or_stop(_Atomic uint32_t *stop, uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };

	/* Woken early, by a signal of ours or of nobody's: the next look comes early too, which does no harm. */
	(void)syscall(SYS_futex, stop, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0);
	return atomic_load_explicit(stop, memory_order_relaxed) != 0;
}

static void *shrink(void *arg)
{
	struct zs_pool *pool = arg;
	const struct zs_shrinker_policy policy = pool->shrinker.policy;
	_Atomic uint32_t *stop = &pool->shrinker.stop;
	uint64_t interval_ns = (uint64_t)policy.interval_ms * 1000000u;
	uint64_t sleep_ns = interval_ns;

	while (!sleep_or_stop(stop, sleep_ns)) {
		uint64_t start = zsi_now_ns();
		unsigned long freed = too_much_waste(pool, &policy) ? zs_compact_budget(pool, 0, SLICE_NS) : 0;

		/* worked / (worked + asleep) = cpu_percent / 100; and without success no sooner than the next look */
		sleep_ns = (zsi_now_ns() - start) * (100 - policy.cpu_percent) / policy.cpu_percent;
		if (freed == 0 && sleep_ns < interval_ns)
			sleep_ns = interval_ns;
	}
	return NULL;
}

/* With the shrinker's lock held and a policy in place. 0, or an errno value. */
static int start_locked(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;
	sigset_t all, old;
	int error;

	atomic_store_explicit(&s->stop, 0, memory_order_relaxed);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(&s->thread, NULL, shrink, pool);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	s->running = error == 0;
	return error;
}

static bool read_policy(struct zs_shrinker_policy *to, const struct zs_shrinker_policy *from)
{
	*to = (struct zs_shrinker_policy)ZS_SHRINKER_POLICY_INIT;
	if (from != NULL && !zsi_copy_versioned(to, sizeof(*to), from, sizeof(size_t)))
		return false;
	if (to->waste_percent == 0)
		to->waste_percent = DEFAULT_WASTE_PERCENT;
	if (to->cpu_percent == 0)
		to->cpu_percent = DEFAULT_CPU_PERCENT;
	if (to->interval_ms == 0)
		to->interval_ms = DEFAULT_INTERVAL_MS;
	return to->waste_percent <= 100 && to->cpu_percent <= 100 && to->interval_ms <= MAX_INTERVAL_MS;
}

int zs_register_shrinker(struct zs_pool *pool, const struct zs_shrinker_policy *policy)
{
	struct zsi_shrinker *s = &pool->shrinker;
	struct zs_shrinker_policy read;
	int error;

	if (!read_policy(&read, policy)) {
		errno = EINVAL;
		return -1;
	}
	zsi_lock(&s->lock, ZSI_RANK_SHRINKER);
	if (s->registered) {
		error = EEXIST;
	} else {
		s->policy = read;
		error = start_locked(pool);
		s->registered = error == 0;
	}
	zsi_unlock(&s->lock, ZSI_RANK_SHRINKER);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

void zs_unregister_shrinker(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;

	zsi_lock(&s->lock, ZSI_RANK_SHRINKER);
	if (s->running) {
		atomic_store_explicit(&s->stop, 1, memory_order_relaxed);
		(void)syscall(SYS_futex, &s->stop, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		pthread_join(s->thread, NULL);
	}
	s->running = false;
	s->registered = false;
	atomic_store_explicit(&s->lost, false, memory_order_relaxed);
	zsi_unlock(&s->lock, ZSI_RANK_SHRINKER);
}

void zsi_shrinker_revive(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;

	zsi_lock(&s->lock, ZSI_RANK_SHRINKER);
	if (atomic_load_explicit(&s->lost, memory_order_relaxed)) {
		atomic_store_explicit(&s->lost, false, memory_order_relaxed);
		/* Without a thread the child compacts when it asks for it, as without a shrinker. */
		if (start_locked(pool) != 0)
			s->registered = false;
	}
	zsi_unlock(&s->lock, ZSI_RANK_SHRINKER);
}
