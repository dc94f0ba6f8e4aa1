/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_chart.h - the charts of the HTML report, each an inline <svg> whose colours are the page's CSS variables, so
 * that they follow the reader's light or dark mode. Nothing is fetched and nothing is scripted; values are tooltips.
 */
#ifndef ZS_ADVISE_CHART_H
#define ZS_ADVISE_CHART_H

#include <stdio.h>

#include "advice.h"

/* Ratio against speed, a line through the levels of each algorithm, for blocks of one size. */
void chart_survey(FILE *out, const struct advice *advice, unsigned block_index);

/* How many blocks compress to which size, over the size classes of the kernel's geometry. */
void chart_sizes(FILE *out, const struct advice *advice, const struct prediction *p);

/* What each class holds in the kernel: objects, and what is left over beside them. */
void chart_classes(FILE *out, const struct advice *advice, const struct prediction *p);

/* What is held, a bar for each prediction and geometry. */
void chart_memory(FILE *out, const struct advice *advice);

/* Series colours are --s0..--s5, in the order of algorithms[] with the two deflates as one. */
unsigned series_of(const struct candidate *c);

#endif
