/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * speed_pairs.c - time of a malloc with a free while a number of objects is live, one thread.
 *
 * Which objects, and of which sizes, is chosen before the clock starts. The three kinds are measured in short slices in
 * turn, and the slice in the middle counts: one that was interrupted does not.
 */
#include "speed.h"

#define SLICES 15u

struct plan {
	uint32_t *which;
	uint32_t *size;
	uint32_t count;
};

static void choose(struct plan *plan, struct supply *s, uint32_t live)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		plan->which[i] = rng_below(&s->rng, live);
		plan->size[i] = supply_size(s);
	}
}

static uint64_t same(struct zs_pool *pool, const struct plan *plan)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < plan->count; i++)
		ref_free(pool, ref_new(pool, plan->size[i]));
	return now_ns() - start;
}

static uint64_t replace(struct zs_pool *pool, struct object *object, const struct plan *plan)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < plan->count; i++) {
		struct object *o = &object[plan->which[i]];

		ref_free(pool, o->ref);
		o->ref = ref_new(pool, o->size);
	}
	return now_ns() - start;
}

static uint64_t replace_other(struct zs_pool *pool, struct object *object, const struct plan *plan)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < plan->count; i++) {
		struct object *o = &object[plan->which[i]];

		ref_free(pool, o->ref);
		o->size = plan->size[i];
		o->ref = ref_new(pool, o->size);
	}
	return now_ns() - start;
}

struct speed_pairs speed_pairs(struct supply *s, uint32_t live, uint32_t pairs)
{
	struct zs_pool *pool = pool_new();
	struct object *object = pages(live * sizeof(*object));
	struct plan plan = { .count = pairs / SLICES + 1 };
	double ns[3][SLICES];

	plan.which = pages(plan.count * sizeof(*plan.which));
	plan.size = pages(plan.count * sizeof(*plan.size));
	for (uint32_t i = 0; i < live; i++)
		object_make(pool, &object[i], s, supply_size(s));
	/* The first pass brings the pool into a steady state and is overwritten by the second. */
	for (uint32_t i = 0; i < 2 * SLICES; i++) {
		choose(&plan, s, live);
		ns[0][i % SLICES] = (double)same(pool, &plan) / plan.count;
		ns[1][i % SLICES] = (double)replace(pool, object, &plan) / plan.count;
		ns[2][i % SLICES] = (double)replace_other(pool, object, &plan) / plan.count;
	}
	for (uint32_t i = 0; i < live; i++)
		ref_free(pool, object[i].ref);
	pool_end(pool);
	return (struct speed_pairs){ median(ns[0], SLICES), median(ns[1], SLICES), median(ns[2], SLICES) };
}
