/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * speed_threads.c - two threads against one: each works on objects of its own, all of one pool, which it allocated
 * itself. In short slices, in turn, one thread works while the other sleeps, or both do; a slice ends by the clock. Its
 * first third is not counted: what the slice before left in the caches is not to help the one or the other.
 *
 *   replace  free an own object chosen at random, allocate one of another size
 *   read     all bytes of an own object chosen at random
 *
 * The speed of a slice is the sum of what its threads did by their own clocks. The slice in the middle counts. One
 * thread is the mean of the first alone and the second alone: their processors may differ.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "speed.h"

#define SLICES 7u
#define PLAN 16384u /* a power of two: choices made beforehand, used round and round */

enum kind { REPLACE, READ, KINDS };

struct worker {
	struct supply supply;
	struct zs_pool *pool;
	struct object *object;
	uint32_t live;
	uint32_t which[PLAN];
	uint32_t size[PLAN];
	double per_second; /* in the last slice */
	bool works;        /* in the next slice */
	pthread_t thread;
};

/* What the main thread sets before a slice; between the barriers only workers run. */
static struct {
	pthread_barrier_t begin;
	pthread_barrier_t end;
	enum kind kind;
	uint64_t slice_ns;
	bool over;
} slice;

static uint32_t work(struct worker *w, uint32_t done)
{
	uint8_t copy[DATASET_PAGE];

	for (uint32_t end = done + 64; done < end; done++) {
		struct object *o = &w->object[w->which[done % PLAN]];

		if (slice.kind == READ) {
			object_copy(w->pool, o, copy);
		} else {
			ref_free(w->pool, o->ref);
			o->size = w->size[done % PLAN];
			o->ref = ref_new(w->pool, o->size);
		}
	}
	return done;
}

static uint32_t run_for(struct worker *w, uint64_t ns, uint32_t done)
{
	uint64_t start = now_ns();

	while (now_ns() - start < ns)
		done = work(w, done);
	return done;
}

static void *worker(void *arg)
{
	struct worker *w = arg;

	for (uint32_t i = 0; i < w->live; i++)
		object_make(w->pool, &w->object[i], &w->supply, supply_size(&w->supply));
	for (uint32_t i = 0; i < PLAN; i++) {
		w->which[i] = rng_below(&w->supply.rng, w->live);
		w->size[i] = supply_size(&w->supply);
	}
	for (;;) {
		pthread_barrier_wait(&slice.begin);
		if (slice.over)
			break;
		w->per_second = 0;
		if (w->works) {
			uint32_t warm = run_for(w, slice.slice_ns / 2, 0);
			uint64_t start = now_ns();
			uint32_t done = run_for(w, slice.slice_ns, warm) - warm;

			w->per_second = done * 1e9 / (double)(now_ns() - start);
		}
		pthread_barrier_wait(&slice.end);
	}
	for (uint32_t i = 0; i < w->live; i++)
		ref_free(w->pool, w->object[i].ref);
	return NULL;
}

/* Who works in a slice. */
enum who { FIRST, SECOND, BOTH, WHOS };

static double run_slice(struct worker *w, enum kind kind, enum who who)
{
	slice.kind = kind;
	w[0].works = who != SECOND;
	w[1].works = who != FIRST;
	pthread_barrier_wait(&slice.begin);
	pthread_barrier_wait(&slice.end);
	return w[0].per_second + w[1].per_second;
}

struct speed_threads speed_threads(struct supply *s, uint32_t live, uint32_t slice_ms)
{
	struct worker *w = pages(2 * sizeof(*w));
	struct zs_pool *pool = pool_new();
	double speed[KINDS][WHOS][SLICES];

	slice.slice_ns = slice_ms * UINT64_C(1000000);
	pthread_barrier_init(&slice.begin, NULL, 3);
	pthread_barrier_init(&slice.end, NULL, 3);
	for (uint32_t i = 0; i < 2; i++) {
		w[i].supply = *s;
		w[i].supply.rng.state = rng_next(&s->rng);
		w[i].pool = pool;
		w[i].live = live;
		w[i].object = pages(live * sizeof(*w[i].object));

		int error = pthread_create(&w[i].thread, NULL, worker, &w[i]);

		if (error != 0)
			fail(error, "thread");
	}
	/* The first passes bring the pool into a steady state and are overwritten. */
	for (uint32_t i = 0; i < SLICES + 2; i++)
		for (int kind = 0; kind < KINDS; kind++)
			for (int who = 0; who < WHOS; who++)
				speed[kind][who][i % SLICES] = run_slice(w, (enum kind)kind, (enum who)who);
	slice.over = true;
	pthread_barrier_wait(&slice.begin);
	for (uint32_t i = 0; i < 2; i++)
		pthread_join(w[i].thread, NULL);
	pool_end(pool);

	double middle[KINDS][WHOS];

	for (int kind = 0; kind < KINDS; kind++)
		for (int who = 0; who < WHOS; who++)
			middle[kind][who] = median(speed[kind][who], SLICES);
	return (struct speed_threads){
		.replace = { (middle[REPLACE][FIRST] + middle[REPLACE][SECOND]) / 2, middle[REPLACE][BOTH] },
		.read = { (middle[READ][FIRST] + middle[READ][SECOND]) / 2, middle[READ][BOTH] },
	};
}
