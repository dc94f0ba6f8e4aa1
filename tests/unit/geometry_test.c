/* SPDX-License-Identifier: BSD-3-Clause */
/* geometry_test.c - both class tables, every page size and chain size, against their definitions. */
#include "unit.h"

#include "base/bits.h"
#include "pool/geometry.h"

static struct zsi_geometry g;
static uint16_t lookup[ZSI_MAX_LOOKUP];

static void each(void (*check)(void))
{
	for (int kind = ZS_GEOMETRY_DENSE; kind <= ZS_GEOMETRY_LINUX; kind++)
		for (size_t page = 4096; page <= 65536; page *= 2)
			for (unsigned chain = 1; chain <= zsi_geometry_max_chain_size((enum zs_geometry)kind); chain++) {
				zsi_geometry_build(&g, (enum zs_geometry)kind, page, chain);
				zsi_geometry_lookup(&g, lookup);
				check();
			}
}

static void table_is_sound(void)
{
	uint32_t next = 1;

	assert_in_range(g.nr_classes, 1, ZSI_MAX_CLASSES);
	for (unsigned i = 0; i < g.nr_classes; i++) {
		const struct zsi_size_class *c = &g.classes[i];

		assert_int_equal(c->min_request, next);
		assert_in_range(c->max_request, c->min_request, c->size);
		assert_int_equal(c->size % 8, 0);
		assert_in_range(c->pages, 1, g.chain_size);
		assert_in_range(c->objs, 1, ZSI_MAX_OBJS);
		assert_true((uint64_t)c->objs * c->size <= (uint64_t)c->pages * g.page_size);
		assert_true(c->size - c->min_request <= g.widest_class);
		if (i > 0)
			assert_true(c->index > g.classes[i - 1].index && c->size > g.classes[i - 1].size);
		next = c->max_request + 1;
	}
	assert_int_equal(next, g.page_size + 1);
	assert_int_equal(g.classes[g.nr_classes - 1].size, g.page_size);
}

static void lookup_finds_the_class(void)
{
	for (size_t size = 1; size <= g.page_size; size += 1 + size / 97) {
		const struct zsi_size_class *c = &g.classes[lookup[zsi_lookup_entry(size)] >> ZSI_LOOKUP_SCALE];

		assert_in_range(size, c->min_request, c->max_request);
	}
}

/* From its first size on, a huge object gains nothing by sharing; just below, it does. */
static void huge_is_the_watermark(void)
{
	const struct zsi_size_class *huge = &g.classes[lookup[zsi_lookup_entry(g.huge_class_size)] >> ZSI_LOOKUP_SCALE];

	assert_true(huge->objs <= huge->pages || g.kind == ZS_GEOMETRY_LINUX);
	if (g.huge_class_size > 1) {
		unsigned position = lookup[zsi_lookup_entry(g.huge_class_size - 1)] >> ZSI_LOOKUP_SCALE;
		const struct zsi_size_class *below = &g.classes[position];

		assert_true(below->objs > below->pages);
		assert_int_equal(below->max_request + 1, g.huge_class_size);
	}
}

static void sound(void **state)
{
	(void)state;
	each(table_is_sound);
}

static void lookups(void **state)
{
	(void)state;
	each(lookup_finds_the_class);
}

static void huge(void **state)
{
	(void)state;
	each(huge_is_the_watermark);
}

static unsigned kernel_pages(size_t page, unsigned chain, unsigned size)
{
	unsigned best = 1;

	if ((size & (size - 1)) == 0)
		return 1;
	for (unsigned i = 1; i <= chain; i++)
		if (i * page % size < best * page % size)
			best = i;
	return best;
}

/* The kernel's rules, request by request, for one page and chain size. */
static void check_kernel(size_t page, unsigned chain)
{
	unsigned delta = (unsigned)page / 256;

	zsi_geometry_build(&g, ZS_GEOMETRY_LINUX, page, chain);
	zsi_geometry_lookup(&g, lookup);
	for (size_t size = 1; size <= page; size++) {
		unsigned index = size + 8 <= 32 ? 0 : (unsigned)((size + 8 - 32 + delta - 1) / delta);
		unsigned pages, objs;
		const struct zsi_size_class *c = &g.classes[lookup[zsi_lookup_entry(size)] >> ZSI_LOOKUP_SCALE];

		if (32 + index * delta > page)
			index = (unsigned)((page - 32 + delta - 1) / delta);
		unsigned class_size = 32 + index * delta < page ? 32 + index * delta : (unsigned)page;

		pages = kernel_pages(page, chain, class_size);
		objs = (unsigned)(pages * page / class_size);
		assert_int_equal(c->pages, pages);
		assert_int_equal(c->objs, objs);
		/* Merged into a larger one, or that very class. */
		assert_in_range(index, 0, c->index);
	}
}

static void kernel(void **state)
{
	(void)state;
	for (unsigned chain = 1; chain <= 16; chain++) {
		check_kernel(4096, chain);
		check_kernel(16384, chain);
	}
	check_kernel(65536, 8);
	zsi_geometry_build(&g, ZS_GEOMETRY_LINUX, 4096, 8);
	assert_int_equal(g.nr_classes, 119);
	assert_int_equal(g.huge_class_size, 3625);
}

/* No number of pages costs less a page: what is left over, and 40 bytes for the zspage. */
static void dense_is_tight(void)
{
	if (g.kind != ZS_GEOMETRY_DENSE)
		return;
	for (unsigned i = 0; i + 1 < g.nr_classes; i++) {
		const struct zsi_size_class *c = &g.classes[i];
		unsigned left = c->pages * g.page_size - (unsigned)c->objs * c->size;

		if (c->objs <= c->pages)
			continue;
		for (unsigned pages = 1; pages <= g.chain_size; pages++) {
			uint64_t bytes = (uint64_t)pages * g.page_size;

			if (bytes / c->size <= ZSI_MAX_OBJS)
				assert_true((left + 40) * (uint64_t)pages <= (bytes % c->size + 40) * c->pages);
		}
	}
}

static void dense(void **state)
{
	(void)state;
	each(dense_is_tight);
	/* What the handle table relies on to keep sizes without a table of their own. */
	zsi_geometry_build(&g, ZS_GEOMETRY_DENSE, 4096, zsi_geometry_default_chain_size(ZS_GEOMETRY_DENSE));
	assert_true(g.widest_class <= 63);
}

static void fullness(void **state)
{
	(void)state;
	for (unsigned objs = 1; objs <= 600; objs++) {
		assert_int_equal(zsi_fullness_group(0, objs), 0);
		assert_int_equal(zsi_fullness_group(objs, objs), 11);
		for (unsigned n = 1; n < objs; n++) {
			unsigned group = zsi_fullness_group(n, objs);

			assert_in_range(group, 1, 10);
			assert_true(group >= zsi_fullness_group(n - 1, objs));
			assert_int_equal(group, 100 * n / objs / 10 + 1);
		}
	}
	assert_int_equal(zsi_fullness_group(65533, 65534), 10);
}

static void options(void **state)
{
	(void)state;
	assert_true(zsi_geometry_options_valid(ZS_GEOMETRY_DENSE, 4096, 64));
	assert_true(zsi_geometry_options_valid(ZS_GEOMETRY_LINUX, 65536, 16));
	assert_false(zsi_geometry_options_valid(ZS_GEOMETRY_LINUX, 4096, 17));
	assert_false(zsi_geometry_options_valid(ZS_GEOMETRY_DENSE, 4096, 65));
	assert_false(zsi_geometry_options_valid(ZS_GEOMETRY_DENSE, 4096, 0));
	assert_false(zsi_geometry_options_valid(ZS_GEOMETRY_DENSE, 2048, 8));
	assert_false(zsi_geometry_options_valid(ZS_GEOMETRY_DENSE, 131072, 8));
	assert_false(zsi_geometry_options_valid(ZS_GEOMETRY_DENSE, 5000, 8));
	assert_false(zsi_geometry_options_valid((enum zs_geometry)2, 4096, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound),   cmocka_unit_test(lookups), cmocka_unit_test(huge),
		cmocka_unit_test(kernel),  cmocka_unit_test(dense),   cmocka_unit_test(fullness),
		cmocka_unit_test(options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
