/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_section.h - a cross-section of the sample: few stripes that are as all of them are.
 *
 * The stripes are ordered by what one algorithm makes of them, and every so many-th of that order is taken. So what
 * compresses well and what does not has the part in the survey that it has in the sample.
 */
#ifndef ZS_ADVISE_SECTION_H
#define ZS_ADVISE_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "advice.h"

/* Which of n ordered things the i-th of count evenly spread ones is. */
size_t section_pick(size_t i, size_t count, size_t n);

/* The numbers below count so that each beginning of them is spread evenly too. false when i is none of them. */
bool section_spread(size_t i, size_t count, size_t *number);

/* Pages of a stripe of the sample: fewer in the last one. */
size_t stripe_pages(const struct advice *advice, size_t stripe);

/* Order the stripes, by the sizes of their pages. False without memory, after a message. */
bool section_order(struct advice *advice, const uint32_t *sizes);

/* Take the survey, and the lessons for the dictionary from other stripes where there are enough. */
bool section_take(struct advice *advice);

/* Train the dictionary, on any thread, and free the lessons. Without anything to learn there is none. */
void section_train(struct advice *advice);

#endif
