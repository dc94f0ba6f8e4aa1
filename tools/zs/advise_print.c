/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_print.c - the results for people, in 80 columns. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "advise.h"
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

static void print_sample(const struct advice *advice)
{
	const struct sample *sample = &advice->sample;
	printf("%s, %s\n", format_plural(advice->inputs, "input", "inputs").s,
	       format_bytes(sample->input_pages * SAMPLE_PAGE).s);
	if (sample->whole)
		printf("  all of it was read: %s\n", format_plural(sample->pages, "page", "pages").s);
	else
		printf("  a sample of %s was read, in %s pieces of up to 64 KiB spread evenly over it\n"
		       "  (--sample all reads everything); all figures are the sample's\n",
		       format_bytes((uint64_t)sample->pages * SAMPLE_PAGE).s, format_count(sample->pieces).s);
	printf("  candidates were tried on %s of that", format_bytes((uint64_t)advice->survey_pages * SAMPLE_PAGE).s);
	if (advice->dictionary.size)
		printf("; a dictionary of %s was trained on other parts\n", format_bytes(advice->dictionary.size).s);
	else
		printf("; without a dictionary: too little,\n  or too little in common, to train one\n");
	if (advice->given_back)
		printf("  %s given back by the process before they were read\n",
		       format_plural(advice->given_back, "page was", "pages were").s);
}

static void print_predictions(const struct advice *advice)
{
	printf("\nThe kernel's zram, pages of 4 KiB: exact for these pages, chain size %d\n", KERNEL_CHAIN);
	printf("  %-9s %5s %15s %14s %6s %6s %6s %6s\n", "algorithm", "level", "compr_data_size", "mem_used_total",
	       "ratio", "huge", "MB/s", "MB/s");
	printf("  %-9s %5s %15s %14s %6s %6s %6s %6s\n", "", "", "", "", "", "", "write", "read");
	for (size_t i = 0; i < advice->prediction_count; i++) {
		const struct prediction *p = &advice->predictions[i];
		char level[16] = "-";
		if (!(p->what.algorithm->where & IN_KERNEL) || p->what.block_index || p->what.dictionary)
			continue;
		if (p->what.algorithm->levels)
			snprintf(level, sizeof(level), "%d", p->what.level);
		printf("%c %-9s %5s %15" PRIu64 " %14" PRIu64 " %6.3f %6" PRIu64 " %6s %6s\n",
		       p == advice->kernel.prediction ? '*' : ' ', p->what.algorithm->name, level, p->compressed_bytes,
		       p->held_bytes, prediction_ratio(p, true), p->huge, speed(compress_mb_per_s(&p->what)).s,
		       speed(decompress_mb_per_s(&p->what)).s);
	}
	printf("  ratio: input / (mem_used_total + the table's %d bytes a page)\n", TABLE_ENTRY_BYTES);
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

static void print_front(const struct advice *advice)
{
	printf("\nWith libzram, estimates from the survey: the candidates that no other beats in\n"
	       "both memory and time (%s access)\n",
	       advice->settings.sequential ? "sequential" : "random");
	printf("  %-44s %6s %9s %6s %6s\n", "candidate", "ratio", "us/access", "write", "read");
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *c = &advice->candidates[i];
		if (on_front(advice, c))
			printf("%c %-44s %6.3f %9.1f %6s %6s\n", c == advice->library.candidate ? '*' : ' ',
			       candidate_name(c).s, candidate_ratio(c, false), candidate_access_ns(advice, c) / 1000,
			       speed(compress_mb_per_s(c)).s, speed(decompress_mb_per_s(c)).s);
	}
}

/* Indent each line; break long ones at blanks. */
static void print_wrapped(const char *text)
{
	enum { WIDTH = 74 };
	const char *lead = "  - ";
	while (*text) {
		size_t n = strlen(text);
		if (n > WIDTH) {
			n = WIDTH;
			while (n > 0 && text[n] != ' ')
				n--;
			if (n == 0)
				n = WIDTH;
		}
		printf("%s%.*s\n", lead, (int)n, text);
		lead = "    ";
		text += n;
		text += *text == ' ';
	}
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

void advise_print(const struct advice *advice)
{
	const struct prediction *ours = advice->library.prediction;
	print_sample(advice);
	print_predictions(advice);
	if (!advice->kernel.candidate || !advice->library.candidate) {
		printf("\nNothing to recommend: all blocks are same-filled, and cost nothing with any algorithm.\n");
		return;
	}
	print_front(advice);
	print_choice(&advice->kernel, "the kernel's zram");
	printf("  - Predicted mm_stat: %s\n", mm_stat_line(advice->kernel.prediction).s);
	print_settings("zramctl, for a device that fills half of this machine's memory:", zramctl_text(advice).s);
	print_settings("/etc/systemd/zram-generator.conf:", zram_generator_text(advice).s);
	print_choice(&advice->library, "libzram");
	printf("  - For these pages it holds %s, %s of it metadata, and a table of %s:\n    a ratio of %.3f.\n",
	       format_bytes(ours->dense_held_bytes).s, format_bytes(ours->dense_metadata_bytes).s,
	       format_bytes(ours->blocks * TABLE_ENTRY_BYTES).s, prediction_ratio(ours, false));
	print_settings("In a program:", libzram_text(advice).s);
}
