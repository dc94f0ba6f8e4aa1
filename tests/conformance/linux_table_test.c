/* SPDX-License-Identifier: BSD-3-Clause */
/* linux_table_test.c - facts about the kernel's class table with 4096-byte pages that are known from the kernel. */
#include <stdio.h>
#include <zsmalloc/zsmalloc.h>

#include "check.h"

#define CLASSES 119u
#define HUGE_CLASS_SIZE 3625u

/* Lines of the kernel's /sys/kernel/debug/zsmalloc/.../classes, chains of 8 pages: index, size, pages, objects. */
static const struct {
	unsigned index, size, pages, objs;
} known[] = {
	{ 0, 32, 1, 128 }, { 1, 48, 3, 256 },  { 2, 64, 1, 64 },    { 6, 128, 1, 32 },   { 14, 256, 1, 16 },
	{ 30, 512, 1, 8 }, { 62, 1024, 1, 4 }, { 126, 2048, 1, 2 }, { 202, 3264, 4, 5 }, { 254, 4096, 1, 1 },
};

int main(void)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	unsigned classes = 0;

	options.geometry = ZS_GEOMETRY_LINUX;
	struct zs_pool *pool = zs_create_pool_with("table", &options);

	CHECK(pool != NULL);
	CHECK_MSG(zs_huge_class_size(pool) == HUGE_CLASS_SIZE, "huge class size %zu", zs_huge_class_size(pool));
	for (unsigned index = 0; zs_get_class_info(pool, index, &info) == 0; index = info.index + 1)
		classes++;
	CHECK_MSG(classes == CLASSES, "%u classes", classes);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		check_step(i);
		CHECK(zs_get_class_info(pool, known[i].index, &info) == 0);
		CHECK_MSG(info.index == known[i].index && info.size == known[i].size, "class %u of size %u", info.index,
			  info.size);
		CHECK_MSG(info.pages_per_zspage == known[i].pages && info.objs_per_zspage == known[i].objs,
			  "class %u: %u pages, %u objects", info.index, info.pages_per_zspage, info.objs_per_zspage);
	}
	/* The largest request of the last shared class, and the first of the huge one. */
	CHECK(zs_lookup_class_index(pool, HUGE_CLASS_SIZE - 1) != zs_lookup_class_index(pool, HUGE_CLASS_SIZE));
	CHECK(zs_lookup_class_index(pool, HUGE_CLASS_SIZE) == 254 && zs_lookup_class_index(pool, 4096) == 254);
	/* The handle: 24 bytes still fit the smallest class, 25 don't. */
	CHECK(zs_lookup_class_index(pool, 24) == 0 && zs_lookup_class_index(pool, 25) == 1);
	zs_destroy_pool(pool);
	return 0;
}
