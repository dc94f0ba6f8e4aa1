/* SPDX-License-Identifier: BSD-3-Clause */
/* crowd.c - the end of a crowd: nothing may have changed. */
#include "crowd.h"

#include <inttypes.h>
#include <string.h>

void crowd_end(struct crowd *c)
{
	uint8_t copy[DATASET_PAGE];

	for (uint32_t i = 0; i < c->live; i++) {
		const struct object *o = &c->object[i];

		object_copy(c->pool, o, copy);
		if (memcmp(copy, dataset_content(&c->supply.data, o->content), o->size) != 0)
			fail(0, "an object of %" PRIu32 " bytes is not what was written", o->size);
	}
	pool_end(c->pool);
}
