/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chart.h - what bench_chart draws: a description in, a picture out.
 *
 * The description has one thing a line, its words separated by tabs:
 *
 *   title TEXT                subtitle TEXT
 *   x linear|nines LABEL      nines: shares of all, 0.9 0.99 0.999 ... at equal distances
 *   y linear|log KIND LABEL   KIND: what a number is, "plain" or "ns"; a logarithmic axis starts at the power of ten
 *                             below the least value, a linear one at 0
 *   panel TITLE               side by side, with the same axes; everything that follows is in it
 *   phase FROM TO LABEL       a part of the x axis and its name
 *   limit Y LABEL             a line that should not be passed
 *   series NAME COLOUR STYLE LABEL_X ABOVE|BELOW|END     STYLE: line, bold, dashed, area
 *   point X Y                 of the series before
 *
 * A series is named where its line is: over or under it at LABEL_X, or at its end. The picture has no background and
 * uses colours that can be told from white as well as from black.
 */
#ifndef BENCH_CHART_H
#define BENCH_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TEXT_MOST 160u
#define PANELS_MOST 4u
#define SERIES_MOST 8u
#define POINTS_MOST 512u
#define PHASES_MOST 8u
#define LIMITS_MOST 2u

enum axis_kind { AXIS_LINEAR, AXIS_LOG, AXIS_NINES };
enum unit { UNIT_PLAIN, UNIT_NS };
enum style { STYLE_LINE, STYLE_BOLD, STYLE_DASHED, STYLE_AREA };
enum place { PLACE_ABOVE, PLACE_BELOW, PLACE_END };

struct axis {
	enum axis_kind kind;
	enum unit unit;
	char label[TEXT_MOST];
	double low;
	double high;
};

struct point {
	double x;
	double y;
};

struct series {
	char name[TEXT_MOST];
	char colour[16];
	enum style style;
	enum place place;
	double label_x;
	struct point point[POINTS_MOST];
	size_t points;
};

struct phase {
	double from;
	double to;
	char label[TEXT_MOST];
};

struct limit {
	double y;
	char label[TEXT_MOST];
};

struct panel {
	char title[TEXT_MOST];
	struct series series[SERIES_MOST];
	size_t nr_series;
	struct phase phase[PHASES_MOST];
	size_t phases;
	struct limit limit[LIMITS_MOST];
	size_t limits;
};

struct chart {
	char title[TEXT_MOST];
	char subtitle[TEXT_MOST];
	struct axis x;
	struct axis y;
	struct panel panel[PANELS_MOST];
	size_t panels;
};

/* Read a description; the program ends with a message, and the line's number, where it is wrong. */
void chart_read(struct chart *c, FILE *in);

#endif
