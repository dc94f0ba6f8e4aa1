/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * limit_test.c - limit_bytes from nothing to enough, a page at a time: the pool is refused or it is made, is filled to
 * the brim, gives back, and is filled again; what it holds is never above the limit.
 */
#include <errno.h>
#include <stdio.h>

#include "check.h"
#include "fault.h"
#include "world.h"

#define ENOUGH 48u /* objects to get in */

static void check_below(struct world *w)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

	zs_pool_stats(w->pool, &stats);
	CHECK_MSG(stats.bytes_total <= w->options.limit_bytes, "holds %llu", (unsigned long long)stats.bytes_total);
}

static size_t fill(struct world *w, size_t size, size_t most)
{
	while (w->nr_fresh < most && world_add(w, size, 0))
		check_below(w);
	return w->nr_fresh;
}

/* Returns how many objects of the larger size got in. */
static size_t run_limit(const struct world_options *options)
{
	static struct world w;
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	size_t large = options->page_size * 2 / 3, small = options->page_size / 5;

	world_init(&w, options);
	if (!world_open(&w)) {
		CHECK(errno == ENOMEM);
		world_fini(&w);
		return 0;
	}
	check_below(&w);
	size_t first = fill(&w, large, ENOUGH);

	world_check(&w);
	if (first < ENOUGH) {
		zs_pool_stats(w.pool, &stats);
		CHECK(stats.limit_hits > 0);
	}
	if (first > 0) {
		/* One out, one in. */
		world_drop(&w, first - 1);
		CHECK(world_add(&w, large, 0));
		world_check(&w);
		/* All out: as many fit as before, and where there was room for a few, others do too. */
		world_drop(&w, 0);
		world_check(&w);
		size_t again = fill(&w, large, first);

		CHECK_MSG(again == first, "%zu objects at first, %zu later", first, again);
		world_drop(&w, 0);
		size_t others = fill(&w, small, 2 * first);

		CHECK_MSG(first < 12 || others >= first, "%zu large objects, but only %zu small ones", first, others);
	}
	world_check(&w);
	world_fini(&w);
	return first;
}

int main(void)
{
	check_install();
	fault_install();
	for (unsigned v = 0; v < 4; v++) {
		struct world_options options = {
			.geometry = v & 1 ? ZS_GEOMETRY_LINUX : ZS_GEOMETRY_DENSE,
			.page_size = 4096,
			.own_pages = (v & 2) != 0,
		};
		size_t before = 0, stored = 0, steps = 0;

		check_context("oom_limit: %s pages, %s geometry, limit in step", options.own_pages ? "own" : "arena",
			      options.geometry == ZS_GEOMETRY_LINUX ? "linux" : "dense");
		for (uint64_t limit = 1; stored < ENOUGH; limit = (limit & ~(uint64_t)4095) + 4096) {
			check_step(limit);
			options.limit_bytes = limit;
			stored = run_limit(&options);
			CHECK_MSG(stored >= before, "%zu objects with less memory, %zu with more", before, stored);
			CHECK_MSG(limit < 16 << 20, "16 MiB are not enough for %u objects", ENOUGH);
			before = stored;
			steps++;
		}
		printf("%zu limits tried, the last is %llu bytes\n", steps, (unsigned long long)options.limit_bytes);
	}
	return 0;
}
