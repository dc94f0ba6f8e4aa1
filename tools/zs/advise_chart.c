/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_chart.c - axes, lines, bars and their names, written as SVG by hand. */
#include "advise_chart.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "advise_figures.h"
#include "units.h"

/* The drawing area within an svg of WIDTH x height, in its own units. */
enum { WIDTH = 760, LEFT = 56, RIGHT = 16, TOP = 16, BOTTOM = 44 };

struct plot {
	FILE *out;
	int height;
	double x0, x1, y0, y1; /* values at the edges */
	bool log_x;
};

static double plot_x(const struct plot *p, double value)
{
	double share = p->log_x ? log(value / p->x0) / log(p->x1 / p->x0) : (value - p->x0) / (p->x1 - p->x0);
	return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double plot_y(const struct plot *p, double value)
{
	return p->height - BOTTOM - (value - p->y0) / (p->y1 - p->y0) * (p->height - TOP - BOTTOM);
}

static void begin_svg(const struct plot *p, const char *label)
{
	fprintf(p->out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, p->height, label);
}

static void axis_titles(const struct plot *p, const char *x, const char *y)
{
	fprintf(p->out, "<text class=\"at\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
		(LEFT + WIDTH - RIGHT) / 2, p->height - 6, x);
	fprintf(p->out,
		"<text class=\"at\" transform=\"translate(13 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
		(TOP + p->height - BOTTOM) / 2, y);
}

/* 1, 2 or 5 times a power of ten, so that there are about `wanted` steps. */
static double nice_step(double range, int wanted)
{
	double raw = range / wanted, power = pow(10, floor(log10(raw)));
	double lead = raw / power;
	return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}

static void y_grid(const struct plot *p, const char *format, double unit)
{
	double step = nice_step((p->y1 - p->y0) / unit, 5) * unit;
	for (double v = ceil(p->y0 / step) * step; v <= p->y1 * 1.0001; v += step) {
		double y = plot_y(p, v);
		fprintf(p->out,
			"<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
			"text-anchor=\"end\">",
			LEFT, y, WIDTH - RIGHT, LEFT - 6, y + 4);
		fprintf(p->out, format, v / unit);
		fputs("</text>\n", p->out);
	}
}

static void x_tick(const struct plot *p, double value, const char *text)
{
	double x = plot_x(p, value);
	fprintf(p->out,
		"<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"tick\" x=\"%.1f\" y=\"%d\" "
		"text-anchor=\"middle\">%s</text>\n",
		x, TOP, p->height - BOTTOM, x, p->height - BOTTOM + 16, text);
}

unsigned series_of(const struct candidate *c)
{
	static const char *const names[] = { "lzo", "lz4", "lz4hc", "zstd", "deflate", "lzo-rle" };
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], c->algorithm->name) == 0)
			return i;
	return 0;
}

/* Speed of writing a block and reading it back, MB/s. */
static double turn_speed(const struct candidate *c)
{
	return (double)c->timed_bytes * 1000 / (double)(c->compress_ns + c->decompress_ns);
}

static bool in_chart(const struct candidate *c, unsigned block_index)
{
	return c->block_index == block_index && c->timed_bytes && (c->algorithm->where & IN_LIBRARY);
}

static struct plot survey_plot(FILE *out, const struct advice *advice)
{
	struct plot p = { .out = out, .height = 430, .x0 = 1e9, .x1 = 1, .y0 = 1e9, .y1 = 1, .log_x = true };
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *c = &advice->candidates[i];
		if (!in_chart(c, c->block_index))
			continue;
		p.x0 = fmin(p.x0, turn_speed(c));
		p.x1 = fmax(p.x1, turn_speed(c));
		p.y0 = fmin(p.y0, candidate_ratio(c, false));
		p.y1 = fmax(p.y1, candidate_ratio(c, false));
	}
	p.x0 /= 1.25;
	p.x1 *= 1.25;
	double step = nice_step(p.y1 - p.y0 + 0.01, 5);
	p.y0 = floor(p.y0 / step) * step;
	p.y1 = ceil((p.y1 + step / 10) / step) * step;
	return p;
}

static void survey_line(const struct plot *p, const struct advice *advice, unsigned block_index,
			const struct algorithm *algorithm, bool dictionary)
{
	bool any = false;
	unsigned series = 0;
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *c = &advice->candidates[i];
		if (!in_chart(c, block_index) || c->algorithm != algorithm || c->dictionary != dictionary)
			continue;
		series = series_of(c);
		if (!any)
			fprintf(p->out, "<path class=\"line%s\" style=\"stroke:var(--s%u)\" d=\"",
				dictionary ? " dict" : "", series);
		fprintf(p->out, "%c%.1f %.1f", any ? 'L' : 'M', plot_x(p, turn_speed(c)),
			plot_y(p, candidate_ratio(c, false)));
		any = true;
	}
	if (any)
		fputs("\"/>\n", p->out);
}

static void survey_point(const struct plot *p, const struct advice *advice, const struct candidate *c)
{
	double x = plot_x(p, turn_speed(c)), y = plot_y(p, candidate_ratio(c, false));
	unsigned series = series_of(c);
	if (c == advice->library.candidate || c == advice->kernel.candidate)
		fprintf(p->out, "<circle class=\"halo\" cx=\"%.1f\" cy=\"%.1f\" r=\"9\"/>\n", x, y);
	fprintf(p->out,
		"<circle class=\"dot%s\" style=\"--c:var(--s%u)\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>%s: ratio %.3f, "
		"compress %.0f MB/s, decompress %.0f MB/s</title></circle>\n",
		c->dictionary ? " dict" : "", series, x, y, candidate_name(c).s, candidate_ratio(c, false),
		compress_mb_per_s(c), decompress_mb_per_s(c));
}

void chart_survey(FILE *out, const struct advice *advice, unsigned block_index)
{
	struct plot p = survey_plot(out, advice);
	char text[32];
	begin_svg(&p, "Compression ratio against speed");
	y_grid(&p, "%.3g", 1);
	for (double decade = 0.1; decade < 1e6; decade *= 10)
		for (int lead = 1; lead <= 5; lead += lead == 1 ? 1 : 3)
			if (decade * lead >= p.x0 && decade * lead <= p.x1) {
				snprintf(text, sizeof(text), "%g", decade * lead);
				x_tick(&p, decade * lead, text);
			}
	axis_titles(&p, "speed of writing and reading back, MB/s (one thread, logarithmic)",
		    "ratio in libzram: input / held memory");
	for (size_t i = 0; i < algorithm_count; i++)
		for (int dictionary = 0; dictionary < 2; dictionary++)
			survey_line(&p, advice, block_index, &algorithms[i], dictionary);
	for (size_t i = 0; i < advice->candidate_count; i++)
		if (in_chart(&advice->candidates[i], block_index))
			survey_point(&p, advice, &advice->candidates[i]);
	fputs("</svg>\n", out);
}

void chart_sizes(FILE *out, const struct advice *advice, const struct prediction *prediction)
{
	enum { BINS = 128 };
	const struct geometry_view *view = &advice->geometries.kernel[prediction->what->block_index];
	size_t len = block_bytes(prediction->what), each = len / BINS;
	uint64_t bins[BINS] = { 0 }, most = 1;
	for (uint64_t i = 0; i < prediction->tried; i++) {
		size_t bin = prediction->sizes[i] >= len ? BINS - 1 : prediction->sizes[i] / each;
		if (prediction->sizes[i] && ++bins[bin] > most)
			most = bins[bin];
	}
	struct plot p = { .out = out, .height = 320, .x0 = 0, .x1 = (double)len, .y0 = 0, .y1 = (double)most * 1.05 };
	begin_svg(&p, "How many blocks compress to which size");
	fprintf(out, "<rect class=\"huge\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n",
		plot_x(&p, (double)view->huge_size), TOP, WIDTH - RIGHT - plot_x(&p, (double)view->huge_size),
		p.height - TOP - BOTTOM);
	y_grid(&p, "%.0f", 1);
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	fputs("<path class=\"class\" d=\"", out);
	for (unsigned index = 0; zs_get_class_info(view->pool, index, &info) == 0; index = info.index + 1)
		fprintf(out, "M%.1f %dv6", plot_x(&p, info.max_request), p.height - BOTTOM);
	fputs("\"/>\n", out);
	for (size_t i = 0; i < BINS; i++) {
		if (bins[i] == 0)
			continue;
		double x = plot_x(&p, (double)(i * each)), y = plot_y(&p, (double)bins[i]);
		fprintf(out,
			"<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1\">"
			"<title>%zu to %zu bytes: %" PRIu64 " blocks</title></rect>\n",
			x + 0.5, y, plot_x(&p, (double)((i + 1) * each)) - x - 1, p.height - BOTTOM - y, i * each,
			(i + 1) * each - 1, bins[i]);
	}
	for (unsigned i = 0; i <= 8; i++) {
		double v = (double)len * i / 8;
		fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.0f</text>\n",
			plot_x(&p, v), p.height - BOTTOM + 20, v);
	}
	fprintf(out, "<text class=\"note\" x=\"%d\" y=\"%d\" text-anchor=\"end\">huge: stored whole</text>\n",
		WIDTH - RIGHT - 4, TOP + 13);
	axis_titles(&p, "compressed size, bytes; the marks below the axis are the limits of the size classes",
		    "blocks");
	fputs("</svg>\n", out);
}

struct class_use {
	unsigned size;
	uint64_t requested, held; /* bytes */
};

/* What is in each class, objects as they are asked for; held as whole zspages. The number of classes. */
static size_t class_uses(const struct advice *advice, const struct prediction *prediction, struct class_use *uses,
			 size_t room)
{
	struct zs_pool *pool = advice->geometries.kernel[prediction->what->block_index].pool;
	size_t huge = advice->geometries.kernel[prediction->what->block_index].huge_size;
	size_t len = block_bytes(prediction->what), count = 0;
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	for (unsigned index = 0; count < room && zs_get_class_info(pool, index, &info) == 0; index = info.index + 1) {
		struct class_use *use = &uses[count++];
		uint64_t objects = 0;
		*use = (struct class_use){ .size = info.size };
		for (uint64_t i = 0; i < prediction->tried; i++) {
			size_t size = prediction->sizes[i] >= huge ? len : prediction->sizes[i];
			if (size >= info.min_request && size <= info.max_request) {
				objects++;
				use->requested += size;
			}
		}
		uint64_t zspages = (objects + info.objs_per_zspage - 1) / info.objs_per_zspage;
		use->held = zspages * info.pages_per_zspage * len;
	}
	return count;
}

void chart_classes(FILE *out, const struct advice *advice, const struct prediction *prediction)
{
	enum { MOST_CLASSES = 512 };
	static struct class_use uses[MOST_CLASSES];
	size_t count = class_uses(advice, prediction, uses, MOST_CLASSES);
	uint64_t most = 1;
	for (size_t i = 0; i < count; i++)
		if (uses[i].held > most)
			most = uses[i].held;
	double unit = most >= (10u << 20) ? 1 << 20 : 1 << 10;
	struct plot p = { .out = out, .height = 320, .x0 = 0, .x1 = (double)count, .y0 = 0, .y1 = (double)most * 1.05 };
	begin_svg(&p, "Memory that each size class holds");
	y_grid(&p, "%.0f", unit);
	for (size_t i = 0; i < count; i++) {
		double x = plot_x(&p, (double)i), width = plot_x(&p, (double)i + 1) - x - 1;
		double top = plot_y(&p, (double)uses[i].held), used = plot_y(&p, (double)uses[i].requested);
		if (uses[i].held == 0)
			continue;
		fprintf(out,
			"<g><title>class of %u bytes: %s held, %.1f %% of it used</title>"
			"<rect class=\"waste\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
			"<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/></g>\n",
			uses[i].size, format_bytes(uses[i].held).s,
			100 * (double)uses[i].requested / (double)uses[i].held, x, top, width, used - top, x, used,
			width, p.height - BOTTOM - used);
	}
	for (size_t i = 0; i < count; i += count / 9 ? count / 9 : 1)
		fprintf(out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%u</text>\n",
			plot_x(&p, (double)i + 0.5), p.height - BOTTOM + 16, uses[i].size);
	axis_titles(&p, "size class, bytes of one slot", unit > 1024 ? "memory, MiB" : "memory, KiB");
	fputs("</svg>\n", out);
}

static void memory_row(FILE *out, int y, const char *label, const char *css, double share, const char *text)
{
	const int left = 190, room = (WIDTH - left - 150) * 10 / 11;
	share = fmin(share, 1.1); /* what does not compress can take more than it is */
	fprintf(out,
		"<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>"
		"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"14\" rx=\"2\"/>"
		"<text class=\"value\" x=\"%.1f\" y=\"%d\">%s</text>\n",
		left - 10, y + 12, label, css, left, y, fmax(1, share * room), left + fmax(1, share * room) + 8, y + 12,
		text);
}

void chart_memory(FILE *out, const struct advice *advice)
{
	const double input = (double)advice->pages * SAMPLE_PAGE;
	int height = 40 + 46 * (int)advice->prediction_count, y = 8;
	char text[64];
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Memory that is held\">\n", WIDTH, height);
	memory_row(out, y, "as it is", "rest", 1, format_bytes((uint64_t)input).s);
	y += 30;
	for (size_t i = 0; i < advice->prediction_count; i++, y += 46) {
		const struct prediction *p = &advice->predictions[i];
		snprintf(text, sizeof(text), "%.20s, kernel, %.2f", format_bytes(p->held_bytes).s,
			 prediction_ratio(p, true));
		if (candidate_fits(p->what, true))
			memory_row(out, y, candidate_name(p->what).s, "kernel", (double)p->held_bytes / input, text);
		snprintf(text, sizeof(text), "%.20s, libzram, %.2f", format_bytes(p->dense_held_bytes).s,
			 prediction_ratio(p, false));
		if (candidate_fits(p->what, false))
			memory_row(out, y + 17, candidate_fits(p->what, true) ? "" : candidate_name(p->what).s, "bar",
				   (double)p->dense_held_bytes / input, text);
	}
	fputs("</svg>\n", out);
}
