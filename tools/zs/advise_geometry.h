/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_geometry.h - what objects take in the kernel's zspages and in those of the dense geometry. */
#ifndef ZS_ADVISE_GEOMETRY_H
#define ZS_ADVISE_GEOMETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "advice.h"

/* The pools for all block sizes. False without memory, after a message. */
bool geometries_make(struct geometries *g);
void geometries_free(struct geometries *g);

/* Bytes of a full zspage that an object of this size takes. */
double object_bytes(const struct geometry_view *view, size_t size, size_t page_size);

/* Add blocks of a candidate by their compressed sizes, 0: same-filled. */
void tally_add(struct tally *tally, const struct geometries *g, const struct candidate *c, const uint32_t *sizes,
	       size_t blocks);

#endif
