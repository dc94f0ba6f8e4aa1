/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table_test.c - readers of a table without locks, whose objects are freed and replaced under their hands.
 *
 * An object is full of its own handle. A reader takes a handle out of the table, asks for the address, reads, and asks
 * again: what is still live then was live all the time, and must have been full of its handle. What was freed is ESTALE
 * and no misuse, whose handler would abort. Other threads compact meanwhile.
 */
#include <errno.h>

#include "stress.h"

#define SLOTS 1500u
#define READERS 2u
#define WORDS 40u

static struct arena a;
static _Atomic zs_handle table[SLOTS];
static _Atomic uint64_t stale, seen;

static void put(struct worker *w, size_t i)
{
	size_t words = rng_range(&w->rng, 1, WORDS);
	zs_handle h = zs_malloc(a.pool, words * sizeof(h), 0);
	uint64_t content[WORDS + 1];

	CHECK(h != 0);
	content[0] = words;
	for (size_t j = 1; j < words; j++)
		content[j] = h;
	CHECK(zs_obj_write(a.pool, h, content, words * sizeof(h)) == 0);
	/* release: pairs with the acquire in look(), so that what is found in the table is full */
	zs_handle old = atomic_exchange_explicit(&table[i], h, memory_order_acq_rel);

	zs_free(a.pool, old);
}

static void *body_replace(void *worker)
{
	struct worker *w = worker;

	for (uint64_t i = 0; i < w->operations || atomic_load(&stale) == 0; i++)
		put(w, rng_below(&w->rng, SLOTS));
	atomic_store(&a.stop, true);
	return NULL;
}

/* In a section. The bytes may be another object's by now, which is what the second look is for. */
static void look(zs_handle h)
{
	errno = 0;
	const volatile uint64_t *mem = zs_obj_try_address(a.pool, h);
	uint64_t content[WORDS];
	size_t words = 1;

	if (mem == NULL) {
		CHECK(errno == ESTALE);
		atomic_fetch_add_explicit(&stale, 1, memory_order_relaxed);
		return;
	}
	/* ThreadSanitizer is right: that is a race. */
	if (!CHECK_TSAN) {
		words = mem[0] <= WORDS ? mem[0] : 1;
		for (size_t j = 1; j < words; j++)
			content[j] = mem[j];
	}
	atomic_thread_fence(memory_order_acquire);
	if (zs_obj_try_address(a.pool, h) == NULL)
		return;
	for (size_t j = 1; j < words; j++)
		CHECK_MSG(content[j] == h, "word %zu of %zu of %#llx is %#llx", j, words, (unsigned long long)h,
			  (unsigned long long)content[j]);
	atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed);
}

static void *body_look(void *worker)
{
	struct worker *w = worker;
	zs_handle h[16];

	while (!atomic_load_explicit(&a.stop, memory_order_relaxed)) {
		for (unsigned i = 0; i < 16; i++) {
			/* acquire: pairs with the release in put() */
			h[i] = atomic_load_explicit(&table[rng_below(&w->rng, SLOTS)], memory_order_acquire);
			zs_prefetch(a.pool, h[i]);
		}
		zs_read_begin(a.pool);
		for (unsigned i = 0; i < 16; i++)
			look(h[i]);
		zs_read_end(a.pool);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct worker filler;

	check_install();
	check_context("stress table");
	arena_options(&a, argc, argv);
	arena_open(&a, 1, 64);
	worker_init(&filler, &a, 3);
	for (size_t i = 0; i < SLOTS; i++)
		put(&filler, i);
	struct worker *compact = workers_start(&a, 1, 5, 0, body_compact);
	struct worker *readers = workers_start(&a, READERS, 6, 0, body_look);

	workers_join(workers_start(&a, 1, 7, check_scale(400000), body_replace), 1);
	workers_join(readers, READERS);
	workers_join(compact, 1);
	CHECK_MSG(atomic_load(&seen) > 0, "no object was seen");
	for (size_t i = 0; i < SLOTS; i++)
		zs_free(a.pool, atomic_load(&table[i]));
	worker_fini(&filler);
	arena_close(&a);
	return 0;
}
