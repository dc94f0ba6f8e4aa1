/* SPDX-License-Identifier: BSD-3-Clause */
/* world.c - see world.h. */
#include "world.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "fault.h"
#include "pattern.h"
#include "rng.h"

#define MAX_PAGES 8192u
#define MAX_PAGE_SIZE 65536u

static uint8_t buffer[MAX_PAGE_SIZE];

void world_init(struct world *w, const struct world_options *options)
{
	memset(w, 0, offsetof(struct world, kept));
	w->options = *options;
	w->nr_kept = 0;
	w->nr_fresh = 0;
	if (options->own_pages)
		w->source = test_source_create(options->page_size, MAX_PAGES, TEST_SOURCE_SCATTERED, 7);
}

bool world_open(struct world *w)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	struct zs_page_source source;

	options.geometry = w->options.geometry;
	options.page_size = w->options.page_size;
	options.limit_bytes = w->options.limit_bytes;
	if (w->source != NULL) {
		source = test_source_callbacks(w->source);
		options.pages = &source;
	}
	w->pool = zs_create_pool_with("oom", &options);
	return w->pool != NULL;
}

static bool store(struct world *w, struct world_object *o, size_t size, unsigned flags)
{
	zs_handle h = zs_malloc(w->pool, size, flags);

	if (h == 0) {
		CHECK_MSG(errno == ENOMEM, "zs_malloc of %zu bytes", size);
		return false;
	}
	*o = (struct world_object){ h, size };
	pattern_fill(buffer, size, h, 1, 0);
	CHECK(zs_obj_write(w->pool, h, buffer, size) == 0);
	return true;
}

void world_populate(struct world *w)
{
	struct rng rng = { 99 };
	struct world_object extra[WORLD_KEPT];

	for (size_t i = 0; i < WORLD_KEPT; i++) {
		/* Few sizes, so that zspages have several objects, then holes. */
		size_t size = (i % 5 + 1) * w->options.page_size / 7 + rng_below(&rng, 8);

		CHECK(store(w, &w->kept[w->nr_kept++], size, 0));
		CHECK(store(w, &extra[i], size, 0));
	}
	for (size_t i = 0; i < WORLD_KEPT; i++)
		zs_free(w->pool, extra[i].handle);
}

bool world_add(struct world *w, size_t size, unsigned flags)
{
	CHECK(w->nr_fresh < WORLD_FRESH);
	if (!store(w, &w->fresh[w->nr_fresh], size, flags))
		return false;
	w->nr_fresh++;
	return true;
}

static void check_object(struct world *w, const struct world_object *o)
{
	const void *mem = zs_obj_read_begin(w->pool, o->handle, buffer);

	CHECK(mem != NULL);
	CHECK(pattern_match(mem, o->size, o->handle, 1, 0) == o->size);
	zs_obj_read_end(w->pool, o->handle, mem);
}

void world_check(struct world *w)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	uint64_t bytes = 0;

	CHECK(zs_pool_validate(w->pool) == 0);
	for (size_t i = 0; i < w->nr_kept; i++) {
		check_object(w, &w->kept[i]);
		bytes += w->kept[i].size;
	}
	for (size_t i = 0; i < w->nr_fresh; i++) {
		check_object(w, &w->fresh[i]);
		bytes += w->fresh[i].size;
	}
	zs_pool_stats(w->pool, &stats);
	CHECK_MSG(stats.obj_used == w->nr_kept + w->nr_fresh, "%lu objects, should be %zu", stats.obj_used,
		  w->nr_kept + w->nr_fresh);
	CHECK(stats.bytes_requested == bytes);
	CHECK(stats.bytes_total >= stats.bytes_metadata + stats.pages_used * w->options.page_size);
	CHECK(w->options.limit_bytes == 0 || stats.bytes_total <= w->options.limit_bytes);
	if (w->source != NULL)
		CHECK(test_source_outstanding(w->source) == stats.pages_used);
}

void world_drop(struct world *w, size_t n)
{
	while (w->nr_fresh > n)
		zs_free(w->pool, w->fresh[--w->nr_fresh].handle);
}

void world_fini(struct world *w)
{
	zs_destroy_pool(w->pool);
	w->pool = NULL;
	CHECK_MSG(fault_reservations() == 0, "%zu reservations were not released", fault_reservations());
	if (w->source != NULL)
		test_source_destroy(w->source);
	w->source = NULL;
}
