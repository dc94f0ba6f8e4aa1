/* SPDX-License-Identifier: BSD-3-Clause */
/* supply.h - what objects are made of: sizes and contents of a data set. */
#ifndef BENCH_SUPPLY_H
#define BENCH_SUPPLY_H

#include <stdint.h>

#include "dataset.h"
#include "object.h"

/* The sizes and contents that objects are made of, and where in them the next one begins. */
struct supply {
	struct dataset data;
	struct rng rng;
	uint32_t written;
};

static inline uint32_t supply_size(struct supply *s)
{
	return s->data.size[rng_below(&s->rng, s->data.sizes)];
}

static inline void object_make(struct zs_pool *pool, struct object *o, struct supply *s, uint32_t size)
{
	o->size = size;
	o->content = s->written++;
	o->ref = ref_new(pool, size);
	ref_write(pool, o->ref, dataset_content(&s->data, o->content), size);
}

#endif
