/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fork_test.c - fork() while threads are in the middle of everything: the child's pool works.
 *
 * The thread that forks has an object mapped and unmaps it in the child and in the parent. The child sees each slot as
 * it was at the fork. A slot that a thread had locked is in an unknown state and is left alone; all others must hold
 * what they should, and can be freed and filled.
 *
 * One thread allocates and frees while it holds an object for reading. Compaction waits for it, so that nobody may
 * wait for compaction while he keeps that thread from going on; fork() once did.
 */
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"
#include "stress.h"
#include "pool/pool.h"

#define THREADS 3u
#define FORKS 30u
#define HELD_BYTES 3000u
#define CHILD_SECONDS 120u /* until what hangs is ended by SIGALRM, and the test fails */

static struct arena a;

/*
 * What the thread that forks has mapped: in the child, too, until it lets go there. It may not hold an object for
 * reading: fork() may wait for a compaction that waits for the reader.
 */
struct held {
	zs_handle handle;
	void *mem;
};

static void make_held(struct held *h)
{
	h->handle = zs_malloc(a.pool, HELD_BYTES, 0);
	CHECK(h->handle != 0);
}

static void hold(struct held *h)
{
	h->mem = zs_map_object(a.pool, h->handle, ZS_MM_WO);
	CHECK(h->mem != NULL);
	pattern_fill(h->mem, HELD_BYTES, 1, 1, 0);
}

static void let_go(struct held *h, uint64_t version)
{
	uint8_t bytes[HELD_BYTES];

	CHECK(pattern_match(h->mem, HELD_BYTES, 1, 1, 0) == HELD_BYTES);
	pattern_fill(h->mem, HELD_BYTES, 2, version, 0);
	zs_unmap_object(a.pool, h->handle);
	const void *mem = zs_obj_read_begin(a.pool, h->handle, NULL);

	CHECK(mem != NULL && pattern_match(mem, HELD_BYTES, 2, version, 0) == HELD_BYTES);
	zs_obj_read_end(a.pool, h->handle, mem);
	pattern_fill(bytes, HELD_BYTES, 2, version + 1, 0);
	CHECK(zs_obj_write(a.pool, h->handle, bytes, HELD_BYTES) == 0);
}

static void child(uint64_t seed, struct held *held)
{
	struct worker w;

	alarm(CHILD_SECONDS);
	worker_init(&w, &a, seed);
	let_go(held, 2 * seed);
	CHECK(zs_pool_validate(a.pool) == 0);
	for (size_t i = 0; i < a.nr_slots; i++) {
		struct slot *s = &a.slots[i];

		if (pthread_mutex_trylock(&s->lock) != 0)
			continue;
		if (s->handle != 0) {
			slot_verify(&w, s);
			slot_rewrite(&w, s);
			slot_verify(&w, s);
			if (i % 3 != 0)
				slot_free(&w, s);
		} else {
			CHECK(slot_fill(&w, s));
		}
	}
	(void)zs_compact(a.pool);
	CHECK(zs_pool_validate(a.pool) == 0);
	for (size_t i = 0; i < 3000; i++) {
		zs_handle h = zs_malloc(a.pool, i % 4096 + 1, 0);

		CHECK(h != 0);
		zs_free(a.pool, h);
	}
	CHECK(zs_pool_validate(a.pool) == 0);
	struct zs_pool *fresh = zs_create_pool("born in the child");

	CHECK(fresh != NULL && zs_malloc(fresh, 100, 0) != 0);
	zs_destroy_pool(fresh);
	_exit(0);
}

static void *body_until_stop(void *worker)
{
	struct worker *w = worker;

	while (!atomic_load_explicit(&a.stop, memory_order_relaxed))
		worker_step(w);
	return NULL;
}

static void *body_read_and_allocate(void *worker)
{
	struct worker *w = worker;
	zs_handle h = zs_malloc(a.pool, HELD_BYTES, 0);

	CHECK(h != 0);
	while (!atomic_load_explicit(&a.stop, memory_order_relaxed)) {
		const void *mem = zs_obj_read_begin(a.pool, h, w->local);

		CHECK(mem != NULL);
		for (unsigned i = 0; i < 50; i++) {
			zs_handle other = zs_malloc(a.pool, rng_range(&w->rng, 1, 4096), 0);

			CHECK(other != 0);
			zs_free(a.pool, other);
		}
		zs_obj_read_end(a.pool, h, mem);
	}
	zs_free(a.pool, h);
	return NULL;
}

static void start_shrinker(void)
{
	const struct zsi_shrinker *s = &a.pool->shrinker;

	CHECK(zs_register_shrinker(a.pool, NULL) == 0);
	/* As with workers_start(). It sleeps, or has slept. */
	while (atomic_load(&s->idle) == 0 && atomic_load(&s->wakeups) == 0)
		sched_yield();
}

int main(int argc, char **argv)
{
	uint64_t forks = FORKS * check_soak_factor();
	struct held held;

	check_install();
	check_context("stress fork");
	arena_options(&a, argc, argv);
	arena_open(&a, 400, 4096);
	make_held(&held);
	struct worker *use = workers_start(&a, THREADS, 1, 0, body_until_stop);
	struct worker *compact = workers_start(&a, 1, 2, 0, body_compact);
	struct worker *reader = workers_start(&a, 1, 3, 0, body_read_and_allocate);

	/* A child may start a thread only where no sanitizer forbids it. */
	if (!CHECK_TSAN)
		start_shrinker();
	for (uint64_t i = 0; i < forks; i++) {
		const struct timespec pause = { 0, 2000000 };
		int status;

		check_step(i);
		alarm(2 * CHILD_SECONDS);
		nanosleep(&pause, NULL);
		hold(&held);
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0)
			child(i, &held);
		let_go(&held, 3 * i);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %llu ended with status %#x",
			  (unsigned long long)i, (unsigned)status);
	}
	atomic_store(&a.stop, true);
	workers_join(use, THREADS);
	workers_join(compact, 1);
	workers_join(reader, 1);
	zs_unregister_shrinker(a.pool);
	zs_free(a.pool, held.handle);
	arena_close(&a);
	return 0;
}
