/* SPDX-License-Identifier: BSD-3-Clause */
/* crowd.h - many objects in a pool, added and removed at random, and all of them compared at the end. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "object.h"
#include "supply.h"

/* Objects in a pool, and the sizes that more are made of. */
struct crowd {
	struct zs_pool *pool;
	struct object *object;
	uint32_t live;
	uint64_t bytes; /* of the live ones */
	struct supply supply;
};

static inline void crowd_add(struct crowd *c)
{
	struct object *o = &c->object[c->live++];

	object_make(c->pool, o, &c->supply, supply_size(&c->supply));
	c->bytes += o->size;
}

static inline void crowd_remove_random(struct crowd *c)
{
	struct object *o = &c->object[rng_below(&c->supply.rng, c->live)];

	ref_free(c->pool, o->ref);
	c->bytes -= o->size;
	*o = c->object[--c->live];
}

/* Compare every object with what was written, validate and destroy the pool. */
void crowd_end(struct crowd *c);

#endif
