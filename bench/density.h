/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * density.h - the parts of bench_density: one allocator taken through a history of allocating and freeing, with the
 * resident memory read after each stage of it.
 *
 *   history churn   fill     N objects, each allocated and written
 *                   churn    some N times: free one at random, allocate and write one of another size
 *                   freed    70 % of the objects, chosen at random, are freed
 *                   released the allocator was asked to give back what it does not need
 *                   refill   objects of the second distribution until as many bytes are live as before
 *
 *   history half    fill, freed (50 %), released, refill
 *
 * With a shrinker nothing is asked for: "released" is one second after "freed", and settled and refill_settled, one
 * second after churn and refill, are added; before "freed" the pool may be left at rest for longer, so that the
 * shrinker has saved up of its share. The second distribution is three quarters of each size of the first, which is
 * about what a stronger compressor makes of the same pages: none of its objects fits where one was freed.
 *
 *   ratio = (RSS after the stage - RSS before the pool was made) / sum of the sizes of the live objects
 */
#ifndef BENCH_DENSITY_H
#define BENCH_DENSITY_H

#include <stdbool.h>

#include "common.h"
#include "dataset.h"
#include "store.h"

enum stage { FILL, CHURN, SETTLED, FREED, RELEASED, REFILL, REFILL_SETTLED, STAGES };

struct object {
	zs_handle handle;
	uint32_t size;
	uint32_t content; /* which page of the data set its bytes are */
};

struct settings {
	const char *store;
	uint32_t objects;
	uint32_t churns;
	uint32_t samples; /* of the memory in each stage, for a chart; 0 = none */
	uint64_t seed;
	bool half;      /* which history */
	bool no_refill; /* end it after "released" */
	unsigned rest;  /* seconds before the mass free in which nothing is called, on top of those that are measured */
	unsigned shrinker; /* its share of a processor, percent; 0 = none */
};

struct stage_result {
	bool done;
	uint64_t rss;
	uint64_t requested;
	uint64_t held; /* by the pool's own count */
	uint64_t metadata;
	double ns;            /* of one operation; of a wait or a release, for one object freed before */
	double other_threads; /* processor time of all threads but this one / time */
};

struct sample {
	enum stage stage;
	double at; /* 0..1 of the stage */
	uint64_t rss;
	uint64_t requested;
};

#define MOST_SAMPLES 100u

struct test {
	struct dataset data;
	struct store store;
	struct rng rng;
	struct object *object;
	uint32_t live;
	uint32_t room;    /* objects that the array holds */
	uint32_t written; /* objects so far: numbers their contents */
	uint64_t requested;
	uint64_t base_rss;
	struct stage_result result[STAGES];
	struct sample sample[STAGES * (MOST_SAMPLES + 1)];
	uint32_t samples;
	const char *released_with;
};

/* The whole history; the program ends with a message when an object is not what was written or the pool not valid. */
void density_run(struct test *t, const struct settings *set);

#endif
