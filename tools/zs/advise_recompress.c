/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_recompress.c - pairs of algorithms are compared with the choice of one.
 *
 * Every block is written with the primary. An idle part is decompressed and compressed with the secondary once, and
 * kept where that is the smaller one, as zram does it. What is idle is not read. With idle share f, r reads a write, C and D
 * to compress and to decompress, and R for the rest of a write or a read:
 *
 *   time   = R + C1 + f (D1 + C2) + r (R + D1)      no more than that: idle blocks are written more rarely than others
 *   memory = (1 - f) M1 + f min(M1, M2)             the lesser one block by block
 *
 * The goal's rule, by which one algorithm is chosen, decides between it and the pair too. So a pair pays where much is
 * idle and the rest is read often: reads are as fast as with the primary alone.
 */
#include "advise_recompress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "advice.h"
#include "advise_choose.h"
#include "advise_figures.h"
#include "advise_geometry.h"
#include "advise_section.h"
#include "message.h"
#include "units.h"

/* What is better by less than this is not worth setting up. */
static const double least_gain = 0.02;

enum { ALL_PERCENT = 100 };

double pair_share(const struct pair_figures *f, double idle)
{
	return (1 - idle) * f->share + idle * f->secondary_share;
}

double pair_ns(const struct advice *advice, const struct pair_figures *f, double idle)
{
	return access_ns(advice, f->write_ns, f->read_ns) + idle * (f->read_ns + f->secondary_write_ns);
}

/* The size of a block, where either of two algorithms may have been tried on a part of the stripes alone. */
static uint32_t size_at(const struct advice *advice, const struct prediction *p, uint64_t i, uint64_t tried)
{
	if (p->tried == tried)
		return p->sizes[i];
	size_t stripes = (size_t)(tried + STRIPE_PAGES - 1) / STRIPE_PAGES;
	uint64_t stripe = advice->order[section_pick((size_t)(i / STRIPE_PAGES), stripes, advice->stripes)];
	uint64_t page = stripe * STRIPE_PAGES + i % STRIPE_PAGES;
	return page < p->tried ? p->sizes[page] : 0;
}

/* What does not shrink may have grown. */
static double share_of(const double *shares, uint32_t size)
{
	return shares[size < SAMPLE_PAGE ? size : SAMPLE_PAGE];
}

/* Memory for a byte of data where each block has the lesser of both. shares[size]: of one object. */
static double lesser_share(const struct advice *advice, const struct prediction *a, const struct prediction *b,
			   const double *shares)
{
	uint64_t tried = a->tried < b->tried ? a->tried : b->tried;
	double sum = 0, sum_a = 0;
	for (uint64_t i = 0; i < tried; i++) {
		double x = share_of(shares, size_at(advice, a, i, tried));
		double y = share_of(shares, size_at(advice, b, i, tried));
		sum += x < y ? x : y;
		sum_a += x;
	}
	return sum_a > 0 ? sum / sum_a : 1;
}

static void fill_shares(const struct geometry_view *view, double *shares)
{
	shares[0] = 0;
	for (size_t size = 1; size <= SAMPLE_PAGE; size++)
		shares[size] = object_bytes(view, size >= view->huge_size ? SAMPLE_PAGE : size, SAMPLE_PAGE);
}

static struct pair_figures figures_of(const struct advice *advice, const struct prediction *a,
				      const struct prediction *b, bool kernel, const double *shares)
{
	double table = table_share(a->what), share = prediction_share(a, kernel);
	return (struct pair_figures){
		.write_ns = candidate_compress_ns(advice, a->what),
		.read_ns = candidate_decompress_ns(advice, a->what),
		.secondary_write_ns = candidate_compress_ns(advice, b->what),
		.share = share + table,
		.secondary_share = share * lesser_share(advice, a, b, shares) + table,
	};
}

static double pair_cost(const struct advice *advice, const struct pair_figures *f, double idle)
{
	return goal_cost(advice, pair_ns(advice, f, idle), pair_share(f, idle));
}

static double choice_share(const struct choice *choice, bool kernel)
{
	return 1 / candidate_ratio(choice->candidate, kernel);
}

/* By how much the pair is better than the choice, with this many reads a write: the logarithm of the costs' ratio. */
static double gain(struct advice *advice, const struct choice *choice, const struct pair_figures *f, double idle,
		   bool kernel)
{
	double single = goal_cost(advice, candidate_access_ns(advice, choice->candidate), choice_share(choice, kernel));
	return single - pair_cost(advice, f, idle);
}

static void find_limits(struct advice *advice, const struct choice *choice, struct pair *pair,
			const struct pair_figures *f, bool kernel)
{
	double idle = advice->settings.idle_percent / 100.0;
	unsigned reads = advice->settings.reads;
	pair->least_idle = 1;
	while (pair->least_idle <= ALL_PERCENT &&
	       gain(advice, choice, f, pair->least_idle / 100.0, kernel) < least_gain)
		pair->least_idle++;
	for (pair->least_reads = 0; pair->least_reads <= MOST_READS; pair->least_reads++) {
		advice->settings.reads = pair->least_reads;
		if (gain(advice, choice, f, idle, kernel) >= least_gain)
			break;
	}
	advice->settings.reads = reads;
}

static bool is_plain(const struct candidate *c)
{
	return c->block_index == 0 && !c->dictionary;
}

/* Blocks are pages of 4 KiB. The secondary is the denser one, or there is nothing to gain. */
static bool makes_pair(const struct prediction *a, const struct prediction *b, bool kernel)
{
	return is_plain(a->what) && is_plain(b->what) && candidate_counts(a->what, kernel) &&
	       candidate_counts(b->what, kernel) && prediction_share(b, kernel) < prediction_share(a, kernel);
}

static void find_pair(struct advice *advice, const struct choice *choice, struct pair *pair, bool kernel,
		      const double *shares)
{
	double idle = advice->settings.idle_percent / 100.0;
	struct pair_figures best = { 0 };
	for (size_t i = 0; i < advice->prediction_count; i++)
		for (size_t j = 0; j < advice->prediction_count; j++) {
			const struct prediction *a = &advice->predictions[i], *b = &advice->predictions[j];
			if (!makes_pair(a, b, kernel))
				continue;
			struct pair_figures f = figures_of(advice, a, b, kernel, shares);
			if (pair->primary != NULL && pair_cost(advice, &f, idle) >= pair_cost(advice, &best, idle))
				continue;
			best = f;
			pair->primary = a;
			pair->secondary = b;
		}
	if (pair->primary == NULL)
		return;
	pair->share = pair_share(&best, idle);
	pair->memory_times = pair->share / choice_share(choice, kernel);
	pair->time_times = pair_ns(advice, &best, idle) / candidate_access_ns(advice, choice->candidate);
	pair->worth = gain(advice, choice, &best, idle, kernel) >= least_gain;
	find_limits(advice, choice, pair, &best, kernel);
}

bool advise_recompress(struct advice *advice)
{
	double *shares = malloc((SAMPLE_PAGE + 1) * sizeof(*shares));
	if (shares == NULL) {
		message("out of memory");
		return false;
	}
	if (advice->settings.idle_percent && advice->kernel.candidate != NULL) {
		fill_shares(&advice->geometries.kernel[0], shares);
		find_pair(advice, &advice->kernel, &advice->kernel_pair, true, shares);
	}
	if (advice->settings.idle_percent && advice->library.candidate != NULL) {
		fill_shares(&advice->geometries.dense[0], shares);
		find_pair(advice, &advice->library, &advice->library_pair, false, shares);
	}
	free(shares);
	return true;
}

struct pair_reason recompress_reason(const struct advice *advice, const struct pair *pair)
{
	struct pair_reason out;
	bool kernel = pair == &advice->kernel_pair;
	const struct choice *choice = kernel ? &advice->kernel : &advice->library;
	double memory = 100 * (pair->memory_times - 1);
	snprintf(
		out.s, sizeof(out.s),
		"%s for every block, then %s for the %u %% that lie idle: against %s alone that holds %.1f %% %s "
		"memory and takes %.2f times the processor time, with %s a write.",
		candidate_name(pair->primary->what).s, candidate_name(pair->secondary->what).s,
		advice->settings.idle_percent, candidate_name(choice->candidate).s, fabs(memory),
		memory < 0 ? "less" : "more", pair->time_times,
		format_plural(advice->settings.reads, "read", "reads").s);
	return out;
}

struct pair_reason recompress_limits(const struct advice *advice, const struct pair *pair)
{
	struct pair_reason out;
	bool idle = pair->least_idle <= ALL_PERCENT, reads = pair->least_reads <= MOST_READS;
	if (pair->worth)
		snprintf(
			out.s, sizeof(out.s),
			"Not where less than %u %% is idle, or blocks are read less than %u times a write (say what is "
			"so with --idle and --reads).",
			pair->least_idle, pair->least_reads);
	else if (idle && reads)
		snprintf(out.s, sizeof(out.s),
			 "It would be from %u %% idle or %u reads a write on (say what is so with --idle and --reads).",
			 pair->least_idle, pair->least_reads);
	else if (idle)
		snprintf(out.s, sizeof(out.s), "It would be from %u %% idle on (say what is so with --idle).",
			 pair->least_idle);
	else if (reads)
		snprintf(out.s, sizeof(out.s), "It would be from %u reads a write on (say what is so with --reads).",
			 pair->least_reads);
	else
		snprintf(out.s, sizeof(out.s),
			 "Nor with any other share of idle blocks or number of reads, for the goal "
			 "\"%s\".",
			 goal_name(advice->settings.goal));
	return out;
}
