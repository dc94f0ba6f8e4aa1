/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * chart_draw.c - a chart as SVG.
 *
 *   title
 *   subtitle
 *   panel title | panel title | ...       each: the plot, and right of it room for the names at the ends of lines
 *   plots
 *   phases or ticks of the x axis
 *   label of the x axis
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chart_draw.h"

#define WIDTH 900.0
#define HEIGHT 440.0
#define TOP 96.0
#define BOTTOM 52.0
#define LEFT 64.0
#define GAP 14.0
#define LABEL_STEP 14.0 /* least distance of two names, one above the other */
#define CHAR_WIDTH 7.0  /* of a name, about */

#define TEXT_COLOUR "#6e7781"
#define LIMIT_COLOUR "#cf222e"

/* Where a panel's plot is, in the picture. */
struct frame {
	const struct chart *chart;
	FILE *out;
	double left;
	double width;
	double right; /* room for names */
};

struct label {
	double x;
	double y;
	const char *anchor;
	const struct series *series;
};

static void text(FILE *out, double x, double y, const char *attributes, const char *words)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, attributes);
	for (; *words != '\0'; words++) {
		if (*words == '&')
			fputs("&amp;", out);
		else if (*words == '<')
			fputs("&lt;", out);
		else if (*words == '>')
			fputs("&gt;", out);
		else
			fputc(*words, out);
	}
	fputs("</text>\n", out);
}

/* 0..1 along the axis */
static double along(const struct axis *a, double at)
{
	if (a->kind == AXIS_NINES)
		return (log10(1 - a->low) - log10(1 - at)) / (log10(1 - a->low) - log10(1 - a->high));
	if (a->kind == AXIS_LOG)
		return (log10(at) - log10(a->low)) / (log10(a->high) - log10(a->low));
	return (at - a->low) / (a->high - a->low);
}

static double x_of(const struct frame *f, double x)
{
	return f->left + f->width * along(&f->chart->x, x);
}

static double y_of(const struct frame *f, double y)
{
	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * along(&f->chart->y, y);
}

static void describe(char *to, size_t room, enum unit unit, double at)
{
	static const char *const names[] = { "ns", "\302\265s", "ms", "s" };
	int i = 0;

	if (unit == UNIT_PLAIN) {
		snprintf(to, room, "%.6g", at);
		return;
	}
	for (; at >= 1000 && i < 3; i++)
		at /= 1000;
	snprintf(to, room, "%.3g %s", at, names[i]);
}

/* 1, 2 or 5 times a power of ten, so that about five of them make up the axis */
static double step_of(double high)
{
	double power = pow(10, floor(log10(high / 5)));

	return high / 5 <= power * 1.5 ? power : high / 5 <= power * 3.5 ? 2 * power : 5 * power;
}

static void draw_y_tick(const struct frame *f, double at, bool named)
{
	char words[32];

	fprintf(f->out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", f->left,
		f->left + f->width, y_of(f, at), y_of(f, at));
	describe(words, sizeof(words), f->chart->y.unit, at);
	if (named)
		text(f->out, f->left - 7, y_of(f, at) + 4, "class=\"tick\" text-anchor=\"end\"", words);
}

static void draw_y_axis(const struct frame *f, bool named)
{
	const struct axis *y = &f->chart->y;

	if (y->kind == AXIS_LOG) {
		for (double at = y->low; at <= y->high * 1.001; at *= 10)
			draw_y_tick(f, at, named);
		return;
	}
	for (double at = 0; at <= y->high; at += step_of(y->high))
		draw_y_tick(f, at, named);
}

/* A tick for each nine: 50 %, 90 %, 99 %, ... */
static void draw_x_axis(const struct frame *f)
{
	const struct axis *x = &f->chart->x;
	char words[32];

	if (x->kind != AXIS_NINES)
		return;
	for (int nines = 0; nines < 9; nines++) {
		double at = nines == 0 ? 0.5 : 1 - pow(10, -nines);

		if (at < x->low - 1e-12 || at > x->high + 1e-12)
			continue;
		snprintf(words, sizeof(words), "%.*f", nines > 2 ? nines - 2 : 0, at * 100);
		text(f->out, x_of(f, at), HEIGHT - BOTTOM + 16,
		     "class=\"tick\" style=\"font-size:10px\" text-anchor=\"middle\"", words);
	}
}

static void draw_phases(const struct frame *f, const struct panel *p)
{
	for (size_t i = 0; i < p->phases; i++) {
		double from = x_of(f, p->phase[i].from);
		double to = x_of(f, p->phase[i].to);

		if (i > 0)
			fprintf(f->out,
				"<line class=\"grid\" stroke-dasharray=\"2 3\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
				from, from, TOP, HEIGHT - BOTTOM + 20);
		text(f->out, (from + to) / 2, HEIGHT - BOTTOM + 16, "class=\"tick\" text-anchor=\"middle\"",
		     p->phase[i].label);
	}
}

static void draw_limits(const struct frame *f, const struct panel *p)
{
	for (size_t i = 0; i < p->limits; i++) {
		double y = y_of(f, p->limit[i].y);

		fprintf(f->out,
			"<line stroke=\"" LIMIT_COLOUR
			"\" stroke-dasharray=\"6 4\" opacity=\"0.7\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
			f->left, f->left + f->width, y, y);
		text(f->out, f->left + 4, y - 5, "class=\"tick\" style=\"fill:" LIMIT_COLOUR "\"", p->limit[i].label);
	}
}

static void draw_series(const struct frame *f, const struct series *s)
{
	static const char *const style[] = {
		[STYLE_LINE] = "stroke-width=\"1.8\"",
		[STYLE_BOLD] = "stroke-width=\"3.4\"",
		[STYLE_DASHED] = "stroke-width=\"1.6\" stroke-dasharray=\"4 3\"",
		[STYLE_AREA] = "stroke-width=\"0\" fill-opacity=\"0.22\"",
	};
	bool area = s->style == STYLE_AREA;

	if (s->points == 0)
		return;
	fprintf(f->out, "<path fill=\"%s\" stroke=\"%s\" stroke-linejoin=\"round\" %s d=\"", area ? s->colour : "none",
		s->colour, style[s->style]);
	for (size_t i = 0; i < s->points; i++)
		fprintf(f->out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x_of(f, s->point[i].x), y_of(f, s->point[i].y));
	if (area)
		fprintf(f->out, "L%.1f %.1fL%.1f %.1fZ", x_of(f, s->point[s->points - 1].x), HEIGHT - BOTTOM,
			x_of(f, s->point[0].x), HEIGHT - BOTTOM);
	fputs("\"/>\n", f->out);
}

/* The y of a series at x, between its points. */
static double at_x(const struct series *s, double x)
{
	for (size_t i = 1; i < s->points; i++) {
		const struct point *a = &s->point[i - 1];
		const struct point *b = &s->point[i];

		if (x <= b->x && b->x > a->x)
			return a->y + (b->y - a->y) * (x - a->x) / (b->x - a->x);
	}
	return s->point[s->points - 1].y;
}

static struct label place(const struct frame *f, const struct series *s)
{
	struct label l = { .series = s };

	if (s->place == PLACE_END) {
		l.x = x_of(f, s->point[s->points - 1].x) + 6;
		l.y = y_of(f, s->point[s->points - 1].y) + 4;
		l.anchor = "start";
	} else {
		l.x = x_of(f, s->label_x);
		l.y = y_of(f, at_x(s, s->label_x)) + (s->place == PLACE_ABOVE ? -6 : 16);
		l.anchor = "middle";
	}
	return l;
}

static int by_y(const void *a, const void *b)
{
	double x = ((const struct label *)a)->y;
	double y = ((const struct label *)b)->y;

	return (x > y) - (x < y);
}

/* Names that would lie over each other are moved up, from the lowest on. */
static void draw_names(const struct frame *f, const struct panel *p)
{
	struct label label[SERIES_MOST];
	size_t labels = 0;
	char attributes[96];

	for (size_t i = 0; i < p->nr_series; i++)
		if (p->series[i].points > 0 && p->series[i].name[0] != '\0')
			label[labels++] = place(f, &p->series[i]);
	qsort(label, labels, sizeof(label[0]), by_y);
	for (size_t i = labels; i-- > 0;) {
		const struct label *below = &label[i + 1];

		if (i + 1 < labels && fabs(below->x - label[i].x) < CHAR_WIDTH * 14 &&
		    below->y - label[i].y < LABEL_STEP)
			label[i].y = below->y - LABEL_STEP;
		snprintf(attributes, sizeof(attributes), "class=\"name\" text-anchor=\"%s\" style=\"fill:%s\"",
			 label[i].anchor, label[i].series->colour);
		text(f->out, label[i].x, label[i].y, attributes, label[i].series->name);
	}
}

static void draw_panel(const struct frame *f, const struct panel *p, bool first)
{
	text(f->out, f->left, TOP - 11, "class=\"panel\"", p->title);
	draw_y_axis(f, first);
	draw_x_axis(f);
	draw_phases(f, p);
	for (size_t i = 0; i < p->nr_series; i++)
		draw_series(f, &p->series[i]);
	draw_limits(f, p);
	draw_names(f, p);
}

/* Room for the longest name at the end of a line. */
static double names_width(const struct chart *c)
{
	size_t longest = 0;

	for (size_t i = 0; i < c->panels; i++)
		for (size_t j = 0; j < c->panel[i].nr_series; j++)
			if (c->panel[i].series[j].place == PLACE_END && strlen(c->panel[i].series[j].name) > longest)
				longest = strlen(c->panel[i].series[j].name);
	return 8 + CHAR_WIDTH * (double)longest;
}

void chart_draw(const struct chart *source, FILE *out)
{
	struct chart c = *source;
	double right = names_width(source);
	double width = (WIDTH - LEFT - GAP * (double)(c.panels - 1)) / (double)c.panels - right - 4;

	if (c.y.kind == AXIS_LOG) {
		c.y.low = pow(10, floor(log10(c.y.low)));
		c.y.high = pow(10, ceil(log10(c.y.high * 1.05)));
	} else {
		c.y.low = 0;
		c.y.high *= 1.06;
	}
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-family=\"-apple-system, "
		"Segoe UI, Helvetica, Arial, sans-serif\">\n"
		"<style>text{fill:" TEXT_COLOUR ";font-size:12px}.title{font-size:18px;font-weight:600}"
		".panel{font-size:13px;font-weight:600}.name{font-weight:600}.grid{stroke:" TEXT_COLOUR
		";stroke-width:1;stroke-opacity:.3}</style>\n",
		WIDTH, HEIGHT);
	text(out, 12, 26, "class=\"title\"", c.title);
	text(out, 12, 46, "", c.subtitle);
	text(out, 12, TOP - 28, "class=\"tick\"", c.y.label);
	for (size_t i = 0; i < c.panels; i++) {
		struct frame f = { &c, out, LEFT + (double)i * (width + right + GAP), width, right };

		draw_panel(&f, &c.panel[i], i == 0);
	}
	text(out, LEFT + (WIDTH - LEFT - right) / 2, HEIGHT - 12, "text-anchor=\"middle\"", c.x.label);
	fputs("</svg>\n", out);
}
