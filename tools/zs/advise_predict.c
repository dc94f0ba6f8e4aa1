/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_predict.c - what the kernel's zram and libzram would hold for all of the sample.
 *
 * The blocks are written once each, none is overwritten. Then the kernel's pages follow from how many objects each size
 * class has: ceil(objects / objects per zspage) zspages of pages per zspage. libzram's dense geometry has choices of
 * its own, so a pool is asked for each object, of which nothing is written.
 *
 * A quick advice of much data compresses stripes of every kind instead of all with the slow algorithms, whose sizes in
 * the kernel are not known anyway, and counts each of their blocks so many times.
 */
#include "advise_predict.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "advise_geometry.h"
#include "advise_measure.h"
#include "advise_section.h"
#include "crew.h"
#include "interrupt.h"
#include "message.h"
#include "options.h"
#include "progress.h"

enum {
	BATCH_STRIPES = 16,
	QUICK_BYTES = 8 << 20,
	MOST_POOLED = 1 << 22, /* blocks in a pool to ask: after so many, more of them take as much again */
};

void prediction_free(struct prediction *p)
{
	free(p->sizes);
	p->sizes = NULL;
}

static size_t blocks_a_stripe(const struct candidate *c)
{
	return (size_t)STRIPE_PAGES >> c->block_index;
}

/* Of so many of the blocks that were tried as many of all. */
static uint64_t for_all(const struct prediction *p, uint64_t tried, uint64_t count)
{
	return tried == p->blocks ? count : (uint64_t)llround((double)count * (double)p->blocks / (double)tried);
}

/* The figures from counts[size], for all blocks. objects: room for a count for each class. */
static void count_kernel(const struct geometry_view *view, struct prediction *p, const uint64_t *counts,
			 uint64_t *objects)
{
	size_t len = block_bytes(p->what);
	p->same_filled = for_all(p, p->tried, counts[0]);
	for (size_t size = 1; size <= len; size++) {
		bool huge = size >= view->huge_size;
		size_t stored = huge ? len : size;
		uint64_t count = counts[size] ? for_all(p, p->tried, counts[size]) : 0;
		if (count == 0)
			continue;
		p->huge += huge ? count : 0;
		p->compressed_bytes += count * stored;
		p->share_bytes += (double)count * object_bytes(view, stored, len);
		objects[zs_lookup_class_index(view->pool, stored)] += count;
	}
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	for (unsigned index = 0; zs_get_class_info(view->pool, index, &info) == 0; index = info.index + 1) {
		uint64_t zspages = (objects[info.index] + info.objs_per_zspage - 1) / info.objs_per_zspage;
		p->held_bytes += zspages * info.pages_per_zspage * len;
	}
}

static bool predict_kernel(const struct advice *advice, struct prediction *p)
{
	size_t len = block_bytes(p->what);
	uint64_t *counts = calloc(2 * (len + 1), sizeof(*counts)); /* and there are fewer classes than sizes */
	if (counts == NULL) {
		message("out of memory");
		return false;
	}
	for (uint64_t i = 0; i < p->tried; i++)
		counts[p->sizes[i] < len ? p->sizes[i] : len]++;
	count_kernel(&advice->geometries.kernel[p->what->block_index], p, counts, counts + len + 1);
	free(counts);
	p->exact = p->tried == p->blocks && p->what->algorithm->exact;
	return true;
}

static bool predict_dense(const struct advice *advice, struct prediction *p)
{
	const struct geometry_view *view = &advice->geometries.dense[p->what->block_index];
	size_t len = block_bytes(p->what);
	const struct pool_settings settings = { ZS_GEOMETRY_DENSE, len, 0 };
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	struct zs_pool *pool = pool_settings_create(&settings, "zs advise", ZS_POOL_NO_THREAD_CACHE);
	if (pool == NULL)
		return false;
	bool stored = true;
	uint64_t huge = 0, compressed = 0, tried = p->tried < MOST_POOLED ? p->tried : MOST_POOLED;
	double share = 0;
	for (uint64_t i = 0; i < tried && stored && !interrupted(); i++) {
		size_t size = p->sizes[i];
		if (size == 0)
			continue;
		if (size >= view->huge_size) {
			size = len;
			huge++;
		}
		share += object_bytes(view, size, len);
		compressed += size;
		stored = zs_malloc(pool, size, 0) != 0;
	}
	if (!stored)
		message("no memory to work out what libzram would hold: %s", strerror(errno));
	zs_pool_stats(pool, &stats);
	p->dense_huge = for_all(p, tried, huge);
	p->dense_compressed_bytes = for_all(p, tried, compressed);
	p->dense_held_bytes = for_all(p, tried, stats.bytes_total);
	p->dense_metadata_bytes = for_all(p, tried, stats.bytes_metadata);
	p->dense_share_bytes = tried ? share * (double)p->blocks / (double)tried : 0;
	zs_destroy_pool(pool);
	return stored;
}

bool prediction_work_out(const struct advice *advice, struct prediction *p)
{
	p->same_filled = p->huge = p->compressed_bytes = p->held_bytes = 0;
	p->share_bytes = 0;
	return predict_kernel(advice, p) && (!(p->what->algorithm->where & IN_LIBRARY) || predict_dense(advice, p));
}

/* Predictions, compressed at once, and the dictionary trained beside them. */
struct run {
	struct advice *advice;
	size_t first, end;
	bool train;
	atomic_size_t next; /* job: the training, then each prediction's batches of stripes */
	atomic_size_t done; /* stripes */
	size_t all;
	atomic_bool failed;
};

struct predictor {
	struct run *run;
	struct measurer measurer;
};

static size_t stripes_tried(const struct prediction *p)
{
	size_t each = blocks_a_stripe(p->what);
	return (size_t)(p->tried + each - 1) / each;
}

static void predict_batch(struct predictor *w, struct prediction *p, size_t first)
{
	const struct advice *advice = w->run->advice;
	size_t count = stripes_tried(p);
	size_t end = count - first < BATCH_STRIPES ? count : first + BATCH_STRIPES;
	if (!measurer_open(&w->measurer, advice, p->what)) {
		atomic_store(&w->run->failed, true);
		return;
	}
	for (size_t i = first; i < end && !interrupted(); i++) {
		size_t stripe = p->tried == p->blocks ? i : advice->order[section_pick(i, count, advice->stripes)];
		measure_sizes(&w->measurer, advice->sample.data + stripe * STRIPE_BYTES, stripe_pages(advice, stripe),
			      p->sizes + i * blocks_a_stripe(p->what));
		atomic_fetch_add(&w->run->done, 1);
	}
}

static void work(void *arg)
{
	struct predictor *w = arg;
	struct run *run = w->run;
	while (!interrupted() && !atomic_load(&run->failed)) {
		size_t job = atomic_fetch_add(&run->next, 1), i = run->first;
		if (run->train && job-- == 0) {
			section_train(run->advice);
			continue;
		}
		for (; i < run->end; i++) {
			size_t stripes = stripes_tried(&run->advice->predictions[i]);
			size_t batches = (stripes + BATCH_STRIPES - 1) / BATCH_STRIPES;
			if (job < batches)
				break;
			job -= batches;
		}
		if (i == run->end)
			break;
		predict_batch(w, &run->advice->predictions[i], job * BATCH_STRIPES);
	}
	measurer_close(&w->measurer);
}

static void show_progress(void *arg)
{
	struct run *run = arg;
	progress_draw("predicting", atomic_load(&run->done) * STRIPE_BYTES, run->all * STRIPE_BYTES);
}

/* Empty, for all blocks or, in a quick advice of much data, a part of them. */
static bool begin(const struct advice *advice, struct prediction *p, const struct candidate *what, bool all)
{
	prediction_free(p);
	*p = (struct prediction){ .what = what, .blocks = blocks_of(what, advice->sample.pages) };
	bool part = !all && advice->settings.quick && advice->sample.pages > 2 * QUICK_BYTES / SAMPLE_PAGE;
	p->tried = part ? QUICK_BYTES / block_bytes(what) : p->blocks;
	p->sizes = calloc(p->tried, sizeof(*p->sizes));
	if (p->sizes == NULL) {
		message("out of memory");
		return false;
	}
	return true;
}

/* Compress for predictions, and work out their figures. */
static bool predict(struct advice *advice, size_t first, size_t end, bool train)
{
	struct run run = { .advice = advice, .first = first, .end = end, .train = train };
	unsigned threads = advice->settings.threads;
	struct predictor *workers = calloc(threads, sizeof(*workers));
	if (workers == NULL) {
		message("out of memory");
		return false;
	}
	for (size_t i = first; i < end; i++)
		run.all += stripes_tried(&advice->predictions[i]);
	for (unsigned i = 0; i < threads; i++)
		workers[i].run = &run;
	struct crew crew = { work, workers, sizeof(*workers), threads, show_progress, &run };
	crew_run(&crew);
	progress_clear();
	free(workers);
	if (atomic_load(&run.failed)) {
		message("out of memory");
		return false;
	}
	for (size_t i = first; i < end && !interrupted(); i++)
		if (!prediction_work_out(advice, &advice->predictions[i]))
			return false;
	return true;
}

static bool is_usual(const struct candidate *c)
{
	return c->level == c->algorithm->usual && c->block_index == 0 && !c->dictionary;
}

bool advise_predict(struct advice *advice)
{
	for (size_t i = 0; i < advice->candidate_count && !interrupted(); i++) {
		const struct candidate *c = &advice->candidates[i];
		size_t count = advice->prediction_count;
		if (!is_usual(c))
			continue;
		/* The first one is quick and takes all; the stripes are ordered by it. */
		bool all = count == 0 || !c->algorithm->slow;
		if (!begin(advice, &advice->predictions[count], c, all))
			return false;
		advice->prediction_count++;
		if (count == 0 && (!predict(advice, 0, 1, false) || interrupted() ||
				   !section_order(advice, advice->predictions[0].sizes) || !section_take(advice)))
			return interrupted();
	}
	return interrupted() || predict(advice, 1, advice->prediction_count, advice->lessons != NULL);
}

/* The prediction for a choice: made already, for all blocks, or made now. */
static bool predict_choice(struct advice *advice, struct choice *choice)
{
	size_t i = 0;
	if (choice->candidate == NULL || interrupted())
		return true;
	while (i < advice->prediction_count && advice->predictions[i].what != choice->candidate)
		i++;
	struct prediction *p = &advice->predictions[i];
	choice->prediction = p;
	if (i < advice->prediction_count && p->tried == p->blocks)
		return true;
	if (!begin(advice, p, choice->candidate, true))
		return false;
	if (i == advice->prediction_count)
		advice->prediction_count++;
	return predict(advice, i, i + 1, false);
}

bool advise_predict_choices(struct advice *advice)
{
	return predict_choice(advice, &advice->kernel) && predict_choice(advice, &advice->library);
}
