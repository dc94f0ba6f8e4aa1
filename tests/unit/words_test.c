/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * words_test.c - memory for slot words: blocks don't overlap, neighbours are joined at once, what lies inside free
 * blocks is given back and charged again when it is used, and moved blocks end below the target.
 */
#include "unit.h"

#include <rng.h>
#include <system_page.h>

#include "base/account.h"
#include "base/os.h"
#include "pages/words.h"

#define RESERVE ((uint64_t)64 << 20)
#define BLOCKS 4000u

static struct zsi_account account;
static struct zsi_words words;
static struct {
	uint32_t ref;
	uint32_t bytes;
	uint32_t mark;
} block[BLOCKS];

static int setup(void **state)
{
	(void)state;
	memset(&account, 0, sizeof(account));
	memset(block, 0, sizeof(block));
	return zsi_words_init(&words, &account, RESERVE);
}

static int teardown(void **state)
{
	(void)state;
	zsi_words_fini(&words);
	return 0;
}

static void write_mark(unsigned i, uint32_t mark)
{
	uint32_t *p = zsi_words_ptr(&words, block[i].ref);

	block[i].mark = mark;
	for (uint32_t w = 0; w < block[i].bytes / 4; w++)
		p[w] = mark + w;
}

static void check_mark(unsigned i)
{
	const uint32_t *p = zsi_words_ptr(&words, block[i].ref);

	for (uint32_t w = 0; w < block[i].bytes / 4; w++)
		assert_int_equal(p[w], block[i].mark + w);
}

static bool fill(unsigned i, uint32_t bytes, uint32_t mark)
{
	block[i].bytes = bytes;
	block[i].ref = zsi_words_alloc(&words, bytes);
	if (block[i].ref == 0)
		return false;
	assert_int_equal((uintptr_t)zsi_words_ptr(&words, block[i].ref) % 16, 0);
	write_mark(i, mark);
	return true;
}

static void drop(unsigned i)
{
	check_mark(i);
	zsi_words_free(&words, block[i].ref, block[i].bytes);
	block[i].ref = 0;
}

/* As real arrays: mostly up to 512 bytes, some of any size up to a few thousand, then doublings. */
static uint32_t random_bytes(struct rng *r)
{
	if (rng_one_in(r, 5))
		return 4u * (uint32_t)rng_range(r, 128, 1024);
	return rng_one_in(r, 10) ? 512u << rng_below(r, 6) : 4u * (uint32_t)rng_range(r, 1, 128);
}

static uint64_t charged(void)
{
	uint64_t bytes = in_system_pages(words.top);

	/* A bit for 16 bytes. */
	return words.committed == 0 ? 0 : bytes + in_system_pages(bytes / 128) - words.absent_bytes;
}

static void random_blocks(void **state)
{
	struct rng r = { 12345 };

	(void)state;
	for (unsigned step = 0; step < 60000; step++) {
		unsigned i = (unsigned)rng_below(&r, BLOCKS);

		if (block[i].ref == 0)
			assert_true(fill(i, random_bytes(&r), (uint32_t)rng_next(&r)));
		else
			drop(i);
		if (rng_one_in(&r, 3000))
			zsi_words_trim(&words);
		/* Now and then most of it goes. */
		if (step % 20000 == 19999)
			for (unsigned k = 0; k < BLOCKS; k++)
				if (block[k].ref != 0 && !rng_one_in(&r, 5))
					drop(k);
		if (step % 500 == 0) {
			assert_true(zsi_words_validate(&words));
			assert_int_equal(account.used, charged());
			assert_int_equal(account.metadata, account.used);
		}
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		if (block[i].ref != 0)
			drop(i);
	assert_true(zsi_words_validate(&words));
	/* One block is left, of everything. */
	assert_int_equal(words.free_bytes, words.top - 64);
	zsi_words_trim(&words);
	/* The map, and the pages of the block's ends. */
	assert_true(account.used <= 8 * system_page());
	assert_int_equal(account.used, charged());
}

/* A hole of any length between two blocks is not taken for one that is longer. */
static void holes_are_as_long_as_they_are(void **state)
{
	(void)state;
	for (uint32_t units = 1; units < 600; units++) {
		for (uint32_t more = 0; more < 20; more++) {
			for (unsigned i = 0; i < 3; i++)
				assert_true(fill(i, i == 1 ? units * 16 : 16, i * 1000));
			drop(1);
			assert_true(fill(1, (units + more) * 16, 5000));
			for (unsigned i = 0; i < 3; i++)
				drop(i);
		}
	}
	assert_true(zsi_words_validate(&words));
}

static void neighbours_are_joined_at_once(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++)
		assert_true(fill(i, 64, i));
	uint64_t top = words.top;

	for (unsigned i = 0; i < 64; i++)
		drop(i * 37 % 64);
	assert_true(zsi_words_validate(&words));
	assert_true(fill(0, 4096, 7));
	assert_int_equal(words.top, top);
	assert_int_equal(words.free_bytes, 0);
}

/* Every other block freed: what is left is moved below the target, and the rest is given back. */
static void moved_blocks_give_memory_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_true(fill(i, 128, i * 1000));
	uint64_t before = account.used;

	assert_int_equal(zsi_words_target(&words), 0);
	for (unsigned i = 0; i < BLOCKS; i++)
		if (i % 4 != 0)
			drop(i);
	uint32_t target = zsi_words_target(&words);

	assert_int_not_equal(target, 0);
	for (unsigned i = 0; i < BLOCKS; i++) {
		if (block[i].ref < target)
			continue;
		uint32_t ref = zsi_words_alloc_below(&words, block[i].bytes, target);

		assert_in_range(ref, 1, target - 1);
		memcpy(zsi_words_ptr(&words, ref), zsi_words_ptr(&words, block[i].ref), block[i].bytes);
		zsi_words_free(&words, block[i].ref, block[i].bytes);
		block[i].ref = ref;
	}
	zsi_words_trim(&words);
	assert_true(zsi_words_validate(&words));
	assert_true(account.used < before / 2 + 2 * system_page());
	for (unsigned i = 0; i < BLOCKS; i += 4)
		check_mark(i);
	/* Nothing is left to be gained, and what was given back can be used again. */
	assert_int_equal(zsi_words_target(&words), 0);
	uint64_t top = words.top;

	for (unsigned i = 0; i < BLOCKS; i++)
		if (block[i].ref == 0)
			assert_true(fill(i, 128, i));
	assert_int_equal(words.top, top);
	assert_true(zsi_words_validate(&words));
	assert_int_equal(account.used, charged());
}

/* At the limit a block that was given back can't be had again; nothing is lost by trying. */
static void refused_at_the_limit(void **state)
{
	(void)state;
	assert_true(fill(0, 262144, 1));
	assert_true(fill(1, 64, 2));
	drop(0);
	zsi_words_trim(&words);
	uint64_t used = account.used, free_bytes = words.free_bytes;

	account.limit = used + system_page();
	assert_false(fill(0, 262144, 3));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(account.used, used);
	assert_int_equal(words.free_bytes, free_bytes);
	assert_true(zsi_words_validate(&words));
	account.limit = 0;
	assert_true(fill(0, 262144, 4));
	check_mark(1);
}

static void refused_at_the_end(void **state)
{
	unsigned n = 0;

	(void)state;
	while (zsi_words_alloc(&words, ZSI_WORDS_MAX_BYTES) != 0)
		n++;
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(n, RESERVE / ZSI_WORDS_MAX_BYTES - 1);
	assert_true(zsi_words_validate(&words));
}

static void damage_is_noticed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		assert_true(fill(i, 256, i));
	drop(2);
	drop(5);
	assert_true(zsi_words_validate(&words));
	words.free_bytes += 16;
	assert_false(zsi_words_validate(&words));
	words.free_bytes -= 16;
	words.map[0] ^= 1ull << 40;
	assert_false(zsi_words_validate(&words));
	words.map[0] ^= 1ull << 40;
	assert_true(zsi_words_validate(&words));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(random_blocks),
		TEST(holes_are_as_long_as_they_are),
		TEST(neighbours_are_joined_at_once),
		TEST(moved_blocks_give_memory_back),
		TEST(refused_at_the_limit),
		TEST(refused_at_the_end),
		TEST(damage_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
