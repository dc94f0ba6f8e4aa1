/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_figures.c - what the measurements come to.
 *
 * The survey is small, so its shares are brought to those of the sample: a slow level's from its part of the survey to
 * all of it, as another level of the same algorithm and blocks that was tried on both; and every share from the survey
 * to the sample, as that of the algorithm's usual level, which the prediction has for all blocks. Where a candidate was
 * predicted its share is the prediction's.
 */
#include "advise_figures.h"

#include <math.h>
#include <stdio.h>

#include "advice.h"

static const struct {
	const char *name;
	int exponent;
	double least_share;
} goals[] = {
	[GOAL_SPEED] = { "speed", 1, 0.25 },
	[GOAL_BALANCED] = { "balanced", 3, 0.5 },
	[GOAL_DENSITY] = { "density", 8, 0.75 },
};

/* Of a write or a read beside the compressor: half of what the kernel takes for both, for 4 KiB, measured. */
enum { REST_NS = 2000 };

const char *goal_name(enum goal goal)
{
	return goals[goal].name;
}

int goal_exponent(enum goal goal)
{
	return goals[goal].exponent;
}

double goal_least_share(enum goal goal)
{
	return goals[goal].least_share;
}

double table_share(const struct candidate *c)
{
	return (double)TABLE_ENTRY_BYTES / (double)block_bytes(c);
}

double candidate_ratio(const struct candidate *c, bool kernel)
{
	return 1 / ((kernel ? c->kernel_share : c->dense_share) + table_share(c));
}

static double data_bytes(const struct prediction *p)
{
	return (double)(p->blocks * block_bytes(p->what));
}

double prediction_ratio(const struct prediction *p, bool kernel)
{
	uint64_t held = kernel ? p->held_bytes : p->dense_held_bytes;
	return 1 / ((double)held / data_bytes(p) + table_share(p->what));
}

double prediction_share(const struct prediction *p, bool kernel)
{
	return (kernel ? p->share_bytes : p->dense_share_bytes) / data_bytes(p);
}

double large_pool_ratio(const struct prediction *p, bool kernel)
{
	return 1 / (prediction_share(p, kernel) + table_share(p->what));
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

/* For an access to 4 KiB: all of a block, or the part of it. */
static double block_ns(const struct advice *advice, const struct candidate *c, uint64_t ns)
{
	double blocks = (double)c->timed_bytes / (double)block_bytes(c);
	double each = blocks > 0 ? (double)ns / blocks : 0;
	return advice->settings.sequential ? each / (double)(1u << c->block_index) : each;
}

double candidate_compress_ns(const struct advice *advice, const struct candidate *c)
{
	return block_ns(advice, c, c->compress_ns);
}

double candidate_decompress_ns(const struct advice *advice, const struct candidate *c)
{
	return block_ns(advice, c, c->decompress_ns);
}

double access_ns(const struct advice *advice, double compress_ns, double decompress_ns)
{
	return REST_NS + compress_ns + advice->settings.reads * (REST_NS + decompress_ns);
}

double candidate_access_ns(const struct advice *advice, const struct candidate *c)
{
	return access_ns(advice, candidate_compress_ns(advice, c), candidate_decompress_ns(advice, c));
}

bool candidate_fits(const struct candidate *c, bool kernel)
{
	if (kernel)
		return (c->algorithm->where & IN_KERNEL) && c->block_index == 0 && !c->dictionary;
	return (c->algorithm->where & IN_LIBRARY) != 0;
}

bool candidate_counts(const struct candidate *c, bool kernel)
{
	return candidate_fits(c, kernel) && c->timed_bytes && c->rounds;
}

static double tally_share(const struct candidate *c, unsigned part, bool kernel)
{
	const struct tally *t = &c->tallies[part];
	return (kernel ? t->kernel_bytes : t->dense_bytes) / (double)(t->blocks * block_bytes(c));
}

/* of / from, where there is something to compare; else nothing is known of a difference. */
static double factor(double of, double from)
{
	return of > 0 && from > 0 ? of / from : 1;
}

/* Of all of the survey, for one that was tried on a part of it. */
static double survey_share(const struct advice *advice, const struct candidate *c, bool kernel)
{
	double share = tally_share(c, c->part, kernel);
	for (size_t i = 0; i < advice->candidate_count && c->part != SURVEY_ALL; i++) {
		const struct candidate *other = &advice->candidates[i];
		if (other->algorithm == c->algorithm && other->block_index == c->block_index &&
		    other->dictionary == c->dictionary && other->part == SURVEY_ALL)
			return share * factor(tally_share(other, SURVEY_ALL, kernel),
					      tally_share(other, c->part, kernel));
	}
	return share;
}

const struct prediction *usual_prediction(const struct advice *advice, const struct algorithm *algorithm)
{
	for (size_t i = 0; i < advice->prediction_count; i++)
		if (advice->predictions[i].what->algorithm == algorithm)
			return &advice->predictions[i];
	return NULL;
}

static double sample_share(const struct advice *advice, const struct candidate *c, bool kernel)
{
	const struct prediction *p = usual_prediction(advice, c->algorithm);
	for (size_t i = 0; i < advice->prediction_count; i++)
		if (advice->predictions[i].what == c && advice->predictions[i].tried == advice->predictions[i].blocks)
			return prediction_share(&advice->predictions[i], kernel);
	double share = survey_share(advice, c, kernel);
	if (p == NULL)
		return share;
	return share * factor(prediction_share(p, kernel), survey_share(advice, p->what, kernel));
}

void figures_scale(struct advice *advice)
{
	for (size_t i = 0; i < advice->candidate_count; i++) {
		struct candidate *c = &advice->candidates[i];
		c->kernel_share = sample_share(advice, c, true);
		c->dense_share = sample_share(advice, c, false);
	}
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
		 (unsigned long long)(p->blocks * block_bytes(p->what)), (unsigned long long)p->compressed_bytes,
		 (unsigned long long)p->held_bytes, (unsigned long long)p->held_bytes,
		 (unsigned long long)p->same_filled, (unsigned long long)p->huge, (unsigned long long)p->huge);
	return out;
}
