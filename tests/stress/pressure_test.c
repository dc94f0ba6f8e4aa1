/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pressure_test.c - a shrinker that is started and stopped, memory pressure, frees, forks and destruction, all at once.
 *
 * Nobody may wait for another for ever, and no wake-up may be lost: what is free at the end of a round is gone soon. A
 * round is a pool's whole life; its shrinker is running, and pressure is being reported, when it is destroyed.
 */
#include <check.h>
#include <eventually.h>
#include <fake_psi.h>
#include <pthread.h>
#include <rng.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zsmalloc/zsmalloc.h>

#include "pool/pool.h"

#define WORKERS 2u
#define OBJECTS 600u /* a worker's */
#define ROUNDS 25u
#define FORKS 3u /* a round */
#define ROUND_US 20000u
#define HANG_SECONDS 120u

static struct zs_pool *pool;
static atomic_bool stop_workers, stop_reports;
static atomic_ulong operations;

struct worker {
	pthread_t thread;
	struct rng rng;
	zs_handle handles[OBJECTS];
};

static void *allocate_and_free(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load_explicit(&stop_workers, memory_order_relaxed)) {
		zs_handle *h = &w->handles[rng_range(&w->rng, 0, OBJECTS - 1)];

		if (*h != 0) {
			zs_free(pool, *h);
			*h = 0;
		} else {
			*h = zs_malloc(pool, rng_range(&w->rng, 1, 4096), 0);
			CHECK(*h != 0);
		}
		atomic_fetch_add_explicit(&operations, 1, memory_order_relaxed);
	}
	/* Leave waste: nobody but the shrinker will remove it. */
	for (unsigned i = 0; i < OBJECTS; i++) {
		if (i % 4 != 0) {
			zs_free(pool, w->handles[i]);
			w->handles[i] = 0;
		}
	}
	return NULL;
}

static void *report(void *arg)
{
	struct rng *r = arg;

	while (!atomic_load_explicit(&stop_reports, memory_order_relaxed)) {
		fake_psi_report(1);
		usleep((useconds_t)rng_range(r, 1, 500));
	}
	return NULL;
}

static void start_shrinker(void)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;

	policy.interval_ms = 1;
	policy.cpu_percent = 50;
	CHECK(zs_register_shrinker(pool, &policy) == 0);
}

static void *start_and_stop(void *arg)
{
	struct rng *r = arg;

	while (!atomic_load_explicit(&stop_workers, memory_order_relaxed)) {
		usleep((useconds_t)rng_range(r, 1, 3000));
		zs_unregister_shrinker(pool);
		start_shrinker();
	}
	return NULL;
}

static void waste_goes(void)
{
	EVENTUALLY(zs_shrinker_count(pool) * 100 <= zs_get_total_pages(pool));
}

static _Noreturn void child(void)
{
	alarm(HANG_SECONDS);
	fake_psi_after_fork();
	/* A child may start a thread only where no sanitizer forbids it. */
	if (!CHECK_TSAN) {
		static zs_handle h[OBJECTS];

		for (unsigned i = 0; i < OBJECTS; i++)
			CHECK((h[i] = zs_malloc(pool, 1000, 0)) != 0);
		for (unsigned i = 0; i < OBJECTS; i++)
			if (i % 4 != 0)
				zs_free(pool, h[i]);
		fake_psi_report(1);
		/* The shrinker may have been between two lives at the fork; then there is none. */
		if (pool->shrinker.registered)
			waste_goes();
	}
	CHECK(zs_pool_validate(pool) == 0);
	if (!CHECK_TSAN)
		zs_destroy_pool(pool);
	_exit(0);
}

static void run_round(struct worker *workers, struct rng *r)
{
	pthread_t reporter, starter;
	struct rng report_rng = { rng_next(r) }, start_rng = { rng_next(r) };

	pool = zs_create_pool("pressure");
	CHECK(pool != NULL);
	atomic_store(&stop_workers, false);
	atomic_store(&stop_reports, false);
	start_shrinker();
	CHECK(pthread_create(&reporter, NULL, report, &report_rng) == 0);
	CHECK(pthread_create(&starter, NULL, start_and_stop, &start_rng) == 0);
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .rng = { rng_next(r) } };
		CHECK(pthread_create(&workers[i].thread, NULL, allocate_and_free, &workers[i]) == 0);
	}
	for (unsigned i = 0; i < FORKS; i++) {
		int status;

		usleep(ROUND_US / FORKS);
		/*
		 * A child that makes threads would wait for a lock of AddressSanitizer's that a thread of the parent
		 * had.
		 */
		if (CHECK_ASAN)
			continue;
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0)
			child();
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	atomic_store(&stop_workers, true);
	for (unsigned i = 0; i < WORKERS; i++)
		CHECK(pthread_join(workers[i].thread, NULL) == 0);
	CHECK(pthread_join(starter, NULL) == 0);
	waste_goes();
	CHECK(zs_pool_validate(pool) == 0);
	zs_destroy_pool(pool);
	atomic_store(&stop_reports, true);
	CHECK(pthread_join(reporter, NULL) == 0);
}

int main(int argc, char **argv)
{
	static struct worker workers[WORKERS];
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	struct rng r = { seed };

	check_install();
	check_context("stress pressure, seed %llu", (unsigned long long)seed);
	printf("seed %llu\n", (unsigned long long)seed);
	fake_psi_install();
	for (uint64_t i = 0; i < ROUNDS * check_soak_factor(); i++) {
		check_step(i);
		alarm(2 * HANG_SECONDS);
		run_round(workers, &r);
	}
	CHECK(atomic_load(&operations) > 1000);
	return 0;
}
