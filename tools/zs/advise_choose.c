/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_choose.c - which candidate to take, and why.
 *
 * The choice is the candidate with the least time x memory^k. time is what one access costs, a write and its reads;
 * memory is what is held. k says how much more memory counts than time: with 3, twice the time is worth a fifth of the memory.
 * Those that save less than a share of what the densest one saves are no choice. It is a rule that can be said in
 * two sentences and checked by hand, and no more than that.
 *
 * The choice is made of estimates; what is said of it comes from its prediction, which has all of the sample.
 */
#include "advise_choose.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "advice.h"
#include "advise_figures.h"
#include "units.h"

enum { LEAST_SAVING_PERCENT = 5 };

static double memory(const struct candidate *c, bool kernel)
{
	return 1 / candidate_ratio(c, kernel);
}

double goal_cost(const struct advice *advice, double ns, double share)
{
	return log(ns) + goal_exponent(advice->settings.goal) * log(share);
}

static double cost(const struct advice *advice, const struct candidate *c, bool kernel)
{
	return goal_cost(advice, candidate_access_ns(advice, c), memory(c, kernel));
}

static void add_reason(struct choice *choice, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_reason(struct choice *choice, const char *format, ...)
{
	va_list args;
	if (choice->reason_count == MOST_REASONS)
		return;
	va_start(args, format);
	vsnprintf(choice->reasons[choice->reason_count++], sizeof(choice->reasons[0]), format, args);
	va_end(args);
}

/* The part of the memory that is saved. Less than nothing where more is held than there is data. */
static double saving(const struct candidate *c, bool kernel)
{
	return 1 - memory(c, kernel);
}

/* The one with the least cost among those that save enough. */
static const struct candidate *find_best(const struct advice *advice, const struct candidate *densest, bool kernel)
{
	const struct candidate *best = densest;
	double least = goal_least_share(advice->settings.goal) * saving(densest, kernel);
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *c = &advice->candidates[i];
		if (candidate_counts(c, kernel) && saving(c, kernel) >= least &&
		    cost(advice, c, kernel) < cost(advice, best, kernel))
			best = c;
	}
	return best;
}

static const struct candidate *find_densest(const struct advice *advice, bool kernel)
{
	const struct candidate *densest = NULL;
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *c = &advice->candidates[i];
		if (candidate_counts(c, kernel) &&
		    (densest == NULL || candidate_ratio(c, kernel) > candidate_ratio(densest, kernel)))
			densest = c;
	}
	return densest;
}

static const struct candidate *find_fastest(const struct advice *advice, bool kernel)
{
	const struct candidate *fastest = NULL;
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *c = &advice->candidates[i];
		if (candidate_counts(c, kernel) &&
		    (fastest == NULL || candidate_access_ns(advice, c) < candidate_access_ns(advice, fastest)))
			fastest = c;
	}
	return fastest;
}

static void choose(const struct advice *advice, struct choice *choice, bool kernel)
{
	const struct candidate *densest = find_densest(advice, kernel);
	if (densest != NULL)
		choice->candidate = find_best(advice, densest, kernel);
}

void advise_choose(struct advice *advice)
{
	choose(advice, &advice->kernel, true);
	choose(advice, &advice->library, false);
}

/* The neighbour that is best at one thing: what it would be to take it instead. */
static void compare_with(const struct advice *advice, struct choice *choice, const struct candidate *other,
			 const char *as, bool kernel)
{
	const struct candidate *c = choice->candidate;
	if (other == c) {
		add_reason(choice, "It is itself the %s.", as);
		return;
	}
	double more = 100 * (memory(other, kernel) / memory(c, kernel) - 1);
	double time = candidate_access_ns(advice, other) / candidate_access_ns(advice, c);
	add_reason(choice, "The %s, %s, would hold %.1f %% %s and take %.2f times the processor time.", as,
		   candidate_name(other).s, fabs(more), more < 0 ? "less" : "more", time);
}

static void reason_shares(struct choice *choice)
{
	const struct prediction *p = choice->prediction;
	if (p->same_filled * 10 >= p->blocks)
		add_reason(choice, "%.0f %% of the blocks repeat a single word: they cost nothing with any algorithm.",
			   100 * (double)p->same_filled / (double)p->blocks);
	if (p->huge * 10 >= p->blocks)
		add_reason(choice, "%.0f %% of the blocks do not shrink: they are stored as they are.",
			   100 * (double)p->huge / (double)p->blocks);
}

static void reason(const struct advice *advice, struct choice *choice, bool kernel)
{
	const struct candidate *densest = find_densest(advice, kernel);
	enum goal goal = advice->settings.goal;
	if (choice->candidate == NULL || choice->prediction == NULL)
		return;
	if (100 * saving(densest, kernel) < LEAST_SAVING_PERCENT)
		add_reason(choice, "Nothing saves %d %% of the memory: such data is better kept as it is.",
			   LEAST_SAVING_PERCENT);
	add_reason(
		choice,
		"Goal \"%s\": twice the time is worth it for %.0f %% less memory, among what saves at least %.0f %% of "
		"what can be saved.",
		goal_name(goal), 100 * (1 - exp2(-1.0 / goal_exponent(goal))), 100 * goal_least_share(goal));
	compare_with(advice, choice, find_fastest(advice, kernel), "fastest", kernel);
	compare_with(advice, choice, densest, "densest", kernel);
	if (!kernel && choice->candidate->block_index == 0)
		add_reason(choice,
			   "Blocks of 4 KiB: larger ones pack better, but each access would pay for all of one.");
	reason_shares(choice);
}

void advise_reason(struct advice *advice)
{
	reason(advice, &advice->kernel, true);
	reason(advice, &advice->library, false);
}

struct sentence advise_sentence(const struct advice *advice)
{
	struct sentence out;
	const struct prediction *p = advice->kernel.prediction;
	double all = (double)(advice->sample.input_pages * SAMPLE_PAGE);
	if (p == NULL) {
		snprintf(out.s, sizeof(out.s),
			 "Every page repeats a single word: zram would hold %s in next to no memory.",
			 format_bytes((uint64_t)all).s);
		return out;
	}
	/* Of a sample of much more data: as much of it would be, with its zspages full. */
	bool whole = advice->sample.whole;
	double full = 1 / large_pool_ratio(p, true), share = whole ? 1 / prediction_ratio(p, true) : full;
	const char *about = whole && p->exact ? "" : "about ";
	double percent = 100 * (1 - share), full_percent = 100 * (1 - full);
	struct text data = format_bytes((uint64_t)all), held = format_bytes((uint64_t)(all * share));
	int n;
	if (percent < LEAST_SAVING_PERCENT)
		n = snprintf(out.s, sizeof(out.s), "zram would save next to nothing: %s would take %s%s, with %s",
			     data.s, about, held.s, candidate_name(p->what).s);
	else
		n = snprintf(out.s, sizeof(out.s),
			     "zram would hold these %s in %s%s of memory, with %s: %.0f %% is saved", data.s, about,
			     held.s, candidate_name(p->what).s, percent);
	if (full_percent - percent >= LEAST_SAVING_PERCENT)
		snprintf(out.s + n, sizeof(out.s) - (size_t)n, "; of much more such data %.0f %% would be.",
			 full_percent);
	else
		snprintf(out.s + n, sizeof(out.s) - (size_t)n, ".");
	return out;
}
