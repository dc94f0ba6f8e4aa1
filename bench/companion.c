/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * companion.c - the thread beside the one that measures:
 *
 *   nothing     asleep
 *   compaction  zs_compact_budget() of the pool in slices of a millisecond, again and again, without a pause even where
 *               nothing is left to move
 *   copying     memcpy() of a page from one end of 64 MiB to the other, again and again: as much memory traffic as one
 *               thread can make, and no lock. What that costs the other thread is the machine's doing.
 *
 * It is a SCHED_BATCH thread, as the library's shrinker: one that is woken up does not push the one that measures off
 * its processor.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "common.h"
#include "companion.h"
#include "dataset.h"

#define COMPACT_NS 1000000u
#define COPY_BYTES (UINT64_C(64) << 20)
#define STOP BESIDES

struct companion {
	struct zs_pool *pool;
	uint8_t *memory;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic int wanted; /* enum beside, or STOP; changed with the lock held */
	int does;           /* Guarded by lock */
};

static void copy_some(struct companion *c, uint64_t *at)
{
	for (unsigned i = 0; i < 64; i++) {
		memcpy(c->memory + (COPY_BYTES - DATASET_PAGE - *at), c->memory + *at, DATASET_PAGE);
		*at = (*at + DATASET_PAGE) % COPY_BYTES;
	}
}

static void *run(void *arg)
{
	struct companion *c = arg;
	uint64_t at = 0;
	const struct sched_param none = { 0 };

	/* As the library's own background thread. */
	(void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);

	for (;;) {
		int wanted = atomic_load_explicit(&c->wanted, memory_order_relaxed);

		if (wanted != c->does || wanted == BESIDE_NOTHING) {
			pthread_mutex_lock(&c->lock);
			wanted = atomic_load_explicit(&c->wanted, memory_order_relaxed);
			c->does = wanted;
			pthread_cond_broadcast(&c->changed);
			while (wanted == BESIDE_NOTHING &&
			       atomic_load_explicit(&c->wanted, memory_order_relaxed) == BESIDE_NOTHING)
				pthread_cond_wait(&c->changed, &c->lock);
			pthread_mutex_unlock(&c->lock);
		}
		if (wanted == STOP)
			return NULL;
		if (wanted == BESIDE_COMPACTION)
			(void)zs_compact_budget(c->pool, 0, COMPACT_NS);
		else if (wanted == BESIDE_COPYING)
			copy_some(c, &at);
	}
}

struct companion *companion_start(struct zs_pool *pool)
{
	struct companion *c = pages(sizeof(*c));

	c->pool = pool;
	c->memory = pages(COPY_BYTES);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);

	int error = pthread_create(&c->thread, NULL, run, c);

	if (error != 0)
		fail(error, "thread");
	return c;
}

void companion_set(struct companion *c, enum beside what)
{
	pthread_mutex_lock(&c->lock);
	atomic_store_explicit(&c->wanted, (int)what, memory_order_relaxed);
	pthread_cond_broadcast(&c->changed);
	while (c->does != (int)what)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void companion_stop(struct companion *c)
{
	pthread_mutex_lock(&c->lock);
	atomic_store_explicit(&c->wanted, STOP, memory_order_relaxed);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->thread, NULL);
	release_pages(c->memory, COPY_BYTES);
}
