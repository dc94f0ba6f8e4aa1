/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of zs advise that decide: the cross-section, shares brought from the survey to the sample, the choice, pairs for
 * recompression, and the sentence at the beginning. On made figures, so that what is right can be worked out by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "advice.h"
#include "advise_choose.h"
#include "advise_figures.h"
#include "advise_geometry.h"
#include "advise_paste.h"
#include "advise_recompress.h"
#include "advise_section.h"

enum { PAGES = 1024, STRIPES = PAGES / STRIPE_PAGES };

static void near(double a, double b)
{
	if (fabs(a - b) > 1e-9 * fmax(1, fabs(b)))
		fail_msg("%.12g is not %.12g", a, b);
}

static const struct algorithm *find(const char *name, unsigned where)
{
	for (size_t i = 0; i < algorithm_count; i++)
		if (strcmp(algorithms[i].name, name) == 0 && (algorithms[i].where & where))
			return &algorithms[i];
	fail_msg("no %s", name);
	return NULL;
}

static struct advice *new_advice(void)
{
	struct advice *advice = calloc(1, sizeof(*advice));

	assert_non_null(advice);
	advice->settings = (struct advise_settings){ .goal = GOAL_BALANCED, .idle_percent = 50, .reads = 1 };
	advice->candidates = calloc(8, sizeof(*advice->candidates));
	assert_non_null(advice->candidates);
	advice->sample.pages = PAGES;
	advice->sample.input_pages = PAGES;
	advice->sample.whole = true;
	advice->ram_bytes = UINT64_C(1) << 30;
	assert_true(geometries_make(&advice->geometries));
	return advice;
}

static void free_advice(struct advice *advice)
{
	for (size_t i = 0; i < advice->prediction_count; i++)
		free(advice->predictions[i].sizes);
	geometries_free(&advice->geometries);
	free(advice->candidates);
	free(advice->sample.data);
	free(advice->survey);
	free(advice->lessons);
	free(advice->order);
	free(advice);
}

/* A level that was tried on all of the survey: so many bytes held for each 4096, and ns to compress and to decompress. */
static struct candidate *add_candidate(struct advice *advice, const struct algorithm *algorithm, int level,
				       double held, uint64_t compress_ns, uint64_t decompress_ns)
{
	struct candidate *c = &advice->candidates[advice->candidate_count++];
	const uint64_t blocks = 100;

	*c = (struct candidate){ .algorithm = algorithm, .level = level, .rounds = 1 };
	for (unsigned part = 0; part < SURVEY_PARTS; part++)
		c->tallies[part] = (struct tally){ .blocks = blocks,
						   .kernel_bytes = held * (double)blocks,
						   .dense_bytes = held * (double)blocks };
	c->timed_bytes = SAMPLE_PAGE;
	c->compress_ns = compress_ns;
	c->decompress_ns = decompress_ns;
	return c;
}

/* All pages have the size that even(i) or odd have. */
static struct prediction *add_prediction(struct advice *advice, const struct candidate *c, uint32_t even,
					 uint32_t odd)
{
	struct prediction *p = &advice->predictions[advice->prediction_count++];
	struct tally tally = { 0 };

	*p = (struct prediction){ .what = c, .blocks = PAGES, .tried = PAGES };
	p->sizes = calloc(PAGES, sizeof(*p->sizes));
	assert_non_null(p->sizes);
	for (size_t i = 0; i < PAGES; i++)
		p->sizes[i] = i % 2 ? odd : even;
	tally_add(&tally, &advice->geometries, c, p->sizes, PAGES);
	p->exact = c->algorithm->exact;
	p->same_filled = tally.same_filled;
	p->huge = tally.huge;
	p->compressed_bytes = tally.compressed_bytes;
	p->share_bytes = tally.kernel_bytes;
	p->dense_share_bytes = tally.dense_bytes;
	p->held_bytes = (uint64_t)tally.kernel_bytes;
	p->dense_held_bytes = (uint64_t)tally.dense_bytes;
	return p;
}

static void test_pick_spreads_evenly(void **state)
{
	(void)state;
	for (size_t n = 1; n < 70; n++)
		for (size_t count = 1; count <= n; count++) {
			size_t before = 0, first = section_pick(0, count, n);
			size_t last = section_pick(count - 1, count, n);

			for (size_t i = 0; i < count; i++) {
				size_t pick = section_pick(i, count, n);
				assert_true(pick < n);
				assert_true(i == 0 || (pick > before && pick - before <= n / count + 1));
				before = pick;
			}
			/* As much is left out before the first as behind the last. */
			assert_true(first <= n / count && n - 1 - last <= n / count);
			assert_true(count < n || (first == 0 && last == n - 1));
		}
}

static void test_each_beginning_is_spread(void **state)
{
	(void)state;
	for (size_t count = 1; count < 100; count++) {
		unsigned char seen[100] = { 0 };
		size_t found = 0, low = 0, number;

		for (size_t i = 0; found < count; i++) {
			assert_true(i < 2 * 100);
			if (!section_spread(i, count, &number))
				continue;
			assert_true(number < count && !seen[number]);
			seen[number] = 1;
			found++;
			low += number < count / 2;
			/* Of those so far about half are in the first half. */
			assert_true(low * 2 + 4 >= found && low * 2 <= found + 4);
		}
	}
}

/* A sample whose stripes say which they are: the first quarter compresses well, one is same-filled. */
static struct advice *sectioned(uint64_t survey_bytes)
{
	struct advice *advice = new_advice();
	static uint32_t sizes[PAGES];

	advice->settings.survey_bytes = survey_bytes;
	advice->stripes = STRIPES;
	advice->sample.data = calloc(PAGES, SAMPLE_PAGE);
	assert_non_null(advice->sample.data);
	for (size_t i = 0; i < PAGES; i++) {
		size_t stripe = i / STRIPE_PAGES;
		sizes[i] = stripe < STRIPES / 4 ? 1000 : 3000;
		advice->sample.data[i * SAMPLE_PAGE] = (unsigned char)stripe;
	}
	for (size_t i = 0; i < STRIPE_PAGES; i++)
		sizes[(STRIPES - 1) * STRIPE_PAGES + i] = 0;
	assert_true(section_order(advice, sizes));
	assert_true(section_take(advice));
	return advice;
}

static void test_survey_is_a_cross_section(void **state)
{
	struct advice *advice = sectioned(8 * STRIPE_BYTES);
	unsigned char taken[STRIPES] = { 0 };
	size_t well = 0;

	(void)state;
	assert_int_equal(advice->empty_stripes, 1);
	assert_int_equal(advice->order[0], STRIPES - 1);
	assert_int_equal(advice->survey_pages, 8 * STRIPE_PAGES);
	for (size_t i = 0; i < 8; i++) {
		unsigned stripe = advice->survey[i * STRIPE_BYTES];
		taken[stripe]++;
		well += stripe < STRIPES / 4;
	}
	assert_int_equal(well, 2); /* a quarter, as in the sample */
	assert_int_equal(taken[STRIPES - 1], 0);
	/* The dictionary learns from others. */
	assert_true(advice->lesson_bytes >= 1 << 19);
	for (size_t i = 0; i < advice->lesson_bytes / STRIPE_BYTES; i++)
		taken[advice->lessons[i * STRIPE_BYTES]]++;
	for (size_t i = 0; i < STRIPES; i++)
		assert_true(taken[i] <= 1);
	free_advice(advice);
}

static void test_shares_are_the_samples(void **state)
{
	struct advice *advice = new_advice();
	const struct algorithm *zstd = find("zstd", IN_LIBRARY);
	struct candidate *usual = add_candidate(advice, zstd, 3, 2000, 1, 1);
	struct candidate *other = add_candidate(advice, zstd, 5, 1800, 1, 1);
	struct candidate *slow = add_candidate(advice, zstd, 19, 1500, 1, 1);
	struct prediction *p = add_prediction(advice, usual, 1000, 1000);

	(void)state;
	/* Where the slow one was tried the others do better than in all of the survey. */
	slow->part = SURVEY_EIGHTH;
	usual->tallies[SURVEY_EIGHTH].kernel_bytes /= 2;
	figures_scale(advice);
	near(usual->kernel_share, prediction_share(p, true));
	near(usual->dense_share, prediction_share(p, false));
	near(other->kernel_share / usual->kernel_share, 1800.0 / 2000);
	near(slow->kernel_share / usual->kernel_share, 2 * 1500.0 / 2000);
	near(slow->dense_share / usual->dense_share, 1500.0 / 2000);
	/* And what was predicted itself needs no estimate. */
	p = add_prediction(advice, slow, 700, 700);
	figures_scale(advice);
	near(slow->kernel_share, prediction_share(p, true));
	near(1 / candidate_ratio(slow, true), 1 / large_pool_ratio(p, true));
	free_advice(advice);
}

/* Of three, with their true shares as predicted: fast and large, in between, slow and small. Some pages even grow. */
static struct advice *three(enum goal goal)
{
	struct advice *advice = new_advice();
	struct candidate *c[] = { add_candidate(advice, find("lz4", IN_KERNEL), 1, 2400, 3000, 1000),
				  add_candidate(advice, find("zstd", IN_KERNEL), 3, 1600, 9000, 3000),
				  add_candidate(advice, find("deflate", IN_KERNEL), 6, 1400, 60000, 12000) };

	advice->settings.goal = goal;
	for (size_t i = 0; i < 3; i++)
		add_prediction(advice, c[i], i == 0 ? 4200 : 3000, (uint32_t)(i == 0 ? 1200 : i == 1 ? 400 : 300));
	figures_scale(advice);
	advise_choose(advice);
	for (size_t i = 0; i < 3; i++)
		if (advice->kernel.candidate == c[i])
			advice->kernel.prediction = &advice->predictions[i];
	assert_non_null(advice->kernel.prediction);
	advise_reason(advice);
	return advice;
}

static void expect_choice(enum goal goal, const char *name, const char *rule)
{
	struct advice *advice = three(goal);

	assert_string_equal(advice->kernel.candidate->algorithm->name, name);
	assert_non_null(strstr(advice->kernel.reasons[0], rule));
	free_advice(advice);
}

static void test_goals_choose(void **state)
{
	(void)state;
	/* Shares 0.66, 0.43, 0.42 and 8, 16 and 76 us: time x memory, its cube, its eighth power. */
	expect_choice(GOAL_SPEED, "lz4", "worth it for 50 % less memory");
	expect_choice(GOAL_BALANCED, "zstd", "worth it for 21 % less memory");
	expect_choice(GOAL_DENSITY, "zstd", "worth it for 8 % less memory");
}

static void test_reasons_have_the_samples_shares(void **state)
{
	struct advice *advice = three(GOAL_SPEED);
	bool said = false;

	(void)state;
	/* Half of the pages do not shrink, though no survey said so. */
	for (unsigned i = 0; i < advice->kernel.reason_count; i++)
		said |= strstr(advice->kernel.reasons[i], "50 % of the blocks do not shrink") != NULL;
	assert_true(said);
	free_advice(advice);
}

static void test_pairs_cost_what_the_model_says(void **state)
{
	struct advice *advice = new_advice();
	const struct pair_figures f = { .write_ns = 3000,
					.read_ns = 1000,
					.secondary_write_ns = 9000,
					.share = 0.6,
					.secondary_share = 0.4 };

	(void)state;
	near(pair_share(&f, 0), 0.6);
	near(pair_share(&f, 0.25), 0.55);
	near(pair_ns(advice, &f, 0), 2000 + 3000 + 2000 + 1000);
	near(pair_ns(advice, &f, 0.5), 8000 + 0.5 * (1000 + 9000));
	advice->settings.reads = 4;
	near(pair_ns(advice, &f, 0.5), 5000 + 4 * 3000 + 5000);
	free_advice(advice);
}

static struct pair recompress(unsigned idle, unsigned reads)
{
	struct advice *advice = three(GOAL_BALANCED);
	struct pair pair;

	advice->settings.idle_percent = idle;
	advice->settings.reads = reads;
	advise_choose(advice);
	assert_true(advise_recompress(advice));
	pair = advice->kernel_pair;
	if (pair.worth)
		assert_non_null(strstr(recompress_text(advice).s, "priority=1"));
	else
		assert_string_equal(recompress_text(advice).s, "");
	free_advice(advice);
	return pair;
}

static void test_pairs_are_worth_from_where_it_says(void **state)
{
	struct pair none = recompress(0, 1), one = recompress(90, 1);
	unsigned least_reads = one.least_reads;

	(void)state;
	assert_null(none.primary);
	assert_false(one.worth);
	/* What is read often gains by a fast primary. */
	assert_in_range(least_reads, 2, MOST_READS);
	struct pair worth = recompress(90, least_reads);
	assert_true(worth.worth);
	assert_true(worth.time_times < 1 || worth.memory_times < 1);
	assert_false(recompress(90, least_reads - 1).worth);
	assert_in_range(worth.least_idle, 1, 90);
	assert_true(recompress(worth.least_idle, least_reads).worth);
	assert_false(recompress(worth.least_idle - 1, least_reads).worth);
}

static void test_each_block_has_the_lesser_size(void **state)
{
	struct advice *advice = new_advice();
	struct candidate *a = add_candidate(advice, find("lz4", IN_KERNEL), 1, 2000, 3000, 100);
	struct candidate *b = add_candidate(advice, find("zstd", IN_KERNEL), 3, 1500, 9000, 9000);
	struct prediction *p = add_prediction(advice, a, 1000, 3000);
	double small, middle;

	(void)state;
	add_prediction(advice, b, 2000, 1500);
	figures_scale(advice);
	advice->settings.idle_percent = 100;
	advice->settings.reads = MOST_READS;
	advise_choose(advice);
	assert_true(advise_recompress(advice));
	small = object_bytes(&advice->geometries.kernel[0], 1000, SAMPLE_PAGE);
	middle = object_bytes(&advice->geometries.kernel[0], 1500, SAMPLE_PAGE);
	assert_ptr_equal(advice->kernel_pair.primary, p);
	near(advice->kernel_pair.share, (small + middle) / 2 / SAMPLE_PAGE + table_share(a));
	free_advice(advice);
}

static void test_sentence_says_what_is_saved(void **state)
{
	struct advice *advice = three(GOAL_BALANCED);
	struct sentence sentence = advise_sentence(advice);

	(void)state;
	assert_non_null(strstr(sentence.s, "zram would hold these 4.00 MiB in about "));
	assert_non_null(strstr(sentence.s, "with zstd level 3: 5"));
	assert_non_null(strstr(sentence.s, " % is saved."));
	/* A sample stands for more. */
	advice->sample.whole = false;
	advice->sample.input_pages *= 1024;
	assert_non_null(strstr(advise_sentence(advice).s, "hold these 4.00 GiB in about "));
	/* Exact, and nothing gained. */
	advice->sample.whole = true;
	advice->sample.input_pages = PAGES;
	advice->kernel.prediction = &advice->predictions[0];
	advice->predictions[0].held_bytes = PAGES * SAMPLE_PAGE;
	assert_non_null(strstr(advise_sentence(advice).s, "save next to nothing: 4.00 MiB would take 4.02 MiB, with lz4"));
	assert_non_null(strstr(advise_sentence(advice).s, "; of much more such data "));
	advice->kernel.prediction = NULL;
	assert_non_null(strstr(advise_sentence(advice).s, "next to no memory"));
	free_advice(advice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pick_spreads_evenly),
		cmocka_unit_test(test_each_beginning_is_spread),
		cmocka_unit_test(test_survey_is_a_cross_section),
		cmocka_unit_test(test_shares_are_the_samples),
		cmocka_unit_test(test_goals_choose),
		cmocka_unit_test(test_reasons_have_the_samples_shares),
		cmocka_unit_test(test_pairs_cost_what_the_model_says),
		cmocka_unit_test(test_pairs_are_worth_from_where_it_says),
		cmocka_unit_test(test_each_block_has_the_lesser_size),
		cmocka_unit_test(test_sentence_says_what_is_saved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
