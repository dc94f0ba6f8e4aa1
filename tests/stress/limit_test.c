/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limit_test.c - threads that want more than the limit allows, all the time, while one looks at what the pool holds as
 * often as it can: never above the limit, no object lost, and what is freed can be had again.
 */
#include <sched.h>

#include "stress.h"

#define THREADS 4u
#define LIMIT_BYTES (2u << 20)

static void *body_sample(void *worker)
{
	struct worker *w = worker;
	uint64_t samples = 0;

	while (!atomic_load_explicit(&w->arena->stop, memory_order_relaxed)) {
		struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

		zs_pool_stats(w->arena->pool, &stats);
		CHECK_MSG(stats.bytes_total <= LIMIT_BYTES, "%llu bytes held", (unsigned long long)stats.bytes_total);
		if (w->arena->source != NULL)
			CHECK(test_source_outstanding(w->arena->source) * 4096 <= LIMIT_BYTES);
		samples++;
		sched_yield();
	}
	CHECK(samples > 0);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct arena a;
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

	check_install();
	check_context("stress limit");
	arena_options(&a, argc, argv);
	a.options.limit_bytes = LIMIT_BYTES;
	a.memory_is_short = true;
	/* With half of the slots filled these would be twice the limit. */
	arena_open(&a, 4 * LIMIT_BYTES / 2048, 4096);
	struct worker *sample = workers_start(&a, 1, 900, 0, body_sample);
	struct worker *compact = workers_start(&a, 1, 901, 0, body_compact);

	workers_join(workers_start(&a, THREADS, 1, check_scale(60000), body_steps), THREADS);
	atomic_store(&a.stop, true);
	workers_join(sample, 1);
	workers_join(compact, 1);
	zs_pool_stats(a.pool, &stats);
	CHECK_MSG(stats.limit_hits > 0, "the limit was never reached: the test has seen nothing");
	arena_close(&a);
	return 0;
}
