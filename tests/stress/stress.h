/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stress.h - what the stress tests share: slots that hold an object each, and threads that work on random ones.
 *
 *   slot    a lock, and the object it guards: handle 0 where there is none. Its contents follow from the slot's number
 *           and the version of the last write
 *   worker  a thread with its random numbers and buffers
 *
 * The lock orders what the caller has to order, freeing or writing an object against reading it. Nothing is ordered
 * against compaction, migration and the shrinker: that is what is tested. A thread that holds an object for reading
 * takes no lock, for the lock's owner may be waiting for a compaction that waits for the reader.
 */
#ifndef TEST_STRESS_H
#define TEST_STRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "check.h"
#include "rng.h"
#include "test_source.h"

struct slot {
	pthread_mutex_t lock;
	zs_handle handle; /* Guarded by lock, as what follows */
	size_t size;
	uint64_t version;
};

struct arena {
	struct zs_pool_options options;
	struct zs_pool *pool;
	struct test_source *source; /* NULL: the built-in arena */
	struct slot *slots;
	size_t nr_slots;
	size_t max_size; /* of objects */
	bool memory_is_short;
	_Atomic bool stop;         /* tells the background threads to end */
	_Atomic unsigned begun;    /* threads that have begun, of all workers_start() */
	_Atomic uint64_t progress; /* operations of all workers */
};

struct worker {
	struct arena *arena;
	struct rng rng;
	uint64_t operations;
	uint8_t *scratch; /* a page */
	uint8_t *local;   /* a page, for read_begin */
	pthread_t thread;
	void *(*body)(void *);
};

/* argv: "arena" or "scattered", "dense" or "linux", each optional. */
void arena_options(struct arena *a, int argc, char **argv);
void arena_open(struct arena *a, size_t nr_slots, size_t max_size);

/* Compares every object, validates, frees what is left, destroys. */
void arena_close(struct arena *a);

/* Operations on a slot whose lock is held. */
bool slot_fill(struct worker *w, struct slot *s);    /* false: no memory */
void slot_verify(struct worker *w, struct slot *s);  /* in one of the ways of reading */
void slot_rewrite(struct worker *w, struct slot *s); /* by a write or a mapping */
void slot_free(struct worker *w, struct slot *s);

/* One random operation on a random slot. */
void worker_step(struct worker *w);

/* A worker without a thread, for the thread that calls. */
void worker_init(struct worker *w, struct arena *a, uint64_t seed);
void worker_fini(struct worker *w);

/*
 * Start n workers that run `body`, each with `operations` to do; all have begun when it returns. A thread that begins
 * takes locks of a sanitizer's, which a child that is forked at that moment would wait for. And: wait for them to end.
 */
struct worker *workers_start(struct arena *a, unsigned n, uint64_t seed, uint64_t operations, void *(*body)(void *));
void workers_join(struct worker *w, unsigned n);

/* Bodies of threads: worker_step() again and again; compaction in all forms until stop; looking on until stop. */
void *body_steps(void *worker);
void *body_compact(void *worker);
void *body_observe(void *worker);

#endif
