/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_print.c - the results for people, in 80 columns. */
#include "advise_print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "advise_choose.h"
#include "advise_figures.h"
#include "advise_paste.h"
#include "advise_recompress.h"
#include "units.h"

static struct text speed(double mb_per_second)
{
	struct text out;
	if (isfinite(mb_per_second))
		snprintf(out.s, sizeof(out.s), "%.0f", mb_per_second);
	else
		snprintf(out.s, sizeof(out.s), "-");
	return out;
}

/* Break at blanks; lead is before the first line, and as many blanks before the others. */
static void print_lines(const char *lead, const char *text)
{
	enum { WIDTH = 78 };
	size_t indent = strlen(lead), room = WIDTH - indent;
	while (*text) {
		size_t n = strlen(text);
		if (n > room) {
			n = room;
			while (n > 0 && text[n] != ' ')
				n--;
			if (n == 0)
				n = room;
		}
		printf("%s%.*s\n", lead, (int)n, text);
		lead = &"    "[4 - indent]; /* indent is no more than that */
		text += n;
		text += *text == ' ';
	}
}

static void print_wrapped(const char *text)
{
	print_lines("  - ", text);
}

static void print_sample(const struct advice *advice)
{
	const struct sample *sample = &advice->sample;
	print_lines("", advise_sentence(advice).s);
	printf("\n%s, %s\n", format_plural(advice->inputs, "input", "inputs").s,
	       format_bytes(sample->input_pages * SAMPLE_PAGE).s);
	if (sample->whole)
		printf("  all of it was read: %s\n", format_plural(advice->pages, "page", "pages").s);
	else
		printf("  a sample of %s was read, in %s pieces of up to 64 KiB spread evenly over it\n"
		       "  (--sample all reads everything); all figures below are the sample's\n",
		       format_bytes(advice->pages * SAMPLE_PAGE).s, format_count(sample->pieces).s);
	if (advice->cut_streams)
		printf("  %s not read to the end: all figures are of what was read\n",
		       format_plural(advice->cut_streams, "stream was", "streams were").s);
	if (advice->dictionary.size)
		printf("  a dictionary of %s was trained on it; what it takes comes on top\n",
		       format_bytes(advice->dictionary.size).s);
	else
		printf("  no dictionary: too little, or too little in common, to train one\n");
	if (advice->given_back)
		printf("  %s given back by the process before they were read\n",
		       format_plural(advice->given_back, "page was", "pages were").s);
}

/* "~123": no more than an estimate. */
static struct text figure(uint64_t n, bool exact)
{
	struct text out;
	snprintf(out.s, sizeof(out.s), "%s%" PRIu64, exact ? "" : "~", n);
	return out;
}

static void print_prediction(const struct advice *advice, const struct prediction *p)
{
	char level[16] = "-";
	if (p->what->algorithm->levels != NULL)
		snprintf(level, sizeof(level), "%d", p->what->level);
	printf("%c %-9s %5s %15s %14s %6.3f %7s %6s %6s\n", p == advice->kernel.prediction ? '*' : ' ',
	       p->what->algorithm->name, level, figure(p->compressed_bytes, p->exact).s,
	       figure(p->held_bytes, p->exact).s, prediction_ratio(p, true), figure(p->huge, p->exact).s,
	       speed(compress_mb_per_s(p->what)).s, speed(decompress_mb_per_s(p->what)).s);
}

static void print_predictions(const struct advice *advice)
{
	bool estimates = false, parts = false;
	printf("\nThe kernel's zram, pages of 4 KiB, chain size %d\n", KERNEL_CHAIN);
	printf("  %-9s %5s %15s %14s %6s %7s %6s %6s\n", "algorithm", "level", "compr_data_size", "mem_used_total",
	       "ratio", "huge", "MB/s", "MB/s");
	printf("  %-9s %5s %15s %14s %6s %7s %6s %6s\n", "", "", "", "", "", "pages", "write", "read");
	for (size_t i = 0; i < advice->prediction_count; i++) {
		const struct prediction *p = &advice->predictions[i];
		if (!candidate_fits(p->what, true))
			continue;
		print_prediction(advice, p);
		estimates |= !p->exact;
		parts |= p->tried != p->blocks;
	}
	printf("  ratio: input / (mem_used_total + the table's %d bytes a page)\n", TABLE_ENTRY_BYTES);
	if (estimates)
		printf("  ~ estimate, from the library here: the kernel has a version of its own. For lz4, where\n"
		       "    it can be compared, such estimates were off by up to %s\n",
		       ESTIMATE_ERROR);
	if (parts)
		printf("    lz4hc and deflate are from a part of the pages, and off by a few percent (--quick)\n");
}

/* Those that no other beats in both memory and time. */
static bool on_front(const struct advice *advice, const struct candidate *c)
{
	if (!(c->algorithm->where & IN_LIBRARY) || c->timed_bytes == 0)
		return false;
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *other = &advice->candidates[i];
		if (other != c && (other->algorithm->where & IN_LIBRARY) && other->timed_bytes &&
		    candidate_access_ns(advice, other) <= candidate_access_ns(advice, c) &&
		    candidate_ratio(other, false) >= candidate_ratio(c, false))
			return false;
	}
	return true;
}

static const struct advice *sorted_for; /* qsort() passes nothing on */

static int compare_access(const void *a, const void *b)
{
	double x = candidate_access_ns(sorted_for, *(const struct candidate *const *)a);
	double y = candidate_access_ns(sorted_for, *(const struct candidate *const *)b);
	return (x > y) - (x < y);
}

static void print_candidate(const struct advice *advice, const struct candidate *c)
{
	printf("%c %-44s %6.3f %9.1f %6s %6s\n", c == advice->library.candidate ? '*' : ' ', candidate_name(c).s,
	       candidate_ratio(c, false), candidate_access_ns(advice, c) / 1000, speed(compress_mb_per_s(c)).s,
	       speed(decompress_mb_per_s(c)).s);
}

static void print_front(const struct advice *advice)
{
	const double step = 1.03;
	const struct candidate **front = malloc(advice->candidate_count * sizeof(struct candidate *));
	size_t count = 0;
	double shown = 0;
	for (size_t i = 0; front != NULL && i < advice->candidate_count; i++)
		if (on_front(advice, &advice->candidates[i]))
			front[count++] = &advice->candidates[i];
	sorted_for = advice;
	if (count)
		qsort(front, count, sizeof(struct candidate *), compare_access);
	printf("\nWith libzram, estimates from %s of it: what no other beats in both memory\n"
	       "and time (%s access), in steps of at least 3 %%; --json has all\n",
	       format_bytes((uint64_t)advice->survey_pages * SAMPLE_PAGE).s,
	       advice->settings.sequential ? "sequential" : "random");
	printf("  %-44s %6s %9s %6s %6s\n", "candidate", "ratio", "us/access", "write", "read");
	for (size_t i = 0; i < count; i++) {
		double ratio = candidate_ratio(front[i], false);
		if (ratio < shown * step && front[i] != advice->library.candidate)
			continue;
		print_candidate(advice, front[i]);
		shown = ratio > shown ? ratio : shown;
	}
	free(front);
}

static void print_settings(const char *what, const char *text)
{
	printf("  %s\n", what);
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		printf("      %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static void print_choice(const struct choice *choice, const char *where)
{
	printf("\nRecommended for %s: %s\n", where, candidate_name(choice->candidate).s);
	for (unsigned i = 0; i < choice->reason_count; i++)
		print_wrapped(choice->reasons[i]);
}

static void print_kernel(const struct advice *advice)
{
	const struct prediction *p = advice->kernel.prediction;
	print_choice(&advice->kernel, "the kernel's zram");
	printf("  - %s mm_stat: %s\n"
	       "    With much more such data, so that zspages are full, the ratio would be %.3f.\n",
	       p->exact ? "Predicted" : "Estimated", mm_stat_line(p).s, large_pool_ratio(p, true));
	print_settings("zramctl, for a device that fills half of this machine's memory:", zramctl_text(advice).s);
	print_settings("/etc/systemd/zram-generator.conf:", zram_generator_text(advice).s);
	if (advice->kernel_pair.primary == NULL)
		return;
	printf("\nRecompressing what lies idle: %s\n", advice->kernel_pair.worth ? "worth it" : "not worth it here");
	print_wrapped(recompress_reason(advice, &advice->kernel_pair).s);
	print_wrapped(recompress_limits(advice, &advice->kernel_pair).s);
	if (advice->kernel_pair.worth)
		print_settings("To set up:", recompress_text(advice).s);
}

static void print_library(const struct advice *advice)
{
	const struct prediction *p = advice->library.prediction;
	print_choice(&advice->library, "libzram and zs serve");
	printf("  - For these pages it holds %s, %s of it metadata, and a table of %s:\n"
	       "    a ratio of %.3f, and %.3f with much more such data.\n",
	       format_bytes(p->dense_held_bytes).s, format_bytes(p->dense_metadata_bytes).s,
	       format_bytes(p->blocks * TABLE_ENTRY_BYTES).s, prediction_ratio(p, false), large_pool_ratio(p, false));
	if (advice->library_pair.worth)
		print_wrapped(recompress_reason(advice, &advice->library_pair).s);
	print_settings("A disk in half of this machine's memory, without root:", serve_text(advice).s);
	print_settings("In a program:", libzram_text(advice).s);
}

void advise_print(const struct advice *advice)
{
	print_sample(advice);
	print_predictions(advice);
	if (advice->kernel.candidate == NULL || advice->library.candidate == NULL) {
		printf("\nNothing to recommend: all blocks repeat a word, and cost nothing with any algorithm.\n");
		return;
	}
	print_front(advice);
	print_kernel(advice);
	print_library(advice);
}
