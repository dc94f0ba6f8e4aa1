/* SPDX-License-Identifier: BSD-3-Clause */
/* bad_input_test.c - arguments out of range: the error that the header promises, and nothing else happens. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

#include "check.h"
#include "test_source.h"

static void *no_page(void *ctx)
{
	(void)ctx;
	return NULL;
}

static void no_free(void *ctx, void *page)
{
	(void)ctx;
	(void)page;
}

static void refused(const struct zs_pool_options *options, const char *what)
{
	errno = 0;
	CHECK_MSG(zs_create_pool_with("bad", options) == NULL, "%s", what);
	CHECK_MSG(errno == EINVAL, "%s", what);
}

static void accepted(const struct zs_pool_options *options, const char *what)
{
	struct zs_pool *pool = zs_create_pool_with("good", options);

	CHECK_MSG(pool != NULL, "%s", what);
	CHECK(zs_pool_validate(pool) == 0);
	zs_destroy_pool(pool);
}

static void bad_options(void)
{
	const struct zs_pool_options good = ZS_POOL_OPTIONS_INIT;
	struct zs_pool_options o = good;
	static const size_t page_sizes[] = { 1,       512,   2048,  4095,   4097,
					     5000,    12288, 65535, 131072, (size_t)1 << 40,
					     SIZE_MAX };
	static const unsigned linux_chains[] = { 17, 64, UINT_MAX }, dense_chains[] = { 65, 1000, UINT_MAX };
	static const unsigned flags[] = { 1u << 4, 1u << 17, 1u << 31, UINT_MAX };

	for (size_t i = 0; i < sizeof(page_sizes) / sizeof(page_sizes[0]); i++) {
		o.page_size = page_sizes[i];
		refused(&o, "page_size");
	}
	for (size_t i = 0; i < 3; i++) {
		o = good;
		o.chain_size = dense_chains[i];
		refused(&o, "chain_size, dense");
		o.geometry = ZS_GEOMETRY_LINUX;
		o.chain_size = linux_chains[i];
		refused(&o, "chain_size, linux");
	}
	o = good;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		o.flags = flags[i];
		refused(&o, "flags");
	}
	o.flags = ZS_POOL_HUGEPAGE | ZS_POOL_NO_HUGEPAGE;
	refused(&o, "flags that contradict each other");
	o.flags = ZS_POOL_HUGEPAGE;
	o.limit_bytes = 64 << 20;
	refused(&o, "huge pages within a limit");
	o = good;
	o.geometry = (enum zs_geometry)2;
	refused(&o, "geometry");
	o.geometry = (enum zs_geometry)INT_MAX;
	refused(&o, "geometry");
}

static void bad_sources(void)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_page_source s = { sizeof(s), no_page, no_free, NULL };

	o.pages = &s;
	s.alloc_page = NULL;
	refused(&o, "no alloc_page");
	s = (struct zs_page_source){ sizeof(s), no_page, NULL, NULL };
	refused(&o, "no free_page");
	s = (struct zs_page_source){ 0, no_page, no_free, NULL };
	refused(&o, "page source without struct_size");
	s.struct_size = 3;
	refused(&o, "page source with a struct_size too small");
	/* A source that has nothing makes a pool that can hold nothing. */
	s.struct_size = sizeof(s);
	struct zs_pool *pool = zs_create_pool_with("poor", &o);

	CHECK(pool != NULL);
	CHECK(zs_malloc(pool, 10, 0) == 0 && errno == ENOMEM);
	CHECK(zs_malloc(pool, 4096, 0) == 0 && errno == ENOMEM);
	CHECK(zs_get_total_pages(pool) == 0 && zs_pool_validate(pool) == 0);
	zs_destroy_pool(pool);
}

static void struct_sizes(void)
{
	struct {
		struct zs_pool_options known;
		uint64_t more[4];
	} longer = { ZS_POOL_OPTIONS_INIT, { 0 } };
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	o.struct_size = 0;
	refused(&o, "struct_size 0");
	o.struct_size = 7;
	refused(&o, "struct_size 7");
	/* A program built against an older header sets fewer fields: the rest must not be looked at. */
	o.struct_size = offsetof(struct zs_pool_options, limit_bytes);
	o.limit_bytes = 1;
	o.pages = (const struct zs_page_source *)1;
	o.flags = UINT_MAX;
	accepted(&o, "older options");
	/* One built against a newer header may set more: all of it must be zero to be understood. */
	longer.known.struct_size = sizeof(longer);
	accepted(&longer.known, "newer options, nothing new used");
	longer.more[2] = 1;
	refused(&longer.known, "newer options, something new used");
	accepted(NULL, "no options");
}

/* What a limit too small for anything gets. */
static void small_limits(void)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	for (o.limit_bytes = 1; o.limit_bytes <= 4096; o.limit_bytes *= 16)
		CHECK(zs_create_pool_with("tiny", &o) == NULL && errno == ENOMEM);
}

static void bad_calls(struct zs_pool *pool, size_t page)
{
	zs_handle h = zs_malloc(pool, 500, 0), out[3] = { 5, 5, 5 };
	size_t usable = zs_usable_size(pool, h);
	uint8_t *bytes = malloc(2 * page);
	struct zs_pool_stats before = ZS_POOL_STATS_INIT, after = ZS_POOL_STATS_INIT;
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;

	CHECK(h != 0 && bytes != NULL && usable >= 500);
	memset(bytes, 0x11, usable);
	CHECK(zs_obj_write(pool, h, bytes, usable) == 0);
	zs_pool_stats(pool, &before);
	memset(bytes, 0x22, 2 * page);
	static const size_t over[] = { 1, 2, 8 };

	for (size_t i = 0; i < 3; i++)
		CHECK(zs_obj_write(pool, h, bytes, usable + over[i]) == -1 && errno == EINVAL);
	CHECK(zs_obj_write(pool, h, bytes, page + 1) == -1 && errno == EINVAL);
	CHECK(zs_obj_write(pool, h, bytes, SIZE_MAX) == -1 && errno == EINVAL);
	const uint8_t *mem = zs_obj_read_begin(pool, h, bytes + page);

	CHECK(mem != NULL);
	for (size_t i = 0; i < usable; i++)
		CHECK_MSG(mem[i] == 0x11, "byte %zu was written", i);
	zs_obj_read_end(pool, h, mem);
	CHECK(zs_malloc(pool, 0, 0) == 0 && errno == EINVAL);
	CHECK(zs_malloc(pool, page + 1, 0) == 0 && errno == ENOSPC);
	CHECK(zs_malloc(pool, 1, 1u << 9) == 0 && errno == EINVAL);
	CHECK(zs_malloc_batch(pool, 0, 0, out, 3) == 0 && errno == EINVAL);
	CHECK(zs_malloc_batch(pool, page + 1, 0, out, 3) == 0 && errno == ENOSPC);
	CHECK(zs_malloc_batch(pool, 8, 0, NULL, 0) == 0);
	CHECK(out[0] == 5 && out[1] == 5 && out[2] == 5);
	zs_free_batch(pool, NULL, 0);
	policy.waste_percent = 101;
	CHECK(zs_register_shrinker(pool, &policy) == -1 && errno == EINVAL);
	policy = (struct zs_shrinker_policy)ZS_SHRINKER_POLICY_INIT;
	policy.cpu_percent = 101;
	CHECK(zs_register_shrinker(pool, &policy) == -1 && errno == EINVAL);
	policy = (struct zs_shrinker_policy)ZS_SHRINKER_POLICY_INIT;
	policy.interval_ms = 60001;
	CHECK(zs_register_shrinker(pool, &policy) == -1 && errno == EINVAL);
	policy.interval_ms = 0;
	policy.struct_size = 2;
	CHECK(zs_register_shrinker(pool, &policy) == -1 && errno == EINVAL);
	zs_unregister_shrinker(pool);
	zs_pool_stats(pool, &after);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0);
	zs_free(pool, h);
	free(bytes);
}

/* An output that can't be written to. */
static void bad_stream(struct zs_pool *pool)
{
	FILE *full = fopen("/dev/full", "w"), *read_only = fopen("/dev/null", "r");

	CHECK(full != NULL && read_only != NULL);
	setvbuf(full, NULL, _IONBF, 0);
	for (int format = ZS_STATS_CLASSES; format <= ZS_STATS_PROMETHEUS; format++) {
		errno = 0;
		CHECK(zs_stats_print(pool, full, (enum zs_stats_format)format) == -1 && errno == ENOSPC);
		errno = 0;
		CHECK(zs_stats_print(pool, read_only, (enum zs_stats_format)format) == -1 && errno == EBADF);
	}
	CHECK(zs_stats_print(pool, stdout, (enum zs_stats_format) - 1) == -1 && errno == EINVAL);
	fclose(full);
	fclose(read_only);
}

int main(void)
{
	check_install();
	bad_options();
	bad_sources();
	struct_sizes();
	small_limits();
	zs_destroy_pool(NULL);
	for (unsigned v = 0; v < 6; v++) {
		struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

		o.geometry = v & 1 ? ZS_GEOMETRY_LINUX : ZS_GEOMETRY_DENSE;
		o.page_size = (size_t)4096 << (v / 2 * 2);
		struct zs_pool *pool = zs_create_pool_with("bad calls", &o);

		CHECK(pool != NULL);
		bad_calls(pool, o.page_size);
		bad_stream(pool);
		zs_destroy_pool(pool);
	}
	return 0;
}
