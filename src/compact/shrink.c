/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * shrink.c - compaction in the background.
 *
 * One thread a pool. It sleeps without end while there is no waste worth removing:
 *
 *   idle -- something was freed --> wait for the interval -- waste above the threshold --> work --> idle
 *   idle -- memory pressure --> work, whatever the waste --> idle
 *
 * Work is slices of compaction with sleeps between them that keep its share of the processor within the policy, until
 * the waste is half of the threshold, or under pressure until there is none. Waste that stays because writers hold the
 * objects is tried again after ever longer pauses, at last only when it changes.
 *
 * While there is a multiple of the waste that is tolerated, as when many objects were freed at once, slices follow each
 * other without a sleep for as long as the thread has savings of its share.
 *
 * Beyond its share it works where that is in nobody's way: no other thread wants the processor (base/pace.h), and
 * hardly anybody frees objects of the pool, which would meet it on the classes' locks. The latter is seen in a nap of
 * a fraction of a millisecond between two slices.
 *
 * It sleeps on the bell, a futex, so that unregistering never waits out a sleep; a file descriptor would be closed
 * behind its back by programs that close all of theirs after a fork.
 *
 * No free is missed: the thread says that it is idle before it looks, and both it and whoever frees hold the class's
 * lock. Either the look comes after the free and sees it, or the lock shows the freeing thread that the other is idle.
 */
#include "compact/shrink.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "base/pace.h"
#include "base/quiet.h"
#include "base/versioned.h"
#include "compact/budget.h"
#include "compact/compact.h"
#include "compact/pressure.h"
#include "pages/space.h"
#include "pool/bell.h"
#include "pool/class_stats.h"
#include "pool/pool.h"

#define DEFAULT_WASTE_PERMILLE 5u
#define DEFAULT_CPU_PERCENT 5u
#define DEFAULT_INTERVAL_MS 100u
#define MAX_INTERVAL_MS 60000u

/* The kernel's limits of a window, and tasks that stall for a tenth of a second in a second. */
#define MIN_WINDOW_US 500000u
#define MAX_WINDOW_US 10000000u
#define DEFAULT_WINDOW_US 1000000u
#define DEFAULT_STALL_PART 10u

/* One slice of work: short against the intervals, long against waking up. */
#define SLICE_NS 4000000u

/* Work that was begun goes on until the waste is at this share of what is tolerated, in percent. */
#define ENOUGH_SHARE 50u

/* Waste that is a surge, as a share of what is tolerated, in percent. */
#define SURGE_SHARE 800u

/* In so long somebody who uses the pool in earnest frees an object. */
#define NAP_NS 300000u

/* Slices in a row that free nothing, each pause twice the one before, until the waste is left alone. */
#define FRUITLESS_SLICES 8u

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

static bool take_pressure(struct zsi_shrinker *s)
{
	return (atomic_fetch_and_explicit(&s->bell, ~ZSI_BELL_PRESSURE, memory_order_relaxed) & ZSI_BELL_PRESSURE) != 0;
}

/* Pages of waste if they are more than a share of what the policy tolerates, in percent; 0: they are not. */
static uint64_t waste_above(struct zs_pool *pool, unsigned share)
{
	unsigned percent = pool->shrinker.policy.waste_percent;
	uint64_t permille = percent != 0 ? percent * 10 : DEFAULT_WASTE_PERMILLE;
	uint64_t waste = zs_shrinker_count(pool);

	return waste * 1000 * 100 > (uint64_t)zs_get_total_pages(pool) * permille * share ? waste : 0;
}

static uint64_t too_much_waste(struct zs_pool *pool)
{
	return waste_above(pool, 100);
}

/*
 * Sleep until there may be work. left_alone: waste that was found to stay. Returns bits of the bell, or 0 where work
 * was there already.
 */
static uint32_t sleep_idle(struct zs_pool *pool, uint64_t left_alone)
{
	struct zsi_shrinker *s = &pool->shrinker;
	uint32_t bits = 0;
	uint64_t waste;

	atomic_store_explicit(&s->idle, ZSI_SHRINKER_IDLE, memory_order_relaxed);
	waste = too_much_waste(pool);
	if (waste == 0 || waste == left_alone)
		bits = zsi_bell_wait(pool, ZSI_BELL_STOP | ZSI_BELL_PRESSURE | ZSI_BELL_FREED, UINT64_MAX);
	atomic_store_explicit(&s->idle, ZSI_SHRINKER_BUSY, memory_order_relaxed);
	atomic_fetch_and_explicit(&s->bell, ~ZSI_BELL_FREED, memory_order_relaxed);
	return bits;
}

static bool nobody_frees(struct zs_pool *pool)
{
	_Atomic uint32_t *idle = &pool->shrinker.idle;

	atomic_store_explicit(idle, ZSI_SHRINKER_NAPS, memory_order_relaxed);
	(void)zsi_bell_wait(pool, ZSI_BELL_STOP, NAP_NS);
	return atomic_exchange_explicit(idle, ZSI_SHRINKER_BUSY, memory_order_relaxed) == ZSI_SHRINKER_NAPS;
}

/* The sleep that pays for all work since the pace's start; or none, where more work is in nobody's way. */
static void rest(struct zs_pool *pool, struct zsi_pace *pace, bool surge, bool worth_more)
{
	uint64_t ns = zsi_pace_pause(pace, surge);
	bool strict = (pool->shrinker.policy.flags & ZS_SHRINKER_STRICT) != 0;

	if (ns > 0 && worth_more && !strict && nobody_frees(pool) && zsi_pace_put_off(pace, ns))
		return;
	(void)zsi_bell_wait(pool, ZSI_BELL_STOP, ns);
}

/*
 * A slice of compaction, and the sleep that pays for all work since the pace's start. Returns the pages freed.
 *
 * What others need soon stays as long as there is other waste: the reserve, and what their caches have. And so does
 * what classes have that have little.
 */
static unsigned long run_slice(struct zs_pool *pool, struct zsi_pace *pace, bool thorough, bool pressure)
{
	struct zsi_compact_budget budget = { .bytes = UINT64_MAX,
					     .deadline_ns = zsi_now_ns() + SLICE_NS,
					     .pages = UINT64_MAX,
					     .skip_little = !thorough && !pressure,
					     .keep_caches = !thorough && !pressure,
					     .keep_reserve = !pressure };
	unsigned long freed = zsi_compact(pool, &budget);
	bool surge = pressure || waste_above(pool, SURGE_SHARE) != 0;

	atomic_fetch_add_explicit(&pool->shrinker.runs, 1, memory_order_relaxed);
	rest(pool, pace, surge, freed > 0 || !thorough);
	return freed;
}

/* What is left when the waste is gone: memory for slot words, and pages that were kept for reuse. */
static void clean_up(struct zs_pool *pool, struct zsi_pace *pace)
{
	zsi_pace_start(pace);
	while (!zsi_compact_words(pool, zsi_now_ns() + SLICE_NS) && zsi_bell_wait(pool, ZSI_BELL_STOP, 0) == 0) {
		rest(pool, pace, false, true);
		zsi_pace_start(pace);
	}
	(void)zsi_space_trim(&pool->space);
}

/*
 * Slice after slice until it is enough; under pressure one at least, which gives back what is kept for reuse too.
 * Returns the waste that is to be left alone until it changes.
 */
static uint64_t work(struct zs_pool *pool, struct zsi_pace *pace)
{
	struct zsi_shrinker *s = &pool->shrinker;
	uint64_t pause_ns = (uint64_t)s->policy.interval_ms * 1000000u;
	unsigned fruitless = 0;
	bool pressure = false;

	while (fruitless < FRUITLESS_SLICES && zsi_bell_wait(pool, ZSI_BELL_STOP, 0) == 0) {
		bool reported = take_pressure(s);

		zsi_pace_start(pace);
		pressure = pressure || reported;
		if (!reported && (pressure ? zs_shrinker_count(pool) : waste_above(pool, ENOUGH_SHARE)) == 0) {
			clean_up(pool, pace);
			return 0;
		}
		if (run_slice(pool, pace, fruitless > 0, pressure) > 0) {
			fruitless = 0;
			continue;
		}
		if (!pressure)
			(void)zsi_bell_wait(pool, ZSI_BELL_STOP | ZSI_BELL_PRESSURE, pause_ns << fruitless);
		fruitless++;
	}
	return zs_shrinker_count(pool);
}

static void *shrink(void *arg)
{
	struct zs_pool *pool = arg;
	struct zsi_shrinker *s = &pool->shrinker;
	uint64_t interval_ns = (uint64_t)s->policy.interval_ms * 1000000u;
	uint64_t left_alone = 0;
	struct zsi_pace pace;
	const struct sched_param none = { 0 };

	/*
	 * One that works in the background does not push others off their processor when it wakes up: those who free
	 * and allocate wake it, by a lock that it waits for.
	 */
	(void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
	zsi_pace_init(&pace, s->policy.cpu_percent);
	for (;;) {
		uint32_t bits = sleep_idle(pool, left_alone);

		atomic_fetch_add_explicit(&s->wakeups, 1, memory_order_relaxed);
		if ((bits & ZSI_BELL_PRESSURE) == 0)
			bits |= zsi_bell_wait(pool, ZSI_BELL_STOP | ZSI_BELL_PRESSURE, interval_ns);
		if ((bits & ZSI_BELL_STOP) != 0)
			return NULL;
		uint64_t waste = too_much_waste(pool);

		if ((bits & ZSI_BELL_PRESSURE) != 0 || (waste != 0 && waste != left_alone))
			left_alone = work(pool, &pace);
	}
}

/* With the shrinker's lock held and a policy in place. 0, or an errno value. */
static int start_locked(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;
	int error;

	atomic_store_explicit(&s->bell, 0, memory_order_relaxed);
	error = zsi_quiet_thread(&s->thread, shrink, pool);
	if (error == 0)
		zsi_pressure_start_locked(pool);
	zsi_pressure_wait_locked(pool);
	s->running = error == 0;
	return error;
}

static bool read_policy(struct zs_shrinker_policy *to, const struct zs_shrinker_policy *from)
{
	*to = (struct zs_shrinker_policy)ZS_SHRINKER_POLICY_INIT;
	if (from != NULL && !zsi_copy_versioned(to, sizeof(*to), from, sizeof(size_t)))
		return false;
	if (to->cpu_percent == 0)
		to->cpu_percent = DEFAULT_CPU_PERCENT;
	if (to->interval_ms == 0)
		to->interval_ms = DEFAULT_INTERVAL_MS;
	if (to->psi_window_us == 0)
		to->psi_window_us = DEFAULT_WINDOW_US;
	if (to->psi_stall_us == 0)
		to->psi_stall_us = to->psi_window_us / DEFAULT_STALL_PART;
	return to->waste_percent <= 100 && to->cpu_percent <= 100 && to->interval_ms <= MAX_INTERVAL_MS &&
	       to->psi_window_us >= MIN_WINDOW_US && to->psi_window_us <= MAX_WINDOW_US &&
	       to->psi_stall_us <= to->psi_window_us && (to->flags & ~(ZS_SHRINKER_NO_PSI | ZS_SHRINKER_STRICT)) == 0;
}

/* Take over a policy whose path is the caller's, and start. 0, or an errno value. */
static int register_locked(struct zs_pool *pool, const struct zs_shrinker_policy *policy)
{
	struct zsi_shrinker *s = &pool->shrinker;
	char *path = NULL;
	int error;

	if (policy->psi_path != NULL && (path = strdup(policy->psi_path)) == NULL)
		return ENOMEM;
	s->policy = *policy;
	s->policy.psi_path = path;
	error = start_locked(pool);
	s->registered = error == 0;
	if (error != 0) {
		free(path);
		s->policy.psi_path = NULL;
	}
	return error;
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
	error = s->registered ? EEXIST : register_locked(pool, &read);
	zsi_unlock(&s->lock, ZSI_RANK_SHRINKER);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

/* psi_path is declared as the caller's. */
static void forget_policy_locked(struct zsi_shrinker *s)
{
	free((void *)(uintptr_t)s->policy.psi_path);
	s->policy.psi_path = NULL;
	s->registered = false;
}

void zs_unregister_shrinker(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;

	zsi_lock(&s->lock, ZSI_RANK_SHRINKER);
	if (s->running) {
		zsi_bell_ring(pool, ZSI_BELL_STOP);
		zsi_pressure_stop_locked(pool);
		pthread_join(s->thread, NULL);
	}
	s->running = false;
	forget_policy_locked(s);
	atomic_store_explicit(&s->lost, false, memory_order_relaxed);
	zsi_unlock(&s->lock, ZSI_RANK_SHRINKER);
}

void zsi_shrinker_reset_after_fork(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;

	zsi_lock_reset(&s->lock);
	atomic_store_explicit(&s->idle, ZSI_SHRINKER_BUSY, memory_order_relaxed);
	atomic_store_explicit(&s->watch, ZSI_WATCH_OFF, memory_order_relaxed);
	s->watching = false;
	if (s->running) {
		s->running = false;
		atomic_store_explicit(&s->lost, true, memory_order_relaxed);
	}
}

void zsi_shrinker_revive(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;

	zsi_lock(&s->lock, ZSI_RANK_SHRINKER);
	if (atomic_load_explicit(&s->lost, memory_order_relaxed)) {
		atomic_store_explicit(&s->lost, false, memory_order_relaxed);
		/* Without a thread the child compacts when it asks for it, as without a shrinker. */
		if (start_locked(pool) != 0)
			forget_policy_locked(s);
	}
	zsi_unlock(&s->lock, ZSI_RANK_SHRINKER);
}
