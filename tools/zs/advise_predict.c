/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_predict.c - what the kernel's zram and libzram would hold for all of the sample, exactly.
 *
 * The blocks are written once each, none is overwritten. Then the kernel's pages follow from how many objects each size
 * class has: ceil(objects / objects per zspage) zspages of pages per zspage. libzram's dense geometry has choices of
 * its own, so a pool is asked for each object, of which nothing is written.
 */
#include "advise_predict.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"
#include "advise_measure.h"
#include "advise_survey.h"
#include "crew.h"
#include "interrupt.h"
#include "message.h"
#include "options.h"
#include "progress.h"

void prediction_free(struct prediction *p)
{
	free(p->sizes);
	p->sizes = NULL;
}

static bool predict_kernel(const struct advice *advice, struct prediction *p)
{
	const struct geometry_view *view = &advice->geometries.kernel[p->what.block_index];
	size_t len = block_bytes(&p->what);
	uint64_t *objects = calloc(len + 1, sizeof(*objects)); /* by class index, of which there are fewer than sizes */
	if (objects == NULL) {
		message("out of memory");
		return false;
	}
	for (uint64_t i = 0; i < p->blocks; i++) {
		size_t size = p->sizes[i];
		if (size == 0) {
			p->same_filled++;
			continue;
		}
		if (size >= view->huge_size) {
			size = len;
			p->huge++;
		}
		p->compressed_bytes += size;
		p->share_bytes += object_bytes(view, size, len);
		objects[zs_lookup_class_index(view->pool, size)]++;
	}
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	for (unsigned index = 0; zs_get_class_info(view->pool, index, &info) == 0; index = info.index + 1) {
		uint64_t zspages = (objects[info.index] + info.objs_per_zspage - 1) / info.objs_per_zspage;
		p->held_bytes += zspages * info.pages_per_zspage * len;
	}
	free(objects);
	return true;
}

static bool predict_dense(const struct advice *advice, struct prediction *p)
{
	const struct geometry_view *view = &advice->geometries.dense[p->what.block_index];
	size_t len = block_bytes(&p->what);
	const struct pool_settings settings = { ZS_GEOMETRY_DENSE, len, 0 };
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	struct zs_pool *pool = pool_settings_create(&settings, "zs advise", ZS_POOL_NO_THREAD_CACHE);
	if (pool == NULL)
		return false;
	bool stored = true;
	for (uint64_t i = 0; i < p->blocks && stored && !interrupted(); i++) {
		size_t size = p->sizes[i];
		if (size == 0)
			continue;
		if (size >= view->huge_size) {
			size = len;
			p->dense_huge++;
		}
		p->dense_share_bytes += object_bytes(view, size, len);
		p->dense_compressed_bytes += size;
		stored = zs_malloc(pool, size, 0) != 0;
	}
	if (!stored)
		message("no memory to work out what libzram would hold: %s", strerror(errno));
	zs_pool_stats(pool, &stats);
	p->dense_held_bytes = stats.bytes_total;
	p->dense_metadata_bytes = stats.bytes_metadata;
	zs_destroy_pool(pool);
	return stored;
}

enum { JOB_BLOCKS = 64 };

struct predictor {
	const struct advice *advice;
	struct prediction *prediction;
	atomic_size_t *next; /* block */
	atomic_bool *failed;
};

static void predict_sizes(void *arg)
{
	struct predictor *w = arg;
	struct prediction *p = w->prediction;
	size_t i;
	while (!interrupted() && !atomic_load(w->failed) && (i = atomic_fetch_add(w->next, JOB_BLOCKS)) < p->blocks) {
		size_t count = p->blocks - i < JOB_BLOCKS ? (size_t)(p->blocks - i) : JOB_BLOCKS;
		if (!measure_sizes(w->advice, &p->what, w->advice->sample.data, w->advice->sample.pages, i, count,
				   p->sizes))
			atomic_store(w->failed, true);
	}
}

static void show_progress(void *arg)
{
	struct predictor *w = arg;
	size_t len = block_bytes(&w->prediction->what);
	progress_draw("predicting", atomic_load(w->next) * len, w->prediction->blocks * len);
}

static bool predict(struct advice *advice, const struct candidate *what)
{
	struct prediction *p = &advice->predictions[advice->prediction_count];
	atomic_size_t next = 0;
	atomic_bool failed = false;
	unsigned threads = advice->settings.threads;
	memset(p, 0, sizeof(*p));
	p->what = *what;
	p->blocks = blocks_of(what, advice->sample.pages);
	p->sizes = calloc(p->blocks, sizeof(*p->sizes));
	struct predictor *workers = calloc(threads, sizeof(*workers));
	if (p->sizes == NULL || workers == NULL) {
		free(workers);
		message("out of memory");
		return false;
	}
	advice->prediction_count++;
	for (unsigned i = 0; i < threads; i++)
		workers[i] = (struct predictor){ advice, p, &next, &failed };
	struct crew crew = { predict_sizes, workers, sizeof(*workers), threads, show_progress, workers };
	crew_run(&crew);
	progress_clear();
	free(workers);
	if (atomic_load(&failed))
		message("out of memory");
	return !atomic_load(&failed) && (interrupted() || (predict_kernel(advice, p) && predict_dense(advice, p)));
}

/* The prediction for a choice: made already, or made now. */
static bool predict_choice(struct advice *advice, struct choice *choice)
{
	const struct candidate *c = choice->candidate;
	for (size_t i = 0; c != NULL && i < advice->prediction_count; i++) {
		const struct candidate *have = &advice->predictions[i].what;
		if (have->algorithm == c->algorithm && have->level == c->level && have->block_index == c->block_index &&
		    have->dictionary == c->dictionary)
			choice->prediction = &advice->predictions[i];
	}
	if (c == NULL || choice->prediction != NULL)
		return true;
	if (!predict(advice, c))
		return false;
	choice->prediction = &advice->predictions[advice->prediction_count - 1];
	return true;
}

bool advise_predict(struct advice *advice)
{
	/* Every survey has each algorithm's usual level. */
	for (size_t i = 0; i < advice->candidate_count && !interrupted(); i++) {
		const struct candidate *c = &advice->candidates[i];
		bool usual = c->level == c->algorithm->usual && c->block_index == 0 && !c->dictionary;
		if (usual && (c->algorithm->where & IN_KERNEL) && !predict(advice, c))
			return false;
	}
	return interrupted() || (predict_choice(advice, &advice->kernel) && predict_choice(advice, &advice->library));
}
