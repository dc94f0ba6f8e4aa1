/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * double_free_test.c - two threads that free one object at the same moment.
 *
 * Both may get past the first look. Then the second of them is caught when the slot is given out, or goes back to its
 * class: once in every round the misuse handler is called, and two objects that live never share a slot.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#define SIZE 200
#define EACH 16 /* more than a bin has */

static struct zs_pool *pool;
static pthread_barrier_t start, freed, taken, checked;
static zs_handle victim, got[2][EACH];
static uint64_t rounds;
static atomic_ulong misuses, at_once, arrived;

static void count(const struct zs_misuse *m, void *arg)
{
	(void)arg;
	CHECK(m->reason == ZS_MISUSE_DOUBLE_FREE);
	atomic_fetch_add(&misuses, 1);
}

/* Both at once, as far as the system lets them: a barrier's sleepers wake up one after the other. */
static void meet(uint64_t round)
{
	atomic_fetch_add(&arrived, 1);
	for (unsigned spins = 0; atomic_load(&arrived) < 2 * (round + 1); spins++)
		if (spins % 4096 == 4095)
			sched_yield();
}

static void *free_too(void *arg)
{
	zs_handle *mine = got[*(const int *)arg];

	for (uint64_t i = 0; i < rounds; i++) {
		pthread_barrier_wait(&start);
		meet(i);
		zs_free(pool, victim);
		pthread_barrier_wait(&freed);
		pthread_barrier_wait(&taken);
		for (unsigned k = 0; k < EACH; k++)
			CHECK((mine[k] = zs_malloc(pool, SIZE, 0)) != 0);
		pthread_barrier_wait(&checked);
		pthread_barrier_wait(&start);
		for (unsigned k = 0; k < EACH; k++)
			zs_free(pool, mine[k]);
		pthread_barrier_wait(&checked);
	}
	return NULL;
}

static void check_apart(void)
{
	for (unsigned k = 0; k < 2 * EACH; k++) {
		const void *mem = zs_obj_read_begin(pool, got[k / EACH][k % EACH], NULL);

		CHECK(mem != NULL);
		for (unsigned j = 0; j < k; j++) {
			const void *other = zs_obj_read_begin(pool, got[j / EACH][j % EACH], NULL);

			CHECK_MSG(other != mem, "one slot is two objects");
			zs_obj_read_end(pool, got[j / EACH][j % EACH], other);
		}
		zs_obj_read_end(pool, got[k / EACH][k % EACH], mem);
	}
}

int main(void)
{
	static const int numbers[2] = { 0, 1 };
	pthread_t threads[2];
	/* Caches exist in pools that are large enough for them. */
	static zs_handle ballast[20000];

	check_install();
	check_context("stress double free");
	rounds = check_scale(4000);
	pool = zs_create_pool("twice");
	CHECK(pool != NULL);
	for (unsigned i = 0; i < 20000; i++)
		CHECK((ballast[i] = zs_malloc(pool, SIZE + i % 1000, 0)) != 0);
	(void)zs_set_misuse_handler(count, NULL);
	CHECK(pthread_barrier_init(&start, NULL, 3) == 0 && pthread_barrier_init(&freed, NULL, 3) == 0 &&
	      pthread_barrier_init(&taken, NULL, 3) == 0 && pthread_barrier_init(&checked, NULL, 3) == 0);
	for (unsigned t = 0; t < 2; t++)
		CHECK(pthread_create(&threads[t], NULL, free_too, (void *)(uintptr_t)&numbers[t]) == 0);
	for (uint64_t i = 0; i < rounds; i++) {
		unsigned long before = atomic_load(&misuses);

		CHECK((victim = zs_malloc(pool, SIZE, 0)) != 0);
		pthread_barrier_wait(&start);
		pthread_barrier_wait(&freed);
		at_once += atomic_load(&misuses) == before;
		pthread_barrier_wait(&taken);
		pthread_barrier_wait(&checked);
		check_apart();
		/* What is still in a bin twice goes back to its class now. */
		(void)zs_compact(pool);
		CHECK_MSG(atomic_load(&misuses) == before + 1, "round %llu: the handler was called %lu times",
			  (unsigned long long)i, atomic_load(&misuses) - before);
		pthread_barrier_wait(&start);
		pthread_barrier_wait(&checked);
		CHECK(atomic_load(&misuses) == before + 1);
	}
	for (unsigned t = 0; t < 2; t++)
		CHECK(pthread_join(threads[t], NULL) == 0);
	printf("%llu rounds, in %lu both got past the first look\n", (unsigned long long)rounds, atomic_load(&at_once));
	zs_free_batch(pool, ballast, 20000);
	zs_destroy_pool(pool);
	return 0;
}
