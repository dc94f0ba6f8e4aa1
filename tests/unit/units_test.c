/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * units_test.c - the arena where the system's pages are larger than the pool's: a page that goes takes no neighbour
 * with it, and what is charged is what is there. Where they are not larger, units of 16 KiB are made up of them.
 */
#include "unit.h"

#include <rng.h>
#include <sys/mman.h>
#include <system_page.h>

#include "base/account.h"
#include "base/bits.h"
#include "base/os.h"
#include "pages/cuts.h"
#include "pages/layout.h"
#include "pages/meta.h"
#include "pages/purge.h"
#include "pages/space.h"
#include "pages/space_validate.h"

#define PAGE 4096u
#define RECORD 32u
#define RUNS 300u
#define SPACE_BYTES ((uint64_t)64 << 20)

static struct zsi_account account;
static struct zsi_meta meta;
static struct zsi_space space;
static struct run {
	uint32_t first; /* ZSI_NO_PAGE: not in use */
	unsigned pages, present;
} runs[RUNS];

static size_t unit_bytes(void)
{
	return system_page() > PAGE ? system_page() : 16384;
}

static int setup(void **state)
{
	struct zsi_space_options o = { .page_size = PAGE, .record_bytes = RECORD, .space_bytes = SPACE_BYTES };

	(void)state;
	memset(&account, 0, sizeof(account));
	for (unsigned i = 0; i < RUNS; i++)
		runs[i].first = ZSI_NO_PAGE;
	if (zsi_meta_init(&meta, &account, 64 << 20) != 0 || zsi_space_init(&space, &meta, &account, &o) != 0)
		return -1;
	if (system_page() > PAGE)
		assert_int_equal(PAGE << space.unit_shift, system_page());
	space.unit_shift = zsi_log2_floor(unit_bytes() / PAGE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zsi_space_fini(&space);
	zsi_meta_fini(&meta);
	return 0;
}

static uint64_t *word(uint32_t page, unsigned i)
{
	return (uint64_t *)(void *)(zsi_space_page(&space, page) + (size_t)i * (PAGE - 8));
}

/* The first and the last word of each page tell whose it is. */
static void mark(const struct run *r, unsigned from)
{
	for (unsigned p = from; p < r->present; p++)
		*word(r->first + p, 0) = *word(r->first + p, 1) = (uint64_t)(r - runs) << 32 | (r->first + p);
}

static void check(const struct run *r)
{
	for (unsigned p = 0; p < r->present; p++)
		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(*word(r->first + p, i), (uint64_t)(r - runs) << 32 | (r->first + p));
}

static bool take(struct run *r, unsigned pages)
{
	r->pages = pages;
	r->first = zsi_run_alloc(&space, pages, &r->present);
	assert_int_not_equal(r->first, ZSI_NO_PAGE);
	mark(r, 0);
	return true;
}

static bool grow(struct run *r, unsigned want)
{
	unsigned before = r->present;

	if (want <= before)
		return true;
	if (zsi_run_commit(&space, r->first, before, want) != 0)
		return false;
	r->present = want;
	mark(r, before);
	return true;
}

static void shrink(struct run *r, unsigned keep)
{
	struct zsi_cuts cuts = { .n = 0 };

	if (keep >= r->present)
		return;
	assert_true(zsi_cuts_add(&cuts, r->first + keep, r->present - keep));
	zsi_purge_cuts(&space, &cuts);
	zsi_purge_settle(&space, &cuts);
	r->present = keep;
}

static void leave(struct run *r)
{
	check(r);
	zsi_run_free(&space, r->first, r->present);
	r->first = ZSI_NO_PAGE;
}

/* What the kernel has for the arena's pages, or could have: units any byte of which is there. */
static uint64_t resident_bytes(void)
{
	static unsigned char there[SPACE_BYTES / PAGE];
	size_t chunks = (space.nr_chunks + ZSI_CHUNKS_AT_ONCE - 1) / ZSI_CHUNKS_AT_ONCE * ZSI_CHUNKS_AT_ONCE;
	size_t bytes = chunks * ZSI_CHUNK_PAGES * PAGE;
	uint64_t units = 0;

	if (bytes == 0)
		return 0;
	assert_int_equal(mincore(space.base, bytes, there), 0);
	for (size_t unit = 0; unit < bytes / unit_bytes(); unit++) {
		size_t pages = unit_bytes() / system_page();
		bool any = false;

		for (size_t i = unit * pages; i < (unit + 1) * pages; i++)
			any |= (there[i] & 1) != 0;
		units += any;
	}
	return units * unit_bytes();
}

static void neighbours_stay(void **state)
{
	(void)state;
	/* One page each, side by side: all but every fifth go. */
	for (unsigned i = 0; i < RUNS; i++)
		assert_true(take(&runs[i], 1) && grow(&runs[i], 1));
	for (unsigned i = 0; i < RUNS; i++)
		if (i % 5 != 0)
			leave(&runs[i]);
	(void)zsi_space_trim(&space);
	for (unsigned i = 0; i < RUNS; i += 5)
		check(&runs[i]);
	assert_int_equal(account.used - account.metadata, resident_bytes());
	/* When the last of a unit goes, the unit does. */
	for (unsigned i = 0; i < RUNS; i += 5)
		leave(&runs[i]);
	(void)zsi_space_trim(&space);
	assert_int_equal(account.used, account.metadata);
	assert_int_equal(resident_bytes(), 0);
	assert_true(zsi_space_validate(&space));
}

static void a_page_of_a_unit_that_is_there_costs_nothing(void **state)
{
	(void)state;
	assert_true(take(&runs[0], 1) && grow(&runs[0], 1));
	uint64_t used = account.used;

	assert_int_equal(used - account.metadata, unit_bytes());
	account.limit = used;
	/* As many as the unit holds, and no more. */
	for (unsigned i = 1; i < unit_bytes() / PAGE; i++)
		assert_true(take(&runs[i], 1) && grow(&runs[i], 1));
	assert_int_equal(account.used, used);
	assert_true(take(&runs[100], 1));
	assert_false(grow(&runs[100], 1));
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(account.used, used);
	/* A free page of a unit that is there is taken before one that is not. */
	leave(&runs[1]);
	(void)zsi_space_trim(&space);
	assert_true(take(&runs[1], 1) && grow(&runs[1], 1));
	assert_int_equal(account.used, used);
	assert_true(zsi_space_validate(&space));
}

static void refused_whole(void **state)
{
	(void)state;
	assert_true(take(&runs[0], 64));
	account.limit = account.used + unit_bytes();
	assert_false(grow(&runs[0], 64));
	assert_int_equal(account.used, account.metadata);
	assert_true(grow(&runs[0], 1));
	assert_int_equal(account.used - account.metadata, unit_bytes());
	assert_true(zsi_space_validate(&space));
}

static void random_operations(void **state)
{
	struct rng rng = { 77 };

	(void)state;
	for (unsigned step = 0; step < 30000; step++) {
		struct run *r = &runs[rng_below(&rng, RUNS)];

		if (r->first == ZSI_NO_PAGE)
			assert_true(take(r, (unsigned)rng_range(&rng, 1, 12)));
		else if (rng_one_in(&rng, 4))
			leave(r);
		else if (rng_one_in(&rng, 2))
			assert_true(grow(r, (unsigned)rng_range(&rng, 1, r->pages)));
		else
			shrink(r, (unsigned)rng_below(&rng, r->pages + 1));
		if (rng_one_in(&rng, 50))
			zsi_space_purge(&space, rng_below(&rng, 40));
		if (rng_one_in(&rng, 500))
			(void)zsi_space_trim(&space);
		if (step % 200 == 0) {
			for (unsigned i = 0; i < RUNS; i++)
				if (runs[i].first != ZSI_NO_PAGE)
					check(&runs[i]);
			assert_true(zsi_space_validate(&space));
			assert_int_equal(account.used - account.metadata, resident_bytes());
		}
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(neighbours_stay),
		TEST(a_page_of_a_unit_that_is_there_costs_nothing),
		TEST(refused_whole),
		TEST(random_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
