/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_choose.c - which candidate to take, why, and what to paste for it.
 *
 * The choice is the candidate with the least time x memory^k. time is what one access costs, a write and a read; memory
 * is what is held. k says how much more memory counts than time: with 3, one percent of memory is worth three of time.
 * Those that save less than a share of what the densest one saves are no choice. It is a rule that can be said in
 * two sentences and checked by hand, and no more than that.
 */
#include "advise_choose.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "advice.h"
#include "units.h"

static const struct {
	const char *name;
	int exponent;
	double least_share; /* of the saving that is possible */
} goals[] = {
	[GOAL_SPEED] = { "speed", 1, 0.25 },
	[GOAL_BALANCED] = { "balanced", 3, 0.5 },
	[GOAL_DENSITY] = { "density", 8, 0.75 },
};

const char *goal_name(enum goal goal)
{
	return goals[goal].name;
}

enum {
	REST_NS = 4000, /* of a write and a read beside the compressor: what the kernel takes for 4 KiB, measured */
	LEAST_SAVING_PERCENT = 5,
};

static double held_bytes(const struct candidate *c, bool kernel)
{
	return (kernel ? c->kernel_bytes : c->dense_bytes) + (double)(c->blocks * TABLE_ENTRY_BYTES);
}

double candidate_ratio(const struct candidate *c, bool kernel)
{
	return (double)(c->blocks * block_bytes(c)) / held_bytes(c, kernel);
}

double prediction_ratio(const struct prediction *p, bool kernel)
{
	uint64_t held = (kernel ? p->held_bytes : p->dense_held_bytes) + p->blocks * TABLE_ENTRY_BYTES;
	return (double)(p->blocks * block_bytes(&p->what)) / (double)held;
}

double large_pool_ratio(const struct prediction *p, bool kernel)
{
	double held = (kernel ? p->share_bytes : p->dense_share_bytes) + (double)(p->blocks * TABLE_ENTRY_BYTES);
	return (double)(p->blocks * block_bytes(&p->what)) / held;
}

static double mb_per_s(uint64_t bytes, uint64_t ns)
{
	return ns ? (double)bytes * 1000 / (double)ns : (double)NAN;
}

double compress_mb_per_s(const struct candidate *c)
{
	return mb_per_s(c->timed_bytes, c->compress_ns);
}

double decompress_mb_per_s(const struct candidate *c)
{
	return mb_per_s(c->timed_bytes, c->decompress_ns);
}

double candidate_access_ns(const struct advice *advice, const struct candidate *c)
{
	double blocks = (double)c->timed_bytes / (double)block_bytes(c);
	double ns = blocks > 0 ? (double)(c->compress_ns + c->decompress_ns) / blocks : 0;
	return REST_NS + (advice->settings.sequential ? ns / (double)(1u << c->block_index) : ns);
}

struct text_line candidate_name(const struct candidate *c)
{
	struct text_line out;
	int n = snprintf(out.s, sizeof(out.s), "%s", c->algorithm->name);
	if (c->algorithm->levels != NULL)
		n += snprintf(out.s + n, sizeof(out.s) - (size_t)n, " level %d", c->level);
	if (c->block_index)
		n += snprintf(out.s + n, sizeof(out.s) - (size_t)n, ", blocks of %zu KiB", block_bytes(c) / 1024);
	if (c->dictionary)
		snprintf(out.s + n, sizeof(out.s) - (size_t)n, ", dictionary");
	return out;
}

struct text_line mm_stat_line(const struct prediction *p)
{
	struct text_line out;
	/* orig compr used limit used_max same compacted huge huge_since */
	snprintf(out.s, sizeof(out.s), "%llu %llu %llu 0 %llu %llu 0 %llu %llu",
		 (unsigned long long)(p->blocks * block_bytes(&p->what)), (unsigned long long)p->compressed_bytes,
		 (unsigned long long)p->held_bytes, (unsigned long long)p->held_bytes,
		 (unsigned long long)p->same_filled, (unsigned long long)p->huge, (unsigned long long)p->huge);
	return out;
}

static bool eligible(const struct candidate *c, bool kernel)
{
	if (kernel)
		return (c->algorithm->where & IN_KERNEL) && c->block_index == 0 && !c->dictionary;
	return (c->algorithm->where & IN_LIBRARY) != 0;
}

static double cost(const struct advice *advice, const struct candidate *c, bool kernel)
{
	double memory = held_bytes(c, kernel) / (double)(c->blocks * block_bytes(c));
	return log(candidate_access_ns(advice, c)) + goals[advice->settings.goal].exponent * log(memory);
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

/* The neighbour that is best at one thing: what it would be to take it instead. */
static void compare_with(const struct advice *advice, struct choice *choice, const struct candidate *other,
			 const char *as, bool kernel)
{
	const struct candidate *c = choice->candidate;
	if (other == c) {
		add_reason(choice, "It is itself %s.", as);
		return;
	}
	double memory = 100 * (held_bytes(other, kernel) / (double)(other->blocks * block_bytes(other)) /
				       (held_bytes(c, kernel) / (double)(c->blocks * block_bytes(c))) -
			       1);
	double time = candidate_access_ns(advice, other) / candidate_access_ns(advice, c);
	add_reason(choice, "%s, %s, would hold %.1f %% %s in %.2f times the time.", candidate_name(other).s, as,
		   fabs(memory), memory < 0 ? "less" : "more", time);
}

/* The part of the memory that is saved. Less than nothing where more is held than there is data. */
static double saving(const struct candidate *c, bool kernel)
{
	return 1 - 1 / candidate_ratio(c, kernel);
}

static bool candidate_counts(const struct candidate *c, bool kernel)
{
	return eligible(c, kernel) && c->timed_bytes && c->rounds;
}

/* The one with the least cost among those that save enough. */
static const struct candidate *find_best(const struct advice *advice, const struct candidate *densest, bool kernel)
{
	const struct candidate *best = densest;
	double least = goals[advice->settings.goal].least_share * saving(densest, kernel);
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *c = &advice->candidates[i];
		if (candidate_counts(c, kernel) && saving(c, kernel) >= least &&
		    cost(advice, c, kernel) < cost(advice, best, kernel))
			best = c;
	}
	return best;
}

static void choose(struct advice *advice, struct choice *choice, bool kernel)
{
	const struct candidate *fastest = NULL, *densest = NULL;
	size_t count = 0;
	for (size_t i = 0; i < advice->candidate_count; i++) {
		const struct candidate *c = &advice->candidates[i];
		if (!candidate_counts(c, kernel))
			continue;
		count++;
		if (fastest == NULL || candidate_access_ns(advice, c) < candidate_access_ns(advice, fastest))
			fastest = c;
		if (densest == NULL || candidate_ratio(c, kernel) > candidate_ratio(densest, kernel))
			densest = c;
	}
	if (count == 0)
		return;
	const struct candidate *best = find_best(advice, densest, kernel);
	int exponent = goals[advice->settings.goal].exponent;
	choice->candidate = best;
	if (100 * saving(densest, kernel) < LEAST_SAVING_PERCENT)
		add_reason(choice, "No candidate saves %d %% of the memory: such data is better kept as it is.",
			   LEAST_SAVING_PERCENT);
	add_reason(choice,
		   "Of %zu candidates it has the least time x memory^%d among those that save at least %.0f %% of what "
		   "can be saved: for the goal \"%s\" one percent of memory counts as much as %d of time.",
		   count, exponent, 100 * goals[advice->settings.goal].least_share, goal_name(advice->settings.goal),
		   exponent);
	compare_with(advice, choice, fastest, "the fastest", kernel);
	compare_with(advice, choice, densest, "the densest", kernel);
	if (!kernel && best->block_index == 0)
		add_reason(choice,
			   "Blocks of 4 KiB: larger ones pack better, but each access would pay for all of one.");
	if (best->same_filled * 10 >= best->blocks)
		add_reason(choice, "%.0f %% of the blocks are same-filled: they cost nothing with any algorithm.",
			   100 * (double)best->same_filled / (double)best->blocks);
	if (best->huge * 10 >= best->blocks)
		add_reason(choice, "%.0f %% of the blocks do not shrink: they are stored as they are.",
			   100 * (double)best->huge / (double)best->blocks);
}

void advise_choose(struct advice *advice)
{
	choose(advice, &advice->kernel, true);
	choose(advice, &advice->library, false);
}

/* What would fill half of the machine's memory with such data, but no more than twice the memory; whole MiB. */
uint64_t advised_disksize(const struct advice *advice)
{
	const struct prediction *p = advice->kernel.prediction;
	double ratio = p != NULL ? large_pool_ratio(p, true) : 1;
	double bytes = (double)advice->ram_bytes * (ratio > 4 ? 4 : ratio) / 2;
	return (uint64_t)(bytes / (1 << 20)) << 20;
}

static bool usual_level(const struct candidate *c)
{
	return c->level == c->algorithm->usual;
}

struct settings_text zramctl_text(const struct advice *advice)
{
	struct settings_text out = { "" };
	const struct candidate *c = advice->kernel.candidate;
	unsigned long long mib = advised_disksize(advice) >> 20;
	if (c != NULL && usual_level(c))
		snprintf(out.s, sizeof(out.s), "zramctl --find --size %lluMiB --algorithm %s\n", mib,
			 c->algorithm->name);
	else if (c != NULL)
		/* The level must be set between the algorithm and the size, which zramctl does in one go. */
		snprintf(out.s, sizeof(out.s),
			 "dev=$(zramctl --find)\n"
			 "echo %s >/sys/block/${dev#/dev/}/comp_algorithm\n"
			 "echo 'algo=%s level=%d' >/sys/block/${dev#/dev/}/algorithm_params\n"
			 "echo %lluM >/sys/block/${dev#/dev/}/disksize\n",
			 c->algorithm->name, c->algorithm->name, c->level, mib);
	return out;
}

struct settings_text zram_generator_text(const struct advice *advice)
{
	struct settings_text out = { "" };
	const struct candidate *c = advice->kernel.candidate;
	if (c == NULL)
		return out;
	double share = advice->ram_bytes ? (double)advised_disksize(advice) / (double)advice->ram_bytes : 1;
	int n = snprintf(out.s, sizeof(out.s),
			 "[zram0]\n"
			 "zram-size = ram * %.2f\n"
			 "compression-algorithm = %s",
			 share, c->algorithm->name);
	if (!usual_level(c))
		n += snprintf(out.s + n, sizeof(out.s) - (size_t)n, "(level=%d)", c->level);
	snprintf(out.s + n, sizeof(out.s) - (size_t)n, "\nswap-priority = 100\nfs-type = swap\n");
	return out;
}

struct settings_text libzram_text(const struct advice *advice)
{
	struct settings_text out = { "" };
	const struct candidate *c = advice->library.candidate;
	if (c == NULL)
		return out;
	int n = snprintf(out.s, sizeof(out.s),
			 "struct zram_options options = ZRAM_OPTIONS_INIT;\n"
			 "options.comp_algorithm = \"%s\";\n",
			 c->algorithm->name);
	if (!usual_level(c))
		n += snprintf(out.s + n, sizeof(out.s) - (size_t)n, "options.algorithm_params = \"level=%d\";\n",
			      c->level);
	n += snprintf(out.s + n, sizeof(out.s) - (size_t)n, "options.block_size = %zu;\n", block_bytes(c));
	if (c->dictionary)
		snprintf(out.s + n, sizeof(out.s) - (size_t)n, "options.flags |= ZRAM_TRAIN_DICT;\n");
	return out;
}
