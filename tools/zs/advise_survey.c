/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_survey.c - every candidate, on a small part of the sample.
 *
 * First the sizes, on all processors, then the times, on one: in rounds over all candidates, so that what disturbs the
 * machine for a moment does not hit one of them alone, with the median of a candidate's rounds as its result. Slow ones
 * get fewer rounds, since a longer time is disturbed relatively less.
 */
#include "advise_survey.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <zdict.h>

#include "advice.h"
#include "advise_measure.h"
#include "crew.h"
#include "interrupt.h"
#include "message.h"
#include "options.h"
#include "progress.h"

enum {
	DICTIONARY_BYTES = 65536, /* the farthest that LZ4 can refer back */
	TRAINING_BYTES = 4 << 20, /* some sixty times the dictionary */
	LEAST_TRAINING_BYTES = 1 << 19,
	SLOW_NS = 20000000, /* a candidate that took so long gets no further round */
};

static bool make_view(struct geometry_view *view, enum zs_geometry geometry, size_t page_size, unsigned chain)
{
	const struct pool_settings settings = { geometry, page_size, chain };
	view->pool = pool_settings_create(&settings, "zs advise", ZS_POOL_NO_THREAD_CACHE);
	if (view->pool == NULL)
		return false;
	view->huge_size = zs_huge_class_size(view->pool);
	if (view->huge_size > page_size)
		view->huge_size = page_size;
	return true;
}

static bool make_geometries(struct geometries *g)
{
	for (unsigned i = 0; i < BLOCK_SIZES; i++)
		if (!make_view(&g->kernel[i], ZS_GEOMETRY_LINUX, (size_t)SAMPLE_PAGE << i, KERNEL_CHAIN) ||
		    !make_view(&g->dense[i], ZS_GEOMETRY_DENSE, (size_t)SAMPLE_PAGE << i, 0))
			return false;
	return true;
}

/* Copy count of the pieces first, first + step, ... of `of` such, evenly spread, to where they follow each other. */
static void copy_pieces(const struct sample *sample, unsigned char *to, size_t count, size_t of, size_t first,
			size_t step)
{
	for (size_t i = 0; i < count; i++) {
		/* A stride that has no divisor in common with count visits each once, out of order. */
		size_t place = i * 7919 % count;
		size_t piece = first + place * of / count * step;
		memcpy(to + i * PIECE_BYTES, sample->data + piece * PIECE_BYTES, PIECE_BYTES);
	}
}

static void train(struct advice *advice, const unsigned char *data, size_t bytes)
{
	size_t samples = bytes / SAMPLE_PAGE;
	size_t *sizes = malloc(samples * sizeof(*sizes));
	void *dictionary = malloc(DICTIONARY_BYTES);
	size_t size = 0;
	if (sizes != NULL && dictionary != NULL) {
		for (size_t i = 0; i < samples; i++)
			sizes[i] = SAMPLE_PAGE;
		size = ZDICT_trainFromBuffer(dictionary, DICTIONARY_BYTES, data, sizes, (unsigned)samples);
		if (ZDICT_isError(size))
			size = 0; /* pages that are too much alike, or have nothing in common */
	}
	free(sizes);
	advice->dictionary = (struct dictionary){ dictionary, size };
}

/* The survey is of the even pieces and the training of the odd ones; without enough of them there is no training. */
static bool make_survey(struct advice *advice)
{
	const struct sample *sample = &advice->sample;
	size_t pieces = sample->pages / PIECE_PAGES, odd = pieces / 2;
	size_t training = odd * PIECE_BYTES >= LEAST_TRAINING_BYTES ? odd : 0;
	size_t step = training ? 2 : 1, of = training ? pieces - odd : pieces;
	size_t count = advice->settings.survey_bytes / PIECE_BYTES;
	if (training > TRAINING_BYTES / PIECE_BYTES)
		training = TRAINING_BYTES / PIECE_BYTES;
	if (count > of)
		count = of;
	advice->survey = calloc(count ? count : 1, PIECE_BYTES);
	unsigned char *lessons = training ? malloc(training * PIECE_BYTES) : NULL;
	if (advice->survey == NULL || (training && lessons == NULL)) {
		free(lessons);
		message("out of memory");
		return false;
	}
	advice->survey_pages = count ? count * PIECE_PAGES : sample->pages;
	if (count)
		copy_pieces(sample, advice->survey, count, of, 0, step);
	else
		memcpy(advice->survey, sample->data, sample->pages * SAMPLE_PAGE);
	if (training) {
		progress_draw("training", 0, 1);
		copy_pieces(sample, lessons, training, odd, 1, 2);
		train(advice, lessons, training * PIECE_BYTES);
		progress_clear();
	}
	free(lessons);
	return true;
}

static void add_candidates(struct advice *advice, const struct algorithm *a, unsigned block_index, bool dictionary)
{
	size_t count = advice->settings.quick ? a->few_count : a->level_count;
	const int *levels = advice->settings.quick ? a->few : a->levels;
	for (size_t i = 0; i < count; i++)
		advice->candidates[advice->candidate_count++] = (struct candidate){
			.algorithm = a,
			.level = levels != NULL ? levels[i] : a->usual,
			.block_index = block_index,
			.dictionary = dictionary,
		};
}

bool advise_prepare(struct advice *advice)
{
	if (!make_geometries(&advice->geometries) || !make_survey(advice))
		return false;
	advice->candidates = calloc(algorithm_count * MOST_LEVELS * BLOCK_SIZES * 2, sizeof(*advice->candidates));
	if (advice->candidates == NULL) {
		message("out of memory");
		return false;
	}
	for (size_t i = 0; i < algorithm_count; i++)
		for (unsigned block = 0; block < BLOCK_SIZES; block++) {
			add_candidates(advice, &algorithms[i], block, false);
			if (algorithms[i].dictionary && advice->dictionary.size)
				add_candidates(advice, &algorithms[i], block, true);
		}
	return true;
}

double object_bytes(const struct geometry_view *view, size_t size, size_t page_size)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	if (zs_get_class_info(view->pool, zs_lookup_class_index(view->pool, size), &info) != 0)
		return (double)page_size;
	return (double)(info.pages_per_zspage * page_size) / info.objs_per_zspage;
}

static void tally(const struct advice *advice, struct candidate *c, const uint32_t *sizes)
{
	size_t len = block_bytes(c);
	const struct geometry_view *kernel = &advice->geometries.kernel[c->block_index];
	const struct geometry_view *dense = &advice->geometries.dense[c->block_index];
	for (uint64_t i = 0; i < c->blocks; i++) {
		if (sizes[i] == 0) {
			c->same_filled++;
			continue;
		}
		bool huge = sizes[i] >= kernel->huge_size;
		c->huge += huge;
		c->compressed_bytes += huge ? len : sizes[i];
		c->kernel_bytes += object_bytes(kernel, huge ? len : sizes[i], len);
		c->dense_bytes += object_bytes(dense, sizes[i] >= dense->huge_size ? len : sizes[i], len);
	}
}

struct sizer {
	struct advice *advice;
	atomic_size_t *next;
	atomic_bool *failed;
};

static void size_candidates(void *arg)
{
	struct sizer *sizer = arg;
	struct advice *advice = sizer->advice;
	uint32_t *sizes = malloc((advice->survey_pages + 1) * sizeof(*sizes));
	size_t i;
	while (sizes != NULL && !interrupted() && (i = atomic_fetch_add(sizer->next, 1)) < advice->candidate_count) {
		struct candidate *c = &advice->candidates[i];
		c->blocks = blocks_of(c, advice->survey_pages);
		if (measure_sizes(advice, c, advice->survey, advice->survey_pages, 0, c->blocks, sizes))
			tally(advice, c, sizes);
		else
			atomic_store(sizer->failed, true);
	}
	if (sizes == NULL)
		atomic_store(sizer->failed, true);
	free(sizes);
}

static void show_sizing(void *arg)
{
	struct sizer *sizer = arg;
	size_t each = sizer->advice->survey_pages * SAMPLE_PAGE;
	progress_draw("sizes", atomic_load(sizer->next) * each, sizer->advice->candidate_count * each);
}

static bool survey_sizes(struct advice *advice)
{
	atomic_size_t next = 0;
	atomic_bool failed = false;
	unsigned threads = advice->settings.threads;
	struct sizer *sizers = calloc(threads, sizeof(*sizers));
	if (sizers == NULL) {
		message("out of memory");
		return false;
	}
	for (unsigned i = 0; i < threads; i++)
		sizers[i] = (struct sizer){ advice, &next, &failed };
	struct crew crew = { size_candidates, sizers, sizeof(*sizers), threads, show_sizing, sizers };
	crew_run(&crew);
	progress_clear();
	free(sizers);
	if (atomic_load(&failed))
		message("out of memory");
	return !atomic_load(&failed);
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

static uint64_t time_spent(const struct candidate *c)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < c->rounds; i++)
		sum += c->compress[i] + c->decompress[i];
	return sum;
}

static bool survey_times(struct advice *advice)
{
	bool good = true;
	for (unsigned round = 0; round < MOST_ROUNDS && good; round++)
		for (size_t i = 0; i < advice->candidate_count && good && !interrupted(); i++) {
			struct candidate *c = &advice->candidates[i];
			if (round == 0 || (c->rounds == round && time_spent(c) < SLOW_NS))
				good = measure_time(advice, c);
			progress_draw("speed", (round * advice->candidate_count + i) * SAMPLE_PAGE,
				      MOST_ROUNDS * advice->candidate_count * SAMPLE_PAGE);
		}
	progress_clear();
	for (size_t i = 0; i < advice->candidate_count; i++) {
		struct candidate *c = &advice->candidates[i];
		c->compress_ns = median(c->compress, c->rounds);
		c->decompress_ns = median(c->decompress, c->rounds);
	}
	return good;
}

bool advise_survey(struct advice *advice)
{
	return survey_sizes(advice) && (interrupted() || survey_times(advice));
}
