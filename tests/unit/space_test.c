/* SPDX-License-Identifier: BSD-3-Clause */
/* space_test.c - runs of pages over the arena: chunks, reuse, give-back, and what is charged. The caller's source: see
 * the tests of whole pools, which run over both. */
#include "unit.h"

#include <sys/mman.h>
#include <system_page.h>

#include "base/account.h"
#include "base/os.h"
#include "pages/cuts.h"
#include "pages/layout.h"
#include "pages/meta.h"
#include "pages/purge.h"
#include "pages/space.h"
#include "pages/space_validate.h"

#define RECORD 32u

static struct zsi_account account;
static struct zsi_meta meta;
static struct zsi_space space;

static int setup_with(uint64_t bytes)
{
	struct zsi_space_options o = { .page_size = 4096, .record_bytes = RECORD, .space_bytes = bytes };

	memset(&account, 0, sizeof(account));
	return zsi_meta_init(&meta, &account, 64 << 20) == 0 ? zsi_space_init(&space, &meta, &account, &o) : -1;
}

static int setup(void **state)
{
	(void)state;
	return setup_with((uint64_t)1 << 30);
}

static int teardown(void **state)
{
	(void)state;
	zsi_space_fini(&space);
	zsi_meta_fini(&meta);
	return 0;
}

static uint32_t take(unsigned pages)
{
	unsigned present = 77;
	uint32_t first = zsi_run_alloc(&space, pages, &present);

	assert_int_not_equal(first, ZSI_NO_PAGE);
	assert_in_range(present, 0, pages);
	assert_int_equal(zsi_run_commit(&space, first, present, pages), 0);
	memset(zsi_space_page(&space, first), (int)pages, (size_t)pages * 4096);
	return first;
}

static bool resident(uint32_t page)
{
	unsigned char in;

	assert_int_equal(mincore(zsi_space_page(&space, page), 4096, &in), 0);
	return in & 1;
}

static void runs_are_apart_and_aligned(void **state)
{
	static uint8_t owner[2000 * 128];

	(void)state;
	memset(owner, 0, sizeof(owner));
	for (unsigned i = 0; i < 3000; i++) {
		unsigned pages = 1 + i % 64;
		uint32_t first = take(pages);

		assert_int_equal(first % 128 % pages, 0);
		assert_true(first % 128 + pages <= 128);
		for (unsigned p = 0; p < pages; p++) {
			assert_int_equal(owner[first + p], 0);
			owner[first + p] = 1;
			assert_ptr_equal(zsi_space_record(&space, first + p), zsi_space_record(&space, first));
		}
	}
	assert_true(zsi_space_validate(&space));
}

static void free_runs_are_kept_then_given_back(void **state)
{
	uint32_t runs[400];
	uint64_t metadata;

	(void)state;
	/* Where several pages are one of the system's: units_test.c. */
	if (system_page() > 4096)
		skip();
	for (unsigned i = 0; i < 400; i++)
		runs[i] = take(4);
	metadata = account.metadata;
	assert_int_equal(account.used, metadata + 1600 * 4096);
	/* A few are kept, resident and charged. */
	zsi_run_free(&space, runs[0], 4);
	assert_int_equal(space.dirty_pages, 4);
	assert_int_equal(account.used, metadata + 1600 * 4096);
	assert_true(resident(runs[0]));
	/* And used again first. */
	unsigned present;

	assert_int_equal(zsi_run_alloc(&space, 4, &present), runs[0]);
	assert_int_equal(present, 4);
	assert_int_equal(space.dirty_pages, 0);
	/* Of many, as many go as one wants to wait for; then most. */
	for (unsigned i = 0; i < 400; i++)
		zsi_run_free(&space, runs[i], 4);
	assert_int_equal(space.dirty_pages, 1600);
	zsi_space_purge(&space, 64);
	assert_int_equal(space.dirty_pages, 1600 - 64);
	assert_int_equal(account.used, metadata + space.dirty_pages * 4096);
	assert_true(zsi_space_validate(&space));
	zsi_space_purge(&space, UINT64_MAX);
	assert_in_range(space.dirty_pages, 13, 16);
	assert_int_equal(account.used, metadata + space.dirty_pages * 4096);
	assert_true(zsi_space_validate(&space));
	assert_true(zsi_space_trim(&space) > 0);
	assert_int_equal(space.dirty_pages, 0);
	assert_int_equal(account.used, metadata);
	for (unsigned i = 0; i < 400; i++)
		assert_false(resident(runs[i]));
	assert_true(zsi_space_validate(&space));
}

static void pages_read_as_zeros_once_given_back(void **state)
{
	uint32_t first = take(1);

	(void)state;
	zsi_run_free(&space, first, 1);
	assert_int_equal(zsi_space_trim(&space), 1);
	unsigned present;

	assert_int_equal(zsi_run_alloc(&space, 1, &present), first);
	assert_int_equal(present, 0);
	assert_int_equal(zsi_space_page(&space, first)[100], 0);
}

static void part_of_a_run_goes_back(void **state)
{
	uint32_t first = take(8);
	uint64_t used = account.used;

	(void)state;
	if (system_page() > 4096)
		skip();
	struct zsi_cuts cuts = { .n = 0 };

	assert_true(zsi_cuts_add(&cuts, first + 3, 5));
	assert_true(resident(first + 3));
	assert_int_equal(account.used, used);
	zsi_purge_cuts(&space, &cuts);
	assert_true(resident(first + 2));
	for (uint32_t page = 3; page < 8; page++)
		assert_false(resident(first + page));
	/* Until then nobody else may have the memory. */
	assert_int_equal(account.used, used);
	zsi_purge_settle(&space, &cuts);
	assert_int_equal(account.used, used - 5 * 4096);
}

static void empty_chunks_change_their_run_length(void **state)
{
	uint32_t chunks;

	(void)state;
	/* One chunk's worth for each length, all given back: the chunks serve the next length. */
	for (unsigned pages = 1; pages <= 64; pages++) {
		uint32_t runs[128];
		unsigned n = 128 / pages;

		for (unsigned i = 0; i < n; i++)
			runs[i] = take(pages);
		for (unsigned i = 0; i < n; i++)
			zsi_run_free(&space, runs[i], pages);
		(void)zsi_space_trim(&space);
	}
	chunks = space.nr_chunks;
	assert_int_equal(chunks, 1);
	assert_int_equal(account.used, account.metadata);
	assert_true(zsi_space_validate(&space));
}

static void space_runs_out_cleanly(void **state)
{
	uint32_t last = ZSI_NO_PAGE, first;
	unsigned n = 0, present;

	(void)state;
	zsi_space_fini(&space);
	zsi_meta_fini(&meta);
	assert_int_equal(setup_with((uint64_t)64 << 20), 0);
	while ((first = zsi_run_alloc(&space, 64, &present)) != ZSI_NO_PAGE) {
		last = first;
		n++;
	}
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(n, 128 * 2);
	assert_true(zsi_space_validate(&space));
	zsi_run_free(&space, last, 0);
	assert_int_equal(zsi_run_alloc(&space, 64, &present), last);
	/* With every chunk dedicated, other lengths are served once a chunk is empty, without being asked to trim. */
	for (unsigned i = 0; i < 2; i++)
		zsi_run_free(&space, last / 128 * 128 + i * 64, 0);
	assert_int_not_equal(zsi_run_alloc(&space, 5, &present), ZSI_NO_PAGE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(runs_are_apart_and_aligned),           TEST(free_runs_are_kept_then_given_back),
		TEST(pages_read_as_zeros_once_given_back),  TEST(part_of_a_run_goes_back),
		TEST(empty_chunks_change_their_run_length), TEST(space_runs_out_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
