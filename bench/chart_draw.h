/* SPDX-License-Identifier: BSD-3-Clause */
/* chart_draw.h - a chart as a picture. */
#ifndef BENCH_CHART_DRAW_H
#define BENCH_CHART_DRAW_H

#include <stdio.h>

#include "chart.h"

/* Write the picture as SVG. */
void chart_draw(const struct chart *c, FILE *out);

#endif
