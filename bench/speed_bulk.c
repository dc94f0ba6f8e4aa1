/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * speed_bulk.c - operations a second on many objects, more than any cache holds: fill, churn, read, in this order, once
 * for as many operations as there are objects. At the end every object is compared with what was written.
 */
#include "speed.h"

static double per_second(uint32_t operations, uint64_t start_ns)
{
	return operations * 1e9 / (double)(now_ns() - start_ns);
}

static double read_random(struct zs_pool *pool, const struct object *object, const uint32_t *which, uint32_t count)
{
	uint8_t copy[DATASET_PAGE];
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i++)
		object_copy(pool, &object[which[i]], copy);
	return per_second(count, start);
}

static double churn(struct zs_pool *pool, struct object *object, struct supply *s, const uint32_t *which,
		    const uint32_t *size, uint32_t count)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i++) {
		struct object *o = &object[which[i]];

		ref_free(pool, o->ref);
		object_make(pool, o, s, size[i]);
	}
	return per_second(count, start);
}

static double fill(struct zs_pool *pool, struct object *object, struct supply *s, const uint32_t *size, uint32_t count)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i++)
		object_make(pool, &object[i], s, size[i]);
	return per_second(count, start);
}

static void choose(struct supply *s, uint32_t *which, uint32_t *size, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		which[i] = rng_below(&s->rng, count);
		size[i] = supply_size(s);
	}
}

struct speed_bulk speed_bulk(struct supply *s, uint32_t objects)
{
	struct zs_pool *pool = pool_new();
	struct object *object = pages(objects * sizeof(*object));
	uint32_t *which = pages(objects * sizeof(*which));
	uint32_t *size = pages(objects * sizeof(*size));
	struct speed_bulk speed;
	uint8_t copy[DATASET_PAGE];

	choose(s, which, size, objects);
	speed.fill = fill(pool, object, s, size, objects);
	choose(s, which, size, objects);
	speed.churn = churn(pool, object, s, which, size, objects);
	choose(s, which, size, objects);
	speed.read = read_random(pool, object, which, objects);
	for (uint32_t i = 0; i < objects; i++) {
		object_copy(pool, &object[i], copy);
		if (memcmp(copy, dataset_content(&s->data, object[i].content), object[i].size) != 0)
			fail(0, "an object of %" PRIu32 " bytes is not what was written", object[i].size);
		ref_free(pool, object[i].ref);
	}
	pool_end(pool);
	return speed;
}
