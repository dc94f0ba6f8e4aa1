/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_measure.h - what a candidate makes of blocks, and how fast.
 *
 * A measurer is one thread's: it holds the candidate's coder from one call to the next. Time is the thread's own on a
 * processor, so that what else the machine does counts as little as it can.
 */
#ifndef ZS_ADVISE_MEASURE_H
#define ZS_ADVISE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "advice.h"

struct measurer {
	const struct candidate *candidate; /* NULL: none is open */
	struct coder *coder;
	unsigned char *buffer; /* a compressed block, a block */
	size_t len, room;      /* of a block, and compressed at most */
};

/* For this candidate; one that is open for it stays so. False without memory; says nothing, as the rest here. */
bool measurer_open(struct measurer *m, const struct advice *advice, const struct candidate *c);
void measurer_close(struct measurer *m);

/* Compressed sizes of the blocks that pages at data are, 0: same-filled. Zeros follow where the last is short. */
void measure_sizes(struct measurer *m, const unsigned char *data, size_t pages, uint32_t *sizes);

/*
 * Sizes of the survey's first blocks (its whole length has been allotted) and the time of some of them, for c->rounds,
 * which is counted: sizes NULL takes the time alone. *good: what came back is what it was. False without memory.
 */
bool measure_survey(struct measurer *m, const struct advice *advice, struct candidate *c, size_t blocks,
		    uint32_t *sizes, bool *good);

#endif
