/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_measure.h - what a candidate makes of pages, and how fast. */
#ifndef ZS_ADVISE_MEASURE_H
#define ZS_ADVISE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "advice.h"

/*
 * Compressed sizes of pages at data, one for each block; 0 for same-filled ones. False without
 * memory; says nothing, as it may run on any thread.
 */
bool measure_sizes(const struct advice *advice, const struct candidate *c, const unsigned char *data, size_t pages,
		   size_t first_block, size_t blocks, uint32_t *sizes);
/* Take the time once: fills in compress[rounds] and decompress[rounds], and counts the round. */
bool measure_time(const struct advice *advice, struct candidate *c);
size_t blocks_of(const struct candidate *c, size_t pages);

#endif
