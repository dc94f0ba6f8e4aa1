/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compact_beside.c - how fast one thread works on a pool while another compacts the same pool without a pause.
 *
 * The work is four reads of all bytes of a random object, and one free of a random object with a malloc and a write of
 * another size. Each slice of it begins with the same waste: before the clock starts, the pool is filled up and three
 * tenths of its objects are freed at random. So the compaction has something to move from the start, the work makes
 * more of it meanwhile, and slices alone and beside it differ in nothing else.
 *
 * Slices alone, beside compaction and beside a thread that only copies memory are run in turn; the middle one of each
 * counts. The last kind says how much of a loss is the machine's, whose memory both threads share.
 */
#include "compact.h"
#include "crowd.h"

#define SLICES 5u
#define PLAN 16384u

struct plan {
	uint32_t which[5 * PLAN]; /* random, still to be reduced to the live ones: 0..2^32-1 */
	uint32_t size[PLAN];
};

static uint64_t moved_objects(struct zs_pool *pool)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

	zs_pool_stats(pool, &stats);
	return stats.objs_moved;
}

static void make_waste(struct crowd *c, uint32_t objects)
{
	while (c->live < objects)
		crowd_add(c);
	while (c->live > objects * UINT64_C(7) / 10)
		crowd_remove_random(c);
}

static struct object *pick(struct crowd *c, uint32_t random)
{
	return &c->object[(uint64_t)random * c->live >> 32];
}

static void step(struct crowd *c, const struct plan *plan, uint32_t at)
{
	uint8_t copy[DATASET_PAGE];
	const uint32_t *which = &plan->which[5 * at];

	for (unsigned i = 0; i < 4; i++)
		object_copy(c->pool, pick(c, which[i]), copy);

	struct object *o = pick(c, which[4]);

	ref_free(c->pool, o->ref);
	c->bytes -= o->size;
	object_make(c->pool, o, &c->supply, plan->size[at]);
	c->bytes += o->size;
}

/* Operations a second: each step is five. */
static double work(struct crowd *c, const struct plan *plan, uint64_t slice_ns)
{
	uint64_t start = now_ns();
	uint64_t now = start;
	uint32_t steps = 0;

	while (now - start < slice_ns) {
		for (uint32_t end = steps + 16; steps < end; steps++)
			step(c, plan, steps % PLAN);
		now = now_ns();
	}
	return steps * 5e9 / (double)(now - start);
}

struct compact_beside compact_beside(const struct supply *s, uint32_t objects, uint32_t slice_ms)
{
	struct crowd c = { .pool = pool_new(), .object = pages(objects * sizeof(struct object)), .supply = *s };
	struct plan *plan = pages(sizeof(*plan));
	struct companion *companion = companion_start(c.pool);
	double speed[BESIDES][SLICES];
	double moved[SLICES];
	uint64_t slice_ns = slice_ms * UINT64_C(1000000);

	for (uint32_t i = 0; i < 5 * PLAN; i++)
		plan->which[i] = (uint32_t)rng_next(&c.supply.rng);
	for (uint32_t i = 0; i < PLAN; i++)
		plan->size[i] = supply_size(&c.supply);
	for (uint32_t i = 0; i < SLICES + 1; i++) {
		for (int beside = 0; beside < BESIDES; beside++) {
			make_waste(&c, objects);

			uint64_t before = moved_objects(c.pool);

			companion_set(companion, (enum beside)beside);
			speed[beside][i % SLICES] = work(&c, plan, slice_ns);
			companion_set(companion, BESIDE_NOTHING);
			if (beside == BESIDE_COMPACTION)
				moved[i % SLICES] = (double)(moved_objects(c.pool) - before) * 1000 / slice_ms;
		}
	}
	companion_stop(companion);
	crowd_end(&c);
	release_pages(c.object, objects * sizeof(struct object));

	struct compact_beside b = { .moved_per_second = median(moved, SLICES) };

	for (int beside = 0; beside < BESIDES; beside++)
		b.per_second[beside] = median(speed[beside], SLICES);
	return b;
}
