/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_survey.c - every candidate, on a small part of the sample, on all processors.
 *
 * In rounds over all candidates, so that what disturbs the machine for a moment does not hit one of them alone, with
 * the median of a candidate's rounds as its time. The first round finds the sizes too. Slow ones get fewer rounds, since a
 * longer time is disturbed relatively less, and the slowest levels are tried on a part of the survey.
 */
#include "advise_survey.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "advice.h"
#include "advise_figures.h"
#include "advise_geometry.h"
#include "advise_measure.h"
#include "crew.h"
#include "interrupt.h"
#include "message.h"
#include "progress.h"

enum {
	SLOW_NS = 3000000, /* a candidate that took so long gets no further round */
	QUICK_ROUNDS = 3,
};

/* Stripes of a part of the survey, at least one. */
static size_t part_stripes(const struct advice *advice, unsigned part)
{
	static const unsigned divisors[] = { [SURVEY_ALL] = 1, [SURVEY_QUARTER] = 4, [SURVEY_EIGHTH] = 8 };
	size_t stripes = (advice->survey_pages + STRIPE_PAGES - 1) / STRIPE_PAGES / divisors[part];
	return stripes ? stripes : 1;
}

static size_t part_blocks(const struct advice *advice, const struct candidate *c, unsigned part)
{
	size_t pages = part_stripes(advice, part) * STRIPE_PAGES;
	return blocks_of(c, pages < advice->survey_pages ? pages : advice->survey_pages);
}

static unsigned part_of(const struct algorithm *a, int level)
{
	return level >= a->eighth_from ? SURVEY_EIGHTH : level >= a->quarter_from ? SURVEY_QUARTER : SURVEY_ALL;
}

void survey_add_candidates(struct advice *advice, bool dictionary)
{
	for (size_t i = 0; i < algorithm_count; i++) {
		const struct algorithm *a = &algorithms[i];
		size_t count = advice->settings.quick ? a->few_count : a->level_count;
		const int *levels = advice->settings.quick ? a->few : a->levels;
		/* The kernel's blocks are pages. */
		unsigned sizes = a->where & IN_LIBRARY ? BLOCK_SIZES : 1;
		for (unsigned block = 0; block < sizes * (a->dictionary || !dictionary); block++)
			for (size_t level = 0; level < count; level++) {
				struct candidate *c = &advice->candidates[advice->candidate_count++];
				*c = (struct candidate){ .algorithm = a,
							 .level = levels != NULL ? levels[level] : a->usual,
							 .block_index = block,
							 .dictionary = dictionary };
				c->part = part_of(a, c->level);
			}
	}
}

bool survey_make_candidates(struct advice *advice)
{
	advice->candidates = calloc(algorithm_count * MOST_LEVELS * BLOCK_SIZES * 2, sizeof(*advice->candidates));
	if (advice->candidates == NULL) {
		message("out of memory");
		return false;
	}
	survey_add_candidates(advice, false);
	return true;
}

/* One round, handed out candidate by candidate. */
struct round {
	struct advice *advice;
	unsigned number;
	atomic_size_t next;
	atomic_bool failed;
	_Atomic(const struct candidate *) wrong; /* what came back was not what it was */
};

static uint64_t time_spent(const struct candidate *c)
{
	return c->rounds ? c->compress[0] + c->decompress[0] : 0;
}

static void measure(struct round *round, struct measurer *m, struct candidate *c, uint32_t *sizes)
{
	struct advice *advice = round->advice;
	bool first = round->number == 0, good = true;
	size_t blocks = part_blocks(advice, c, c->part);
	if (!first && (time_spent(c) > SLOW_NS || c->rounds < round->number))
		return;
	if (!measure_survey(m, advice, c, blocks, first ? sizes : NULL, &good))
		atomic_store(&round->failed, true);
	else if (!good)
		atomic_store(&round->wrong, c);
	else
		for (unsigned part = c->part; first && part < SURVEY_PARTS; part++)
			tally_add(&c->tallies[part], &advice->geometries, c, sizes, part_blocks(advice, c, part));
}

static void work(void *arg)
{
	struct round *round = *(struct round **)arg;
	struct advice *advice = round->advice;
	uint32_t *sizes = malloc((advice->survey_pages + STRIPE_PAGES) * sizeof(*sizes));
	struct measurer m = { .candidate = NULL };
	size_t i;
	if (sizes == NULL)
		atomic_store(&round->failed, true);
	while (sizes != NULL && !interrupted() && !atomic_load(&round->failed) &&
	       (i = atomic_fetch_add(&round->next, 1)) < advice->candidate_count)
		measure(round, &m, &advice->candidates[i], sizes);
	measurer_close(&m);
	free(sizes);
}

static void show_progress(void *arg)
{
	struct round *round = arg;
	size_t all = round->advice->candidate_count;
	/* The first round is most of the work. */
	size_t done = round->number ? all * (MOST_ROUNDS + round->number) : atomic_load(&round->next) * MOST_ROUNDS;
	progress_draw("trying", done * SAMPLE_PAGE, 2 * MOST_ROUNDS * all * SAMPLE_PAGE);
}

static bool run_round(struct advice *advice, unsigned number)
{
	struct round round = { .advice = advice, .number = number };
	unsigned threads = advice->settings.threads;
	struct round **workers = calloc(threads, sizeof(*workers));
	if (workers == NULL) {
		message("out of memory");
		return false;
	}
	for (unsigned i = 0; i < threads; i++)
		workers[i] = &round;
	struct crew crew = { work, workers, sizeof(*workers), threads, show_progress, &round };
	crew_run(&crew);
	free(workers);
	const struct candidate *wrong = atomic_load(&round.wrong);
	if (wrong != NULL)
		message("%s: what was decompressed is not what was compressed", candidate_name(wrong).s);
	else if (atomic_load(&round.failed))
		message("out of memory");
	return wrong == NULL && !atomic_load(&round.failed);
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare_ns);
	return count ? values[count / 2] : 0;
}

bool advise_survey(struct advice *advice)
{
	bool good = true;
	unsigned rounds = advice->settings.quick ? QUICK_ROUNDS : MOST_ROUNDS;
	for (unsigned round = 0; round < rounds && good && !interrupted(); round++)
		good = run_round(advice, round);
	progress_clear();
	for (size_t i = 0; i < advice->candidate_count; i++) {
		struct candidate *c = &advice->candidates[i];
		c->compress_ns = median(c->compress, c->rounds);
		c->decompress_ns = median(c->decompress, c->rounds);
	}
	return good;
}
