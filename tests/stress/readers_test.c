/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * readers_test.c - readers that hold many objects at once while these are moved: no byte may change under a pointer.
 *
 * The first half of the slots is filled once and only read. The second half comes and goes between them, so that
 * zspages become sparse and the objects that are read have to move.
 * One half of the readers holds each object for itself, the other half all of them in a batch and in a section.
 */
#include <sched.h>

#include "pattern.h"
#include "stress.h"

#define READERS 2u
#define HELD 24u

static struct arena a;
static size_t nr_stable;

struct held {
	struct slot *slot;
	const void *mem;
	uint8_t *local;
};

static void check_held(const struct held *h)
{
	size_t good = pattern_match(h->mem, h->slot->size, (uint64_t)(h->slot - a.slots) + 1, h->slot->version, 0);

	CHECK_MSG(good == h->slot->size, "slot %zu changed at byte %zu of %zu while it was held",
		  (size_t)(h->slot - a.slots), good, h->slot->size);
}

/* As body_hold(), the objects of a section or a batch together. */
static void *body_sections(void *worker)
{
	struct worker *w = worker;
	static _Thread_local uint8_t locals[HELD][4096];
	zs_handle handles[HELD];
	const void *mem[HELD];
	struct held held[HELD];
	const struct zs_view view = zs_pool_view(a.pool);

	for (uint64_t i = 0; i < w->operations; i++) {
		unsigned n = (unsigned)rng_range(&w->rng, 1, HELD);

		for (unsigned j = 0; j < n; j++) {
			held[j].slot = &a.slots[rng_below(&w->rng, nr_stable)];
			handles[j] = held[j].slot->handle;
		}
		CHECK(zs_obj_read_begin_batch(a.pool, handles, n, mem, locals) == 0);
		zs_read_begin(a.pool);
		for (unsigned j = 0; j < n; j++) {
			held[j].mem = mem[j];
			check_held(&held[j]);
			held[j].mem = j % 2 != 0 ? zs_obj_address(a.pool, handles[j]) : zs_view_address(&view, handles[j]);
			CHECK(held[j].mem != NULL || a.source != NULL);
		}
		zs_obj_read_end_batch(a.pool);
		if (rng_one_in(&w->rng, 8))
			sched_yield();
		for (unsigned j = 0; j < n; j++)
			if (held[j].mem != NULL)
				check_held(&held[j]);
		zs_read_end(a.pool);
	}
	return NULL;
}

static void *body_hold(void *worker)
{
	struct worker *w = worker;
	static _Thread_local uint8_t locals[HELD][4096];
	struct held held[HELD];

	for (uint64_t i = 0; i < w->operations; i++) {
		unsigned n = (unsigned)rng_range(&w->rng, 1, HELD);

		for (unsigned j = 0; j < n; j++) {
			struct slot *s = &a.slots[rng_below(&w->rng, nr_stable)];

			held[j] = (struct held){ s, zs_obj_read_begin(a.pool, s->handle, locals[j]), locals[j] };
			CHECK(held[j].mem != NULL);
			if (rng_one_in(&w->rng, 4))
				check_held(&held[rng_below(&w->rng, j + 1)]);
		}
		if (rng_one_in(&w->rng, 8))
			sched_yield();
		for (unsigned j = 0; j < n; j++) {
			check_held(&held[j]);
			zs_obj_read_end(a.pool, held[j].slot->handle, held[j].mem);
		}
	}
	return NULL;
}

/* Fill the changing half, then free it in long stretches, until stop. */
static void *body_churn(void *worker)
{
	struct worker *w = worker;

	while (!atomic_load_explicit(&a.stop, memory_order_relaxed)) {
		for (size_t i = nr_stable; i < a.nr_slots; i++)
			if (a.slots[i].handle == 0)
				CHECK(slot_fill(w, &a.slots[i]));
		for (size_t i = nr_stable; i < a.nr_slots; i++)
			if (!rng_one_in(&w->rng, 10))
				slot_free(w, &a.slots[i]);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	struct worker filler;

	check_install();
	check_context("stress readers");
	arena_options(&a, argc, argv);
	arena_open(&a, 1600, 1500);
	nr_stable = a.nr_slots / 2;
	/* Stable and changing objects side by side in the same zspages. */
	worker_init(&filler, &a, 3);
	for (size_t i = 0; i < nr_stable; i++) {
		CHECK(slot_fill(&filler, &a.slots[i]));
		CHECK(slot_fill(&filler, &a.slots[nr_stable + i]));
	}
	struct worker *churn = workers_start(&a, 1, 4, 0, body_churn);
	struct worker *compact = workers_start(&a, 1, 5, 0, body_compact);

	struct worker *sections = workers_start(&a, READERS / 2, 7, check_scale(12000), body_sections);

	workers_join(workers_start(&a, READERS / 2, 6, check_scale(12000), body_hold), READERS / 2);
	workers_join(sections, READERS / 2);
	atomic_store(&a.stop, true);
	workers_join(churn, 1);
	workers_join(compact, 1);
	worker_fini(&filler);
	zs_pool_stats(a.pool, &stats);
	CHECK_MSG(stats.objs_moved > 0, "nothing was moved: the test has seen nothing");
	arena_close(&a);
	return 0;
}
