/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compact_latency.c - how long single operations take, with and without a second thread that compacts the same pool
 * without a pause.
 *
 *   grow    malloc (and write) until a gigabyte is live, with a read of a random object after each
 *   free    70 % of the objects at random, with a read after each
 *   steady  free of a random object and malloc (and write) of another, with two reads, until a third of the objects was
 *           replaced: compaction finds the waste of the phase before, and this makes more
 *
 * Each malloc, free and read begin is timed by itself. The writes, the bytes read and the end of a read are not part of
 * it. As often as a malloc or a free an empty operation is timed too, in the same loop: what it shows are the clock and
 * whatever took the processor away meanwhile, and no allocator is shorter than that.
 */
#include <sys/resource.h>

#include "compact.h"
#include "crowd.h"

struct run {
	struct crowd crowd;
	struct histogram *ns; /* TIMEDS */
};

static void time_empty(struct run *r)
{
	uint64_t start = now_ns();

	use(r);
	histogram_add(&r->ns[TIMED_EMPTY], now_ns() - start);
}

static void time_read(struct run *r)
{
	struct crowd *c = &r->crowd;
	const struct object *o = &c->object[rng_below(&c->supply.rng, c->live)];
	uint8_t first;
	uint64_t start = now_ns();
	const void *mem = ref_begin(c->pool, o->ref);
	uint64_t spent = now_ns() - start;

	memcpy(&first, mem, 1);
	ref_end(c->pool, o->ref, mem);
	if (first != *dataset_content(&c->supply.data, o->content))
		fail(0, "an object of %" PRIu32 " bytes is not what was written", o->size);
	histogram_add(&r->ns[TIMED_READ], spent);
}

static void time_malloc(struct run *r)
{
	struct crowd *c = &r->crowd;
	struct object *o = &c->object[c->live++];
	uint64_t start;

	o->size = supply_size(&c->supply);
	o->content = c->supply.written++;
	start = now_ns();
	o->ref = ref_new(c->pool, o->size);
	histogram_add(&r->ns[TIMED_MALLOC], now_ns() - start);
	ref_write(c->pool, o->ref, dataset_content(&c->supply.data, o->content), o->size);
	c->bytes += o->size;
	time_empty(r);
}

static void time_free(struct run *r)
{
	struct crowd *c = &r->crowd;
	struct object *o = &c->object[rng_below(&c->supply.rng, c->live)];
	uint64_t start = now_ns();

	ref_free(c->pool, o->ref);
	histogram_add(&r->ns[TIMED_FREE], now_ns() - start);
	c->bytes -= o->size;
	*o = c->object[--c->live];
	time_empty(r);
}

static void history(struct run *r, uint64_t bytes, uint32_t room)
{
	struct crowd *c = &r->crowd;

	while (c->bytes < bytes && c->live < room) {
		time_malloc(r);
		time_read(r);
	}

	uint32_t full = c->live;

	while (c->live > full * UINT64_C(3) / 10) {
		time_free(r);
		time_read(r);
	}
	for (uint32_t i = 0; i < full / 3; i++) {
		time_free(r);
		time_read(r);
		time_malloc(r);
		time_read(r);
	}
}

static uint64_t interruptions(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage) != 0)
		fail(errno, "getrusage");
	return (uint64_t)usage.ru_nivcsw;
}

void compact_latency(struct compact_latency *l, const struct supply *s, uint32_t mebibytes)
{
	uint64_t bytes = (uint64_t)mebibytes << 20;
	/* By the mean of the sizes, and a tenth more. */
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->data.sizes; i++)
		sum += s->data.size[i];

	uint32_t room = (uint32_t)((double)bytes * s->data.sizes / (double)sum * 1.1) + 100;
	struct object *object = pages(room * sizeof(*object));

	for (int with = 0; with < 2; with++) {
		struct run r = { .ns = l->ns[with] };
		struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

		r.crowd = (struct crowd){ .pool = pool_new(), .object = object, .supply = *s };

		struct companion *companion = companion_start(r.crowd.pool);

		companion_set(companion, with == 1 ? BESIDE_COMPACTION : BESIDE_NOTHING);

		uint64_t before = interruptions();

		history(&r, bytes, room);
		l->switches[with] = interruptions() - before;
		companion_stop(companion);
		zs_pool_stats(r.crowd.pool, &stats);
		l->moved[with] = stats.objs_moved;
		crowd_end(&r.crowd);
	}
	release_pages(object, room * sizeof(*object));
}
