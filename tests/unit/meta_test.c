/* SPDX-License-Identifier: BSD-3-Clause */
/* meta_test.c - bookkeeping memory: blocks don't overlap, are reused, and are charged by the page. */
#include "unit.h"

#include <system_page.h>

#include "base/account.h"
#include "pages/meta.h"

#define RESERVE ((uint64_t)64 << 20)

static struct zsi_account account;
static struct zsi_meta meta;

static int setup(void **state)
{
	(void)state;
	memset(&account, 0, sizeof(account));
	return zsi_meta_init(&meta, &account, RESERVE);
}

static int teardown(void **state)
{
	(void)state;
	zsi_meta_fini(&meta);
	return 0;
}

static void blocks_are_apart(void **state)
{
	uint32_t refs[2000];
	size_t sizes[2000];

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		sizes[i] = 1 + (i * 7919u) % (i % 50 == 0 ? 40000 : 700);
		refs[i] = zsi_meta_alloc(&meta, sizes[i]);
		assert_int_not_equal(refs[i], 0);
		assert_int_equal((uintptr_t)zsi_meta_ptr(&meta, refs[i]) % 16, 0);
		assert_int_equal(zsi_meta_ref(&meta, zsi_meta_ptr(&meta, refs[i])), refs[i]);
		memset(zsi_meta_ptr(&meta, refs[i]), (int)(i & 0xff), sizes[i]);
	}
	for (unsigned i = 0; i < 2000; i++) {
		const uint8_t *p = zsi_meta_ptr(&meta, refs[i]);

		for (size_t b = 0; b < sizes[i]; b++)
			assert_int_equal(p[b], i & 0xff);
	}
}

static void freed_blocks_are_reused(void **state)
{
	uint32_t first = zsi_meta_alloc(&meta, 100);
	uint32_t second = zsi_meta_alloc(&meta, 100);
	uint64_t top = meta.top;

	(void)state;
	zsi_meta_free(&meta, first, 100);
	zsi_meta_free(&meta, second, 100);
	assert_int_equal(meta.free_bytes, 224);
	/* The same bucket: 97 to 112 bytes. */
	assert_int_equal(zsi_meta_alloc(&meta, 112), second);
	assert_int_equal(zsi_meta_alloc(&meta, 97), first);
	assert_int_equal(meta.free_bytes, 0);
	assert_int_equal(meta.top, top);
	zsi_meta_free(&meta, 0, 100);
	assert_int_equal(meta.free_bytes, 0);
}

/* Blocks that were freed side by side serve a larger request, once enough was freed to look for neighbours. */
static void neighbours_are_joined(void **state)
{
	uint32_t small[512];
	uint64_t top;

	(void)state;
	for (unsigned i = 0; i < 512; i++)
		small[i] = zsi_meta_alloc(&meta, 64);
	top = meta.top;
	/* Not in order, so that joining has to sort. */
	for (unsigned i = 0; i < 512; i++)
		zsi_meta_free(&meta, small[i * 37 % 512], 64);
	assert_int_equal(meta.free_bytes, 512 * 64);
	uint32_t large = zsi_meta_alloc(&meta, 16384);

	assert_int_equal(large, small[0]);
	assert_int_equal(meta.free_bytes, 512 * 64 - 16384);
	memset(zsi_meta_ptr(&meta, large), 7, 16384);
	/* And a larger block is cut for smaller ones. */
	for (unsigned i = 0; i < 256; i++)
		assert_int_not_equal(zsi_meta_alloc(&meta, 64), 0);
	assert_int_equal(meta.free_bytes, 0);
	assert_int_equal(meta.top, top);
	for (unsigned i = 0; i < 16384; i++)
		assert_int_equal(((uint8_t *)zsi_meta_ptr(&meta, large))[i], 7);
}

/* Whatever is allocated and freed, the same sizes again need no more memory. */
static void same_sizes_need_no_more(void **state)
{
	uint32_t refs[300];
	uint64_t top = 0;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 300; i++)
			refs[i] = zsi_meta_alloc(&meta, 1 + i * 131);
		if (round == 0)
			top = meta.top;
		assert_int_equal(meta.top, top);
		for (unsigned i = 0; i < 300; i++)
			zsi_meta_free(&meta, refs[(i * 7 + round) % 300], 1 + (i * 7 + round) % 300 * 131);
	}
}

static void largest_block(void **state)
{
	uint32_t ref = zsi_meta_alloc(&meta, ZSI_META_MAX_BYTES);

	(void)state;
	assert_int_not_equal(ref, 0);
	memset(zsi_meta_ptr(&meta, ref), 1, ZSI_META_MAX_BYTES);
	zsi_meta_free(&meta, ref, ZSI_META_MAX_BYTES);
	assert_int_equal(zsi_meta_alloc(&meta, ZSI_META_MAX_BYTES), ref);
}

static void charged_by_the_page(void **state)
{
	(void)state;
	assert_int_equal(account.used, 0);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_not_equal(zsi_meta_alloc(&meta, 48), 0);
		assert_int_equal(account.used, in_system_pages(meta.top));
		assert_int_equal(account.used, account.metadata);
	}
}

static void refused_at_the_limit(void **state)
{
	unsigned n = 0;
	uint64_t used;

	(void)state;
	account.limit = 3 * system_page();
	while (zsi_meta_alloc(&meta, 512) != 0)
		n++;
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(n, (3 * system_page() - 64) / 512);
	used = account.used;
	assert_int_equal(zsi_meta_alloc(&meta, 512), 0);
	assert_int_equal(account.used, used);
	/* What is left of the last page still serves a smaller one. */
	assert_int_not_equal(zsi_meta_alloc(&meta, 64), 0);
}

static void refused_at_the_end(void **state)
{
	unsigned n = 0;

	(void)state;
	while (zsi_meta_alloc(&meta, ZSI_META_MAX_BYTES) != 0)
		n++;
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(n, RESERVE / ZSI_META_MAX_BYTES - 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(blocks_are_apart),      TEST(freed_blocks_are_reused), TEST(largest_block),
		TEST(charged_by_the_page),   TEST(refused_at_the_limit),    TEST(refused_at_the_end),
		TEST(neighbours_are_joined), TEST(same_sizes_need_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
