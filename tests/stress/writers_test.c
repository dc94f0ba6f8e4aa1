/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * writers_test.c - writers against writers and against the mover.
 *
 *   counters   objects with a counter at each end, incremented through ZS_MM_RW, which is exclusive: none may be lost
 *   stamps     objects filled with one repeated word by zs_obj_write(), one writer at a time: all words are equal, and
 *              those of the last write
 *   wild       the same without any order, by both write calls: each word is one that was written to this object
 *
 * Fillers around them come and go, so that the objects move.
 */
#include <stdlib.h>
#include <string.h>

#include "stress.h"

#define WRITERS 3u
#define COUNTERS 150u
#define STAMPS 150u
#define SIZE 1000u /* several to a page, some across two */

static struct arena a;
static zs_handle counters[COUNTERS], stamps[STAMPS], wild[STAMPS];
static _Atomic bool claimed[STAMPS], wild_claimed[STAMPS];
static uint64_t last_word[STAMPS]; /* by who has claimed it */
static _Atomic uint64_t expected[COUNTERS];

static void increment(struct worker *w)
{
	size_t i = (size_t)rng_below(&w->rng, COUNTERS);
	uint8_t *mem = zs_map_object(a.pool, counters[i], ZS_MM_RW);
	uint64_t first, last;

	CHECK(mem != NULL);
	memcpy(&first, mem, 8);
	memcpy(&last, mem + SIZE - 8, 8);
	CHECK_MSG(first == last, "counter %zu is %llu at its start and %llu at its end", i, (unsigned long long)first,
		  (unsigned long long)last);
	first++;
	memcpy(mem, &first, 8);
	memcpy(mem + SIZE - 8, &first, 8);
	zs_unmap_object(a.pool, counters[i]);
	atomic_fetch_add(&expected[i], 1);
}

static void read_words(zs_handle h, uint64_t words[SIZE / 8])
{
	uint8_t local[4096];
	const void *mem = zs_obj_read_begin(a.pool, h, local);

	CHECK(mem != NULL);
	memcpy(words, mem, SIZE);
	zs_obj_read_end(a.pool, h, mem);
}

static void stamp(struct worker *w)
{
	size_t i = (size_t)rng_below(&w->rng, STAMPS);
	uint64_t words[SIZE / 8];

	if (atomic_exchange(&claimed[i], true))
		return;
	read_words(stamps[i], words);
	for (size_t j = 0; j < SIZE / 8; j++)
		CHECK_MSG(words[j] == last_word[i], "stamp %zu: the last write is lost at word %zu", i, j);
	last_word[i] = rng_next(&w->rng);
	for (size_t j = 0; j < SIZE / 8; j++)
		words[j] = last_word[i];
	CHECK(zs_obj_write(a.pool, stamps[i], words, SIZE) == 0);
	atomic_store(&claimed[i], false);
}

/* Any order, any mixture; but nothing of another object's, and nothing that was never written. */
static void write_wildly(struct worker *w)
{
	size_t i = (size_t)rng_below(&w->rng, STAMPS);
	size_t from = (size_t)rng_below(&w->rng, SIZE / 8), n = 1 + (size_t)rng_below(&w->rng, SIZE / 8 - from);
	uint64_t words[SIZE / 8];

	/* Races of the caller's are what it is there to find. */
	if (CHECK_TSAN && atomic_exchange(&wild_claimed[i], true))
		return;

	for (size_t j = 0; j < n; j++)
		words[j] = (uint64_t)i << 32 | (from + j);
	CHECK(zs_obj_write_at(a.pool, wild[i], from * 8, words, n * 8) == 0);
	if (CHECK_TSAN)
		atomic_store(&wild_claimed[i], false);
}

static void check_wild(void)
{
	uint64_t words[SIZE / 8];

	for (size_t i = 0; i < STAMPS; i++) {
		read_words(wild[i], words);
		for (size_t j = 0; j < SIZE / 8; j++)
			CHECK_MSG(words[j] == 0 || words[j] == ((uint64_t)i << 32 | j), "wild %zu: word %zu is %llx", i, j,
				  (unsigned long long)words[j]);
	}
}

static void *body_write(void *worker)
{
	struct worker *w = worker;

	for (uint64_t i = 0; i < w->operations; i++) {
		if (rng_one_in(&w->rng, 3))
			increment(w);
		else if (rng_one_in(&w->rng, 2))
			stamp(w);
		else
			write_wildly(w);
	}
	return NULL;
}

static void *body_fillers(void *worker)
{
	struct worker *w = worker;

	while (!atomic_load_explicit(&a.stop, memory_order_relaxed)) {
		struct slot *s = &a.slots[rng_below(&w->rng, a.nr_slots)];

		if (s->handle == 0)
			(void)slot_fill(w, s);
		else
			slot_free(w, s);
	}
	return NULL;
}

static zs_handle make(void)
{
	static const uint8_t zeros[SIZE];
	zs_handle h = zs_malloc(a.pool, SIZE, 0);

	CHECK(h != 0 && zs_obj_write(a.pool, h, zeros, SIZE) == 0);
	return h;
}

int main(int argc, char **argv)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

	check_install();
	check_context("stress writers");
	arena_options(&a, argc, argv);
	arena_open(&a, 800, SIZE);
	for (size_t i = 0; i < COUNTERS; i++) {
		zs_handle gap = make();

		counters[i] = make();
		stamps[i] = make();
		wild[i] = make();
		zs_free(a.pool, gap);
	}
	struct worker *fillers = workers_start(&a, 1, 2, 0, body_fillers);
	struct worker *compact = workers_start(&a, 1, 3, 0, body_compact);

	workers_join(workers_start(&a, WRITERS, 4, check_scale(1500000), body_write), WRITERS);
	atomic_store(&a.stop, true);
	workers_join(fillers, 1);
	workers_join(compact, 1);
	for (size_t i = 0; i < COUNTERS; i++) {
		uint8_t local[4096];
		const uint8_t *mem = zs_obj_read_begin(a.pool, counters[i], local);
		uint64_t value;

		CHECK(mem != NULL);
		memcpy(&value, mem, 8);
		CHECK_MSG(value == expected[i], "counter %zu is %llu, should be %llu", i, (unsigned long long)value,
			  (unsigned long long)expected[i]);
		zs_obj_read_end(a.pool, counters[i], mem);
	}
	check_wild();
	zs_pool_stats(a.pool, &stats);
	CHECK_MSG(stats.objs_moved > 0, "nothing was moved: the test has seen nothing");
	zs_free_batch(a.pool, counters, COUNTERS);
	zs_free_batch(a.pool, stamps, STAMPS);
	zs_free_batch(a.pool, wild, STAMPS);
	arena_close(&a);
	return 0;
}
