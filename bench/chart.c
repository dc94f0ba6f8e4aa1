/* SPDX-License-Identifier: BSD-3-Clause */
/* chart.c - the description of a chart: reading it. */
#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

#define WORDS_MOST 6u

struct reader {
	struct chart *chart;
	unsigned line;
	char *word[WORDS_MOST];
	size_t words;
};

static _Noreturn void wrong(const struct reader *r, const char *why)
{
	fail(0, "line %u: %s", r->line, why);
}

static void copy_text(const struct reader *r, char *to, size_t room, size_t word)
{
	if (strlen(r->word[word]) >= room)
		wrong(r, "too long");
	memcpy(to, r->word[word], strlen(r->word[word]) + 1);
}

static double value(const struct reader *r, size_t word)
{
	char *end;
	double number = strtod(r->word[word], &end);

	if (end == r->word[word] || *end != '\0' || !isfinite(number))
		wrong(r, "not a number");
	return number;
}

/* Which of the names, separated by spaces, a word is. */
static int choice(const struct reader *r, size_t word, const char *names)
{
	size_t length = strlen(r->word[word]);

	for (int i = 0; *names != '\0'; i++) {
		size_t n = strcspn(names, " ");

		if (n == length && strncmp(names, r->word[word], n) == 0)
			return i;
		names += n + (names[n] == ' ');
	}
	wrong(r, "an unknown kind");
}

static void read_axis(const struct reader *r)
{
	if (r->word[0][0] == 'x') {
		r->chart->x.kind = choice(r, 1, "linear nines") == 0 ? AXIS_LINEAR : AXIS_NINES;
		copy_text(r, r->chart->x.label, TEXT_MOST, 2);
	} else {
		r->chart->y.kind = choice(r, 1, "linear log") == 0 ? AXIS_LINEAR : AXIS_LOG;
		r->chart->y.unit = (enum unit)choice(r, 2, "plain ns");
		copy_text(r, r->chart->y.label, TEXT_MOST, 3);
	}
}

static struct panel *last_panel(const struct reader *r)
{
	if (r->chart->panels == 0)
		wrong(r, "before the first panel");
	return &r->chart->panel[r->chart->panels - 1];
}

static void read_panel(const struct reader *r)
{
	if (r->chart->panels == PANELS_MOST)
		wrong(r, "too many panels");
	r->chart->panels++;
	copy_text(r, last_panel(r)->title, TEXT_MOST, 1);
}

static void read_phase(const struct reader *r)
{
	struct panel *p = last_panel(r);

	if (p->phases == PHASES_MOST)
		wrong(r, "too many phases");
	struct phase *phase = &p->phase[p->phases++];

	phase->from = value(r, 1);
	phase->to = value(r, 2);
	copy_text(r, phase->label, TEXT_MOST, 3);
}

static void read_limit(const struct reader *r)
{
	struct panel *p = last_panel(r);

	if (p->limits == LIMITS_MOST)
		wrong(r, "too many limits");
	struct limit *limit = &p->limit[p->limits++];

	limit->y = value(r, 1);
	copy_text(r, limit->label, TEXT_MOST, 2);
}

static void read_series(const struct reader *r)
{
	struct panel *p = last_panel(r);

	if (p->nr_series == SERIES_MOST)
		wrong(r, "too many series");
	struct series *s = &p->series[p->nr_series++];

	copy_text(r, s->name, sizeof(s->name), 1);
	copy_text(r, s->colour, sizeof(s->colour), 2);
	s->style = (enum style)choice(r, 3, "line bold dashed area");
	s->label_x = value(r, 4);
	s->place = (enum place)choice(r, 5, "ABOVE BELOW END");
}

static void widen(struct axis *a, double at)
{
	if (at < a->low)
		a->low = at;
	if (at > a->high)
		a->high = at;
}

static void read_point(const struct reader *r)
{
	struct panel *p = last_panel(r);
	struct point at = { value(r, 1), value(r, 2) };

	if (p->nr_series == 0)
		wrong(r, "before the first series");
	struct series *s = &p->series[p->nr_series - 1];

	if (s->points == POINTS_MOST)
		wrong(r, "too many points");
	if ((r->chart->y.kind == AXIS_LOG && at.y <= 0) || (r->chart->x.kind == AXIS_NINES && (at.x < 0 || at.x >= 1)))
		wrong(r, "not on the axis");
	s->point[s->points++] = at;
	widen(&r->chart->x, at.x);
	widen(&r->chart->y, at.y);
}

static void read_title(const struct reader *r)
{
	copy_text(r, r->word[0][0] == 't' ? r->chart->title : r->chart->subtitle, TEXT_MOST, 1);
}

static void read_line(const struct reader *r)
{
	static const struct {
		const char *name;
		size_t words;
		void (*read)(const struct reader *r);
	} kinds[] = {
		{ "title", 2, read_title }, { "subtitle", 2, read_title }, { "x", 3, read_axis },
		{ "y", 4, read_axis },      { "panel", 2, read_panel },    { "phase", 4, read_phase },
		{ "limit", 3, read_limit }, { "series", 6, read_series },  { "point", 3, read_point },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, r->word[0]) != 0)
			continue;
		if (r->words != kinds[i].words)
			wrong(r, "too few or too many words");
		kinds[i].read(r);
		return;
	}
	wrong(r, "an unknown word");
}

void chart_read(struct chart *c, FILE *in)
{
	struct reader r = { .chart = c };
	char text[1024];

	c->x.low = c->y.low = HUGE_VAL;
	c->x.high = c->y.high = -HUGE_VAL;
	while (fgets(text, sizeof(text), in) != NULL) {
		r.line++;
		text[strcspn(text, "\n")] = '\0';
		r.words = 0;
		for (char *at = text; at != NULL;) {
			if (r.words == WORDS_MOST)
				wrong(&r, "too many words");
			r.word[r.words++] = at;
			at = strchr(at, '\t');
			if (at != NULL)
				*at++ = '\0';
		}
		read_line(&r);
	}
	if (c->panels == 0 || !(c->x.low < c->x.high) || !(c->y.low <= c->y.high))
		fail(0, "nothing to draw");
}
