/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pools_test.c - two pools in use at once, each with a shrinker that comes and goes, while a third thread makes pools,
 * uses them and destroys them with their shrinker still registered.
 */
#include <errno.h>
#include <time.h>

#include "stress.h"

#define THREADS 2u

static const struct zs_shrinker_policy eager = {
	.struct_size = sizeof(eager),
	.waste_percent = 1,
	.cpu_percent = 100,
	.interval_ms = 1,
};

static void *body_shrinkers(void *worker)
{
	struct worker *w = worker;

	while (!atomic_load_explicit(&w->arena->stop, memory_order_relaxed)) {
		const struct timespec pause = { 0, (long)rng_below(&w->rng, 5000000) };

		CHECK(zs_register_shrinker(w->arena->pool, rng_one_in(&w->rng, 4) ? NULL : &eager) == 0);
		CHECK(zs_register_shrinker(w->arena->pool, &eager) == -1 && errno == EEXIST);
		nanosleep(&pause, NULL);
		zs_unregister_shrinker(w->arena->pool);
		zs_unregister_shrinker(w->arena->pool);
	}
	return NULL;
}

static void *body_short_lived(void *worker)
{
	struct worker *w = worker;

	while (!atomic_load_explicit(&w->arena->stop, memory_order_relaxed)) {
		struct zs_pool *pool = zs_create_pool("short-lived");
		zs_handle handles[64];

		CHECK(pool != NULL);
		if (rng_one_in(&w->rng, 2))
			CHECK(zs_register_shrinker(pool, &eager) == 0);
		CHECK(zs_malloc_batch(pool, rng_range(&w->rng, 1, 4096), 0, handles, 64) == 64);
		for (size_t i = 0; i < 64; i += 2)
			zs_free(pool, handles[i]);
		CHECK(zs_pool_validate(pool) == 0);
		zs_destroy_pool(pool);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct arena a, b;

	check_install();
	check_context("stress pools");
	arena_options(&a, argc, argv);
	arena_options(&b, argc, argv);
	arena_open(&a, 800, 4096);
	arena_open(&b, 500, 700);
	struct worker *shrink_a = workers_start(&a, 1, 900, 0, body_shrinkers);
	struct worker *shrink_b = workers_start(&b, 1, 901, 0, body_shrinkers);
	struct worker *pools = workers_start(&a, 1, 902, 0, body_short_lived);
	struct worker *use_a = workers_start(&a, THREADS, 1, check_scale(150000), body_steps);
	struct worker *use_b = workers_start(&b, THREADS, 2, check_scale(150000), body_steps);

	workers_join(use_a, THREADS);
	workers_join(use_b, THREADS);
	atomic_store(&a.stop, true);
	atomic_store(&b.stop, true);
	workers_join(shrink_a, 1);
	workers_join(shrink_b, 1);
	workers_join(pools, 1);
	arena_close(&a);
	arena_close(&b);
	return 0;
}
