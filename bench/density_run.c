/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * density_run.c - the history of bench_density, see density.h.
 *
 * The RSS before is read when everything else is resident: code, arrays of this program, the data set; and after a pool
 * of a few objects was made and destroyed, so that what a library sets up once is there. What that leaves behind is
 * taken for free memory of the process: 64 objects, the same for all allocators.
 *
 * At the end every object is read and compared with what was written, and the pool is validated.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "density.h"

#define SETTLE_NS 1000000000u

/* What a stage has taken so far, without what sampling took. */
struct watch {
	enum stage stage;
	uint64_t start_ns;
	uint64_t sampling_ns;
	uint64_t others_ns;
};

/* The own time first: what passes between the two readings must not count as less than nothing. */
static uint64_t others_ns(void)
{
	struct timespec all;
	struct timespec own;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
	return (uint64_t)((all.tv_sec - own.tv_sec) * 1000000000 + all.tv_nsec - own.tv_nsec);
}

static void make_object(struct test *t, struct object *o, uint32_t size)
{
	o->size = size;
	o->content = t->written++;
	o->handle = zpool_malloc(t->store.front, size, 0);
	if (o->handle == 0 ||
	    zpool_obj_write(t->store.front, o->handle, dataset_content(&t->data, o->content), size) != 0)
		fail(errno, "object of %" PRIu32 " bytes", size);
	t->requested += size;
}

static void free_object(struct test *t, const struct object *o)
{
	zpool_free(t->store.front, o->handle);
	t->requested -= o->size;
}

static void check_object(struct test *t, const struct object *o)
{
	char copy[DATASET_PAGE];
	const void *mem = zpool_obj_read_begin(t->store.front, o->handle, copy);

	if (mem == NULL || memcmp(mem, dataset_content(&t->data, o->content), o->size) != 0)
		fail(0, "an object of %" PRIu32 " bytes is not what was written", o->size);
	zpool_obj_read_end(t->store.front, o->handle, mem);
}

static uint32_t random_size(struct test *t)
{
	return t->data.size[rng_below(&t->rng, t->data.sizes)];
}

static void warm_up(struct test *t, const char *type)
{
	t->store = store_create(type);
	for (uint32_t i = 0; i < 64; i++)
		make_object(t, &t->object[i], (i + 1) * 64);
	for (uint32_t i = 0; i < 64; i++) {
		check_object(t, &t->object[i]);
		free_object(t, &t->object[i]);
	}
	(void)store_release(&t->store);
	store_destroy(&t->store);
}

static struct watch begin(enum stage stage)
{
	struct watch w = { .stage = stage, .others_ns = others_ns() };

	w.start_ns = now_ns();
	return w;
}

/* After `done` of `total` steps: the memory, if it is time for a sample. */
static void sample(struct test *t, const struct settings *set, struct watch *w, uint64_t done, uint64_t total)
{
	if (set->samples == 0 || done * set->samples / total == (done - 1) * set->samples / total)
		return;

	uint64_t start = now_ns();
	struct sample *s = &t->sample[t->samples++];

	s->stage = w->stage;
	s->at = (double)done / (double)total;
	s->rss = rss_bytes();
	s->requested = t->requested;
	w->sampling_ns += now_ns() - start;
}

static void end(struct test *t, const struct watch *w, uint64_t operations)
{
	struct stage_result *r = &t->result[w->stage];
	uint64_t spent = now_ns() - w->start_ns;

	r->done = true;
	r->ns = (double)(spent - w->sampling_ns) / (double)(operations == 0 ? 1 : operations);
	uint64_t others = others_ns();

	r->other_threads = others < w->others_ns ? 0 : (double)(others - w->others_ns) / (double)spent;
	r->rss = rss_bytes();
	r->requested = t->requested;
	store_held_bytes(&t->store, &r->held, &r->metadata);
}

static void fill(struct test *t, const struct settings *set)
{
	struct watch w = begin(FILL);
	uint32_t first = rng_below(&t->rng, t->data.sizes); /* few objects: other sizes with another seed */

	while (t->live < set->objects) {
		make_object(t, &t->object[t->live], t->data.size[(first + t->live) % t->data.sizes]);
		sample(t, set, &w, ++t->live, set->objects);
	}
	end(t, &w, set->objects);
}

static void churn(struct test *t, const struct settings *set)
{
	struct watch w = begin(CHURN);
	uint64_t times = (uint64_t)set->churns * set->objects;

	for (uint64_t i = 0; i < times; i++) {
		struct object *o = &t->object[rng_below(&t->rng, t->live)];

		free_object(t, o);
		make_object(t, o, random_size(t));
		sample(t, set, &w, i + 1, times);
	}
	end(t, &w, times);
}

static void free_some(struct test *t, const struct settings *set, uint32_t count)
{
	struct watch w = begin(FREED);

	for (uint32_t i = 0; i < count; i++) {
		struct object *o = &t->object[rng_below(&t->rng, t->live)];

		free_object(t, o);
		*o = t->object[--t->live];
		sample(t, set, &w, i + 1, count);
	}
	end(t, &w, count);
}

/* One second in which nothing is called. */
static void wait_second(struct test *t, const struct settings *set, enum stage stage, uint64_t operations)
{
	struct watch w = begin(stage);
	uint64_t steps = set->samples == 0 ? 1 : set->samples;

	for (uint64_t i = 1; i <= steps; i++) {
		uint64_t until = w.start_ns + SETTLE_NS * i / steps;
		uint64_t now = now_ns();

		if (until > now) {
			struct timespec ts = { .tv_sec = (time_t)((until - now) / 1000000000u),
					       .tv_nsec = (long)((until - now) % 1000000000u) };

			(void)nanosleep(&ts, NULL);
		}
		sample(t, set, &w, i, steps);
	}
	end(t, &w, operations);
}

static void release(struct test *t, const struct settings *set, uint32_t freed)
{
	if (set->shrinker != 0) {
		t->released_with = "shrinker";
		wait_second(t, set, RELEASED, freed);
		return;
	}
	struct watch w = begin(RELEASED);

	t->released_with = store_release(&t->store);
	sample(t, set, &w, 1, 1);
	end(t, &w, freed);
}

static void refill(struct test *t, const struct settings *set, uint64_t bytes)
{
	struct watch w = begin(REFILL);
	uint64_t before = t->requested;
	uint32_t had = t->live;
	uint64_t missing = bytes - before;
	uint64_t reached = 0;

	while (t->requested < bytes && t->live < t->room) {
		uint32_t size = random_size(t) * 3 / 4;

		make_object(t, &t->object[t->live++], size == 0 ? 1 : size);
		/* By bytes, of which an object brings many at once: from one step of the samples to the next. */
		uint64_t now = (t->requested - before) * (set->samples == 0 ? 1 : set->samples) / missing;

		if (now != reached)
			sample(t, set, &w, reached = now, set->samples == 0 ? 1 : set->samples);
	}
	end(t, &w, t->live - had);
}

void density_run(struct test *t, const struct settings *set)
{
	uint32_t freed = (uint32_t)((uint64_t)set->objects * (set->half ? 50 : 70) / 100);

	touch_program();
	warm_up(t, set->store);
	t->base_rss = rss_bytes();
	t->store = store_create(set->store);
	if (set->shrinker != 0)
		store_shrink(&t->store, set->shrinker);

	fill(t, set);
	if (!set->half) {
		churn(t, set);
		if (set->shrinker != 0)
			wait_second(t, set, SETTLED, set->objects);
	}
	(void)sleep(set->rest);
	uint64_t bytes = t->requested;

	free_some(t, set, freed);
	release(t, set, freed);
	if (!set->no_refill)
		refill(t, set, bytes);
	if (set->shrinker != 0 && !set->no_refill)
		wait_second(t, set, REFILL_SETTLED, set->objects);

	if (t->store.pool != NULL && zs_pool_validate(t->store.pool) != 0)
		fail(errno, "the pool is not valid");
	for (uint32_t i = 0; i < t->live; i++) {
		check_object(t, &t->object[i]);
		free_object(t, &t->object[i]);
	}
	store_destroy(&t->store);
}
