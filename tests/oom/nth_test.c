/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * nth_test.c - every operation with its Nth request for memory refused, for N = 1, 2, ... until it needs no more.
 *
 *   oom_nth SCENARIO
 *
 * Twice: only the Nth is refused, and all from the Nth on. After each the objects from before must be there, the pool
 * valid, the same operation must succeed once memory is back, and in the end nothing may be left.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fault.h"
#include "world.h"

enum demand {
	MUST_FAIL,      /* each refusal is an error */
	MUST_FAIL_LATE, /* an error when all further requests are refused; a single refusal may be got over */
	MUST_WORK,      /* has no error: it does less, or does without */
};

struct scenario {
	const char *name;
	void (*prepare)(struct world *w); /* before memory is refused; or NULL */
	bool (*run)(struct world *w);     /* false: refused, errno ENOMEM */
	enum demand demand;
	bool from_nothing; /* the pool does not exist yet */
	bool own_pages_only;
	bool long_one; /* with 4096-byte pages only */
};

static bool run_create(struct world *w)
{
	if (w->pool == NULL && !world_open(w)) {
		CHECK(errno == ENOMEM);
		return false;
	}
	return true;
}

/* A size that no kept object has: a new zspage. */
static bool run_first(struct world *w)
{
	return world_add(w, w->options.page_size / 2 + 9, 0);
}

static bool run_many(struct world *w)
{
	/* A size too small for the free slots that the kept objects left. */
	for (size_t i = 0; i < 120; i++)
		if (!world_add(w, w->options.page_size / 5, 0))
			return false;
	return true;
}

/* Small enough for the handle table to grow. */
static bool run_tiny(struct world *w)
{
	for (size_t i = 0; i < 17000; i++)
		if (!world_add(w, 16, 0))
			return false;
	return true;
}

/* A page each: the tables of pages grow. */
static bool run_huge(struct world *w)
{
	for (size_t i = 0; i < 2200; i++)
		if (!world_add(w, w->options.page_size, 0))
			return false;
	return true;
}

static bool run_batch(struct world *w)
{
	zs_handle out[64] = { 0 };
	size_t got = zs_malloc_batch(w->pool, w->options.page_size / 3, 0, out, 64);
	int error = errno;

	for (size_t i = 0; i < 64; i++)
		CHECK((out[i] != 0) == (i < got));
	zs_free_batch(w->pool, out, 64);
	errno = error;
	CHECK(got == 64 || errno == ENOMEM);
	return got == 64;
}

/* Two objects mapped at once; a thread keeps its buffers, so that only a new one asks for memory. */
static void *map_in_thread(void *arg)
{
	struct world *w = arg;
	bool worked = true;

	for (size_t i = 1; i < 24 && worked; i++) {
		void *first = zs_map_object(w->pool, w->kept[i - 1].handle, ZS_MM_RO);
		void *second = first == NULL ? NULL : zs_map_object(w->pool, w->kept[i].handle, ZS_MM_RW);

		worked = second != NULL;
		CHECK(worked || errno == ENOMEM);
		if (second != NULL)
			zs_unmap_object(w->pool, w->kept[i].handle);
		if (first != NULL)
			zs_unmap_object(w->pool, w->kept[i - 1].handle);
	}
	return worked ? w : NULL;
}

static bool run_map(struct world *w)
{
	pthread_t thread;
	void *result;

	CHECK(pthread_create(&thread, NULL, map_in_thread, w) == 0);
	CHECK(pthread_join(thread, &result) == 0);
	return result != NULL;
}

/* A full zspage and half of another, then most of the first is freed: compacting fills pages of the second. */
static void prepare_compact(struct world *w)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	size_t size = w->options.page_size / 3 + 100;

	CHECK(zs_get_class_info(w->pool, zs_lookup_class_index(w->pool, size), &info) == 0);
	size_t objs = info.objs_per_zspage;

	for (size_t i = 0; i < objs + objs / 2; i++)
		CHECK(world_add(w, size, 0));
	size_t gone = objs * 3 / 4;

	for (size_t i = 0; i < gone; i++)
		zs_free(w->pool, w->fresh[i].handle);
	w->nr_fresh -= gone;
	memmove(w->fresh, w->fresh + gone, w->nr_fresh * sizeof(w->fresh[0]));
	world_check(w);
}

static bool run_compact(struct world *w)
{
	(void)zs_compact_budget(w->pool, 4096, 0);
	(void)zs_shrinker_scan(w->pool, 2);
	(void)zs_compact(w->pool);
	return true;
}

static bool run_migrate(struct world *w)
{
	void *old_page = test_source_pick(w->source, 5), *new_page = test_source_take(w->source);

	CHECK(old_page != NULL && new_page != NULL);
	if (zs_page_migrate(w->pool, new_page, old_page) != 0) {
		CHECK(errno == ENOMEM);
		test_source_give(w->source, new_page);
		return false;
	}
	test_source_migrated(w->source, new_page, old_page);
	return true;
}

/* What only looks or gives back. */
static bool run_frugal(struct world *w)
{
	FILE *null = fopen("/dev/null", "w");

	CHECK(null != NULL);
	CHECK(zs_stats_print(w->pool, null, ZS_STATS_CLASSES) == 0);
	CHECK(zs_stats_print(w->pool, null, ZS_STATS_JSON) == 0);
	CHECK(fclose(null) == 0);
	for (size_t i = 0; i < w->nr_kept / 2; i++)
		zs_free(w->pool, w->kept[--w->nr_kept].handle);
	world_check(w);
	return true;
}

static const struct scenario scenarios[] = {
	{ .name = "create", .run = run_create, .demand = MUST_FAIL_LATE, .from_nothing = true },
	{ .name = "first", .run = run_first, .demand = MUST_FAIL_LATE },
	{ .name = "many", .run = run_many, .demand = MUST_FAIL_LATE },
	{ .name = "tiny", .run = run_tiny, .demand = MUST_FAIL_LATE, .long_one = true },
	{ .name = "huge", .run = run_huge, .demand = MUST_FAIL_LATE, .long_one = true },
	{ .name = "batch", .run = run_batch, .demand = MUST_FAIL_LATE },
	{ .name = "map", .run = run_map, .demand = MUST_FAIL },
	{ .name = "compact", .prepare = prepare_compact, .run = run_compact, .demand = MUST_WORK },
	{ .name = "migrate", .run = run_migrate, .demand = MUST_FAIL, .own_pages_only = true },
	{ .name = "frugal", .run = run_frugal, .demand = MUST_WORK },
};

/* Returns whether the operation got as far as the Nth request. */
static bool run_nth(const struct scenario *s, const struct world_options *options, enum fault_kind kind, uint64_t nth,
		    bool on)
{
	static struct world w;
	bool worked, refused;

	world_init(&w, options);
	if (!s->from_nothing) {
		CHECK(world_open(&w));
		world_populate(&w);
		world_check(&w);
		if (s->prepare != NULL)
			s->prepare(&w);
	}
	fault_order(kind, w.source, nth, on);
	worked = s->run(&w);
	refused = fault_cancel();
	CHECK_MSG(worked || refused, "failed although nothing was refused");
	if (refused && (s->demand == MUST_FAIL || (s->demand == MUST_FAIL_LATE && on)))
		CHECK_MSG(!worked, "memory was refused, and no error");
	if (s->demand == MUST_WORK)
		CHECK(worked);
	if (w.pool != NULL) {
		world_check(&w);
		if (!worked)
			world_drop(&w, 0);
	}
	if (!worked) {
		CHECK(s->run(&w));
		world_check(&w);
	}
	world_fini(&w);
	return refused;
}

/* Refusing each page of a large operation in turn would take a test of its own; a few thousand are enough. */
static bool is_too_long(const struct scenario *s, enum fault_kind kind)
{
	return kind == FAULT_PAGE && s->run == run_huge;
}

static uint64_t run_scenario(const struct scenario *s, const struct world_options *options)
{
	uint64_t refusals = 0;

	for (int kind = 0; kind < FAULT_KINDS; kind++) {
		if ((kind == FAULT_PAGE && !options->own_pages) || is_too_long(s, (enum fault_kind)kind))
			continue;
		for (int on = 0; on <= 1; on++) {
			check_context("oom_nth: %s, %s pages of %zu, %s geometry, %s refused%s, N in step", s->name,
				      options->own_pages ? "own" : "arena", options->page_size,
				      options->geometry == ZS_GEOMETRY_LINUX ? "linux" : "dense", fault_names[kind],
				      on ? " from the Nth on" : " once");
			/* What each of them leads to is tested without sanitizers: with one, every third will do. */
			for (uint64_t nth = 1;; nth += CHECK_ASAN && nth >= 10 ? 3 : 1) {
				check_step(nth);
				if (!run_nth(s, options, (enum fault_kind)kind, nth, on == 1))
					break;
				refusals++;
			}
		}
	}
	return refusals;
}

int main(int argc, char **argv)
{
	uint64_t refusals = 0;

	bool found = false;

	check_install();
	fault_install();
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		if (argc < 2 || strcmp(argv[1], scenarios[i].name) != 0)
			continue;
		found = true;
		for (unsigned v = 0; v < 8; v++) {
			struct world_options options = {
				.geometry = v & 1 ? ZS_GEOMETRY_LINUX : ZS_GEOMETRY_DENSE,
				.page_size = v & 4 ? 16384 : 4096,
				.own_pages = (v & 2) != 0,
			};

			if (scenarios[i].own_pages_only && !options.own_pages)
				continue;
			if (scenarios[i].long_one && options.page_size > 4096)
				continue;
			refusals += run_scenario(&scenarios[i], &options);
		}
	}
	CHECK_MSG(found, "no such scenario");
	printf("%llu refusals\n", (unsigned long long)refusals);
	return 0;
}
