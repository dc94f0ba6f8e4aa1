/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_stream.c - chunks of the inputs are read, compressed with all algorithms that are predicted, and forgotten.
 *
 * What stays of a page is its size with each of them. Pages that could not be read have the size LOST until all is done,
 * the same ones for every prediction, and are then left out.
 */
#include "advise_stream.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "advise_measure.h"
#include "advise_predict.h"
#include "crew.h"
#include "interrupt.h"
#include "message.h"
#include "progress.h"
#include "spare_memory.h"
#include "units.h"

#define LOST UINT32_MAX

struct run {
	struct advice *advice;
	struct page_set *set;
	atomic_ullong next; /* chunk */
	atomic_bool failed;
};

struct streamer {
	struct run *run;
	struct measurer measurers[MOST_PREDICTIONS];
};

static bool streams(const struct prediction *p)
{
	return p->what->block_index == 0 && !p->what->dictionary;
}

/* Sizes of a chunk's pages with one algorithm. */
static bool size_chunk(struct streamer *w, size_t i, const struct chunk *chunk, const unsigned char *data,
		       const bool *good)
{
	struct prediction *p = &w->run->advice->predictions[i];
	size_t pages = chunk_pages(w->run->set, chunk);
	if (!measurer_open(&w->measurers[i], w->run->advice, p->what))
		return false;
	for (size_t page = 0; page < pages; page++) {
		uint32_t *size = &p->sizes[chunk->first_page + page];
		*size = LOST;
		if (good[page])
			measure_sizes(&w->measurers[i], data + page * SAMPLE_PAGE, 1, size);
	}
	return true;
}

static bool take_chunk(struct streamer *w, const struct chunk *chunk, unsigned char *data, bool *good)
{
	struct page_set *set = w->run->set;
	size_t pages = chunk_pages(set, chunk), lost = 0;
	page_set_read(set, chunk, data, good);
	for (size_t page = 0; page < pages; page++)
		lost += !good[page];
	if (lost)
		atomic_fetch_add(&set->inputs[chunk->input].lost_pages, lost);
	for (size_t i = 0; i < w->run->advice->prediction_count; i++)
		if (streams(&w->run->advice->predictions[i]) && !size_chunk(w, i, chunk, data, good))
			return false;
	return true;
}

static void work(void *arg)
{
	struct streamer *w = arg;
	struct run *run = w->run;
	unsigned char *data = malloc(run->set->chunk_bytes);
	bool *good = malloc(run->set->chunk_bytes / SAMPLE_PAGE * sizeof(*good));
	uint64_t number;
	bool going = data != NULL && good != NULL;
	while (going && !interrupted() && !atomic_load(&run->failed) &&
	       (number = atomic_fetch_add(&run->next, 1)) < run->set->chunk_count) {
		const struct chunk chunk = page_set_chunk(run->set, number);
		going = take_chunk(w, &chunk, data, good);
	}
	if (!going)
		atomic_store(&run->failed, true);
	for (size_t i = 0; i < MOST_PREDICTIONS; i++)
		measurer_close(&w->measurers[i]);
	free(data);
	free(good);
}

static void show_progress(void *arg)
{
	struct run *run = arg;
	uint64_t each = run->set->chunk_bytes;
	progress_draw("all of it", atomic_load(&run->next) * each, run->set->chunk_count * each);
}

/* Room for the sizes of all pages. */
static bool make_room(struct advice *advice, uint64_t pages)
{
	uint64_t spare = spare_memory(), count = 0;
	for (size_t i = 0; i < advice->prediction_count; i++)
		count += streams(&advice->predictions[i]);
	bool room = pages <= spare / 2 / sizeof(uint32_t) / count;
	for (size_t i = 0; i < advice->prediction_count && room; i++) {
		struct prediction *p = &advice->predictions[i];
		if (!streams(p))
			continue;
		prediction_free(p);
		p->sizes = malloc(pages * sizeof(*p->sizes));
		room = p->sizes != NULL;
	}
	if (!room)
		message("out of memory: to keep track of the pages of %s takes %s where %s can be had (see --sample)",
			format_bytes(pages * SAMPLE_PAGE).s, format_bytes(pages * sizeof(uint32_t) * count).s,
			format_bytes(spare).s);
	return room;
}

static uint64_t drop_lost(uint32_t *sizes, uint64_t pages)
{
	uint64_t kept = 0;
	for (uint64_t i = 0; i < pages; i++)
		if (sizes[i] != LOST)
			sizes[kept++] = sizes[i];
	return kept;
}

/* Figures for all pages of every prediction. */
static bool work_out(struct advice *advice, const struct page_set *set)
{
	uint64_t pages = set->pages, kept = pages;
	for (size_t i = 0; i < advice->prediction_count; i++)
		if (streams(&advice->predictions[i]))
			kept = drop_lost(advice->predictions[i].sizes, pages);
	advice->pages = kept;
	advice->sample.whole = true;
	for (size_t i = 0; i < set->input_count; i++)
		advice->sample.whole &= set->inputs[i].passed_pages == 0;
	for (size_t i = 0; i < advice->prediction_count && !interrupted(); i++) {
		struct prediction *p = &advice->predictions[i];
		p->blocks = blocks_of(p->what, kept);
		if (streams(p))
			p->tried = kept;
		if (!prediction_work_out(advice, p))
			return false;
	}
	return true;
}

bool advise_stream(struct advice *advice, struct page_set *set)
{
	struct run run = { .advice = advice, .set = set };
	unsigned threads = advice->settings.threads;
	if (!make_room(advice, set->pages))
		return false;
	/* What the sample's reader did not get is tried again. */
	for (size_t i = 0; i < set->input_count; i++)
		atomic_store(&set->inputs[i].lost_pages, 0);
	struct streamer *workers = calloc(threads, sizeof(*workers));
	for (unsigned i = 0; workers != NULL && i < threads; i++)
		workers[i].run = &run;
	if (workers != NULL) {
		struct crew crew = { work, workers, sizeof(*workers), threads, show_progress, &run };
		crew_run(&crew);
		progress_clear();
	}
	bool good = workers != NULL && !atomic_load(&run.failed);
	free(workers);
	if (!good)
		message("out of memory");
	return good && (interrupted() || work_out(advice, set));
}
