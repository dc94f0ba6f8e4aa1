/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options_fuzzer.c - bytes to the options of a pool, any value in any field. What the header calls out of range must be
 * refused with EINVAL, everything else makes a pool that works.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

#include "check.h"
#include "fuzz_input.h"
#include "json_check.h"
#include "test_source.h"

#define MAX_STRUCT 128u
#define ALL_FLAGS (ZS_POOL_NO_THREAD_CACHE | ZS_POOL_NO_HUGEPAGE | ZS_POOL_MLOCK | ZS_POOL_HUGEPAGE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The options as the library should understand them: what struct_size does not reach is 0. */
static struct zs_pool_options understood(const uint8_t *raw, size_t struct_size)
{
	struct zs_pool_options o = { 0 };

	memcpy(&o, raw, struct_size < sizeof(o) ? struct_size : sizeof(o));
	return o;
}

static bool in_range(const struct zs_pool_options *o, const uint8_t *raw, size_t struct_size)
{
	size_t page = o->page_size == 0 ? 4096 : o->page_size;
	const unsigned both = ZS_POOL_HUGEPAGE | ZS_POOL_NO_HUGEPAGE;

	for (size_t i = sizeof(*o); i < struct_size; i++)
		if (raw[i] != 0)
			return false;
	if (o->geometry != ZS_GEOMETRY_DENSE && o->geometry != ZS_GEOMETRY_LINUX)
		return false;
	if (page < 4096 || page > 65536 || (page & (page - 1)) != 0)
		return false;
	if (o->chain_size > (o->geometry == ZS_GEOMETRY_LINUX ? 16u : 64u))
		return false;
	if ((o->flags & ~ALL_FLAGS) != 0 || (o->flags & both) == both)
		return false;
	/* A huge page comes whole. */
	if ((o->flags & ZS_POOL_HUGEPAGE) != 0 && o->limit_bytes != 0)
		return false;
	/* Memory that comes in huge pages knows no limit. */
	if ((o->flags & ZS_POOL_HUGEPAGE) != 0 && o->limit_bytes != 0)
		return false;
	if (o->reserve_bytes != 0 && o->reserve_bytes < zs_least_reserve(o))
		return false;
	/* How a caller's own pages lie in memory is not the pool's to say. */
	if (o->pages != NULL)
		return o->pages->alloc_page != NULL && o->pages->free_page != NULL &&
		       o->pages->struct_size >= sizeof(*o->pages) &&
		       (o->flags & (ZS_POOL_MLOCK | ZS_POOL_HUGEPAGE)) == 0;
	return true;
}

static void print_stats(struct zs_pool *pool)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	CHECK(out != NULL && zs_stats_print(pool, out, ZS_STATS_JSON) == 0 && fclose(out) == 0);
	CHECK_MSG(json_valid(text), "%s", text);
	free(text);
}

/* One object of each class, written and read. */
static void use(struct zs_pool *pool, size_t page_size)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	uint8_t *bytes = malloc(2 * page_size);
	unsigned next = 1;

	CHECK(bytes != NULL);
	memset(bytes, 0x5a, page_size);
	for (unsigned index = 0; zs_get_class_info(pool, index, &info) == 0; index = info.index + 1) {
		CHECK(info.min_request == next && info.max_request >= next && info.size >= info.max_request);
		next = info.max_request + 1;
		if (info.index % 8 != 0)
			continue;
		zs_handle h = zs_malloc(pool, info.max_request, 0);

		if (h == 0) {
			CHECK(errno == ENOMEM);
			continue;
		}
		CHECK(zs_obj_write(pool, h, bytes, info.max_request) == 0);
		const void *mem = zs_obj_read_begin(pool, h, bytes + page_size);

		CHECK(mem != NULL && memcmp(mem, bytes, info.max_request) == 0);
		zs_obj_read_end(pool, h, mem);
		if (info.index % 16 == 0)
			zs_free(pool, h);
	}
	CHECK(next == page_size + 1);
	print_stats(pool);
	CHECK(zs_pool_validate(pool) == 0);
	free(bytes);
}

/* Where a page source is given its own fields are arbitrary too, but its functions are real or NULL. */
static void make_source(struct zs_page_source *s, struct test_source *pages, const struct chooser *c)
{
	*s = test_source_callbacks(pages);
	if (choose(c, 4) == 0)
		s->struct_size = choose(c, sizeof(*s) + 1);
	if (choose(c, 8) == 0)
		s->alloc_page = NULL;
	if (choose(c, 8) == 0)
		s->free_page = NULL;
}

/* Mostly values that are near something. */
static void fill_options(struct zs_pool_options *o, const struct chooser *c)
{
	static const uint64_t page_sizes[] = { 0, 4096, 8192, 16384, 32768, 65536, 4095, 12288, 131072, 2048 };

	o->geometry = (enum zs_geometry)(choose(c, 8) == 0 ? choose(c, 1ull << 31) : choose(c, 2));
	o->page_size = choose(c, 8) == 0 ? choose(c, UINT64_MAX) : page_sizes[choose(c, 10)];
	o->chain_size = (unsigned)(choose(c, 8) == 0 ? choose(c, 1ull << 32) : choose(c, 66));
	o->limit_bytes = choose(c, 2) == 0 ? 0 : choose(c, 1ull << (8 * choose_range(c, 1, 7)));
	o->flags = (unsigned)(choose(c, 8) == 0 ? choose(c, 1ull << 32) : choose(c, 16));
	o->reserve_bytes = choose(c, 4) != 0 ? 0 : choose(c, 1ull << (8 * choose_range(c, 1, 6)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size, false };
	struct chooser c = fuzz_chooser(&in);
	struct zs_pool_options filled = ZS_POOL_OPTIONS_INIT;
	struct test_source *pages = NULL;
	struct zs_page_source source;
	size_t struct_size = choose(&c, 4) == 0 ? choose(&c, MAX_STRUCT + 1) : sizeof(filled);
	/* Exactly as long as it says, so that a read past its end is seen; but the field itself must be there. */
	size_t bytes = struct_size < sizeof(struct_size) ? sizeof(struct_size) : struct_size;
	uint8_t *raw = calloc(1, bytes);
	char name[16] = "";

	CHECK(raw != NULL);
	fill_options(&filled, &c);
	size_t page = filled.page_size == 0 ? 4096 : filled.page_size;

	/* A struct that ends in the middle of a pointer is no program's. */
	bool whole = struct_size <= offsetof(struct zs_pool_options, pages) ||
		     struct_size >= offsetof(struct zs_pool_options, flags);

	if (whole && choose(&c, 4) == 0 && page >= 4096 && page <= 65536 && (page & (page - 1)) == 0) {
		pages = test_source_create(page, 64, (enum test_source_kind)choose(&c, 3), 1);
		make_source(&source, pages, &c);
		filled.pages = &source;
	}
	filled.struct_size = struct_size;
	memcpy(raw, &filled, bytes < sizeof(filled) ? bytes : sizeof(filled));
	if (bytes > sizeof(filled) && choose(&c, 2) == 0)
		raw[choose_range(&c, sizeof(filled), bytes - 1)] = (uint8_t)choose(&c, 256);
	for (size_t i = 0; i + 1 < sizeof(name) && !in.ended; i++)
		name[i] = (char)choose(&c, 256);

	struct zs_pool_options o = understood(raw, struct_size);
	bool good = struct_size >= sizeof(size_t) && in_range(&o, raw, struct_size);

	errno = 0;
	struct zs_pool *pool = zs_create_pool_with(name, (const struct zs_pool_options *)(const void *)raw);

	if (pool == NULL)
		CHECK_MSG(errno == (good ? ENOMEM : EINVAL), "options that are %s", good ? "right" : "wrong");
	else
		CHECK_MSG(good, "options out of range made a pool");
	if (pool != NULL)
		use(pool, o.page_size == 0 ? 4096 : o.page_size);
	zs_destroy_pool(pool);
	if (pages != NULL)
		test_source_destroy(pages);
	free(raw);
	return 0;
}
