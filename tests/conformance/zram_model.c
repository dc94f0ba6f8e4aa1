/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_model.c - see zram_model.h. */
#include "zram_model.h"

#include <lz4.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

#include "check.h"

struct entry {
	zs_handle handle;
	uint32_t size;
	bool same;
};

struct zram_model {
	struct zs_pool *pool;
	size_t pages;
	struct entry *entries;
	struct zram_numbers numbers;
};

struct zram_model *zram_model_create(size_t pages)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	struct zram_model *z = calloc(1, sizeof(*z));

	CHECK(z != NULL);
	options.geometry = ZS_GEOMETRY_LINUX;
	options.flags = ZS_POOL_NO_THREAD_CACHE;
	z->pool = zs_create_pool_with("zram", &options);
	z->pages = pages;
	z->entries = calloc(pages, sizeof(*z->entries));
	CHECK(z->pool != NULL && z->entries != NULL);
	return z;
}

void zram_model_destroy(struct zram_model *z)
{
	CHECK(zs_pool_validate(z->pool) == 0);
	zs_destroy_pool(z->pool);
	free(z->entries);
	free(z);
}

static bool is_same(const void *page)
{
	return memcmp(page, (const char *)page + 8, ZRAM_PAGE - 8) == 0;
}

void zram_model_discard(struct zram_model *z, size_t index)
{
	struct entry *e = &z->entries[index];

	CHECK(index < z->pages);
	z->numbers.same_pages -= e->same;
	if (e->handle != 0) {
		z->numbers.huge_pages -= e->size == ZRAM_PAGE;
		z->numbers.compr_data_size -= e->size;
		zs_free(z->pool, e->handle);
	}
	*e = (struct entry){ 0 };
}

void zram_model_write(struct zram_model *z, size_t index, const void *page)
{
	char compressed[LZ4_COMPRESSBOUND(ZRAM_PAGE)];
	struct entry e = { 0 };

	if (is_same(page)) {
		e.same = true;
	} else {
		int len = LZ4_compress_default(page, compressed, ZRAM_PAGE, sizeof(compressed));

		CHECK(len > 0);
		e.size = (uint32_t)len;
		if (e.size >= zs_huge_class_size(z->pool)) {
			e.size = ZRAM_PAGE;
			z->numbers.huge_pages++;
			z->numbers.huge_pages_since++;
		}
		e.handle = zs_malloc(z->pool, e.size, 0);
		CHECK(e.handle != 0);
		CHECK(zs_obj_write(z->pool, e.handle, e.size == ZRAM_PAGE ? page : compressed, e.size) == 0);
		z->numbers.compr_data_size += e.size;
	}
	zram_model_discard(z, index);
	z->numbers.same_pages += e.same;
	z->entries[index] = e;
}

void zram_model_compact(struct zram_model *z)
{
	z->numbers.pages_compacted += zs_compact(z->pool);
}

struct zram_numbers zram_model_numbers(struct zram_model *z)
{
	z->numbers.mem_used_total = (uint64_t)zs_get_total_pages(z->pool) * ZRAM_PAGE;
	return z->numbers;
}
