/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * linux_pages_test.c - ZS_GEOMETRY_LINUX against the kernel's bookkeeping written a second time: after each of many
 * random allocations, frees and compactions the pool must have the pages that the kernel would have.
 *
 *   model_linux_pages PAGE_SIZE CHAIN_SIZE SEED
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "linux_reference.h"
#include "rng.h"
#include "sizes.h"

#define MAX_OBJECTS 16384u
#define OPERATIONS 200000u
#define OPERATIONS_A_PHASE 5000u

struct object {
	zs_handle handle;
	struct ref_object ref;
};

struct state {
	struct zs_pool *pool;
	struct ref_pool *ref;
	struct object *objects;      /* MAX_OBJECTS of them */
	uint32_t order[MAX_OBJECTS]; /* indices: the first count ones are live */
	size_t count;
	size_t page_size;
	struct rng rng;
};

static void one_malloc(struct state *s, const struct chooser *chooser)
{
	size_t size = choose_size(chooser, s->pool, s->page_size);
	struct object *o = &s->objects[s->order[s->count++]];

	o->handle = zs_malloc(s->pool, size, 0);
	CHECK(o->handle != 0);
	ref_malloc(s->ref, &o->ref, size);
}

static void one_free(struct state *s)
{
	size_t i = (size_t)rng_below(&s->rng, s->count);
	uint32_t index = s->order[i];

	zs_free(s->pool, s->objects[index].handle);
	ref_free(s->ref, &s->objects[index].ref);
	s->order[i] = s->order[--s->count];
	s->order[s->count] = index;
}

static void compact(struct state *s)
{
	CHECK(zs_shrinker_count(s->pool) == ref_freeable_pages(s->ref));
	unsigned long freed = zs_compact(s->pool), expected = ref_compact(s->ref);

	CHECK_MSG(freed == expected, "%lu pages freed, should be %lu", freed, expected);
	CHECK(zs_pool_validate(s->pool) == 0);
}

static void run(struct state *s)
{
	struct chooser chooser = chooser_of_rng(&s->rng);
	uint64_t share = 8; /* of mallocs, in tenths */

	for (uint64_t i = 1; i <= check_scale(OPERATIONS); i++) {
		check_step(i);
		if (i % OPERATIONS_A_PHASE == 0) {
			share = rng_range(&s->rng, 1, 9);
			if (rng_one_in(&s->rng, 3))
				compact(s);
		}
		if (s->count == 0 || (s->count < MAX_OBJECTS && rng_below(&s->rng, 10) < share))
			one_malloc(s, &chooser);
		else
			one_free(s);
		unsigned long pages = zs_get_total_pages(s->pool), expected = ref_total_pages(s->ref);

		CHECK_MSG(pages == expected, "%lu pages, should be %lu", pages, expected);
	}
	compact(s);
	while (s->count > 0)
		one_free(s);
	CHECK(ref_total_pages(s->ref) == 0 && zs_get_total_pages(s->pool) == 0);
}

static unsigned count_classes(struct zs_pool *pool)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	unsigned n = 0;

	for (unsigned index = 0; zs_get_class_info(pool, index, &info) == 0; index = info.index + 1)
		n++;
	return n;
}

int main(int argc, char **argv)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	static struct state s;

	CHECK(argc == 4);
	check_install();
	check_context("model_linux_pages %s %s %s", argv[1], argv[2], argv[3]);
	s.page_size = options.page_size = strtoul(argv[1], NULL, 0);
	options.geometry = ZS_GEOMETRY_LINUX;
	options.chain_size = (unsigned)strtoul(argv[2], NULL, 0);
	options.flags = ZS_POOL_NO_THREAD_CACHE;
	s.rng.state = strtoull(argv[3], NULL, 0);
	s.pool = zs_create_pool_with("linux", &options);
	s.ref = ref_create(options.page_size, options.chain_size);
	s.objects = calloc(MAX_OBJECTS, sizeof(*s.objects));
	CHECK(s.pool != NULL && s.objects != NULL);
	for (uint32_t i = 0; i < MAX_OBJECTS; i++)
		s.order[i] = i;
	CHECK(count_classes(s.pool) == ref_classes(s.ref));
	/* With chains of one page no class shares pages, and the kernel's watermark is never set. */
	if (options.chain_size > 1)
		CHECK(zs_huge_class_size(s.pool) == ref_huge_class_size(s.ref));
	run(&s);
	zs_destroy_pool(s.pool);
	ref_destroy(s.ref);
	free(s.objects);
	return 0;
}
