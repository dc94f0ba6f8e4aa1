/* SPDX-License-Identifier: BSD-3-Clause */
/* handle_test.c - entries: bit fields, lives, the stacks of free ones, and growth. */
#include "unit.h"

#include <pthread.h>
#include <system_page.h>

#include "base/account.h"
#include "pool/handle.h"

static struct zsi_account account;
static struct zsi_handles handles;

static int setup(void **state)
{
	(void)state;
	memset(&account, 0, sizeof(account));
	return zsi_handles_init(&handles, &account, 5, 1 << 20, false);
}

static int setup_sizes(void **state)
{
	(void)state;
	memset(&account, 0, sizeof(account));
	return zsi_handles_init(&handles, &account, 5, 1 << 20, true);
}

static int teardown(void **state)
{
	(void)state;
	zsi_handles_fini(&handles);
	return 0;
}

static uint64_t entry_at(uint32_t index)
{
	return atomic_load(&handles.entries[index]);
}

static void fields(void **state)
{
	uint32_t index = zsi_handle_alloc(&handles, 0);
	uint64_t far = ZSI_MAX_SPACE_BYTES - 8;
	uint64_t h = zsi_handle_publish(&handles, index, far, 256, 163, 100);
	uint64_t e = entry_at(index);

	(void)state;
	assert_true(zsi_entry_live(e));
	assert_int_equal(zsi_handle_index(h), index);
	assert_int_equal(h & ZSI_TAG_MASK, handles.tag);
	assert_int_equal((h ^ e) & ZSI_GENERATION_MASK, 0);
	assert_true(zsi_entry_offset(e) == far);
	assert_int_equal(zsi_entry_class(e), 257);
	assert_false(zsi_entry_locked(e));
	assert_int_equal(zsi_handle_size(&handles, index, 163), 100);
	e = zsi_entry_with_offset(e, 8);
	assert_int_equal(zsi_entry_offset(e), 8);
	assert_int_equal(zsi_entry_class(e), 257);
	assert_int_equal(zsi_entry_class(zsi_entry_with_position(e, 0)), 1);
	assert_int_equal(zsi_handle_size(&handles, index, 163), 100);
	assert_int_equal((h ^ e) & ZSI_GENERATION_MASK, 0);
}

static void retire(uint32_t index)
{
	assert_true(zsi_entry_retire(&handles.entries[index], entry_at(index)));
}

static void sizes_beside_the_entries(void **state)
{
	uint32_t index = zsi_handle_alloc(&handles, 0);

	(void)state;
	(void)zsi_handle_publish(&handles, index, 0, 0, 65536, 1);
	assert_int_equal(zsi_handle_size(&handles, index, 65536), 1);
	retire(index);
	(void)zsi_handle_publish(&handles, index, 0, 0, 65536, 65536);
	assert_int_equal(zsi_handle_size(&handles, index, 65536), 65536);
}

static void every_life_has_its_own_handle(void **state)
{
	uint32_t index = zsi_handle_alloc(&handles, 0);
	uint64_t first = zsi_handle_publish(&handles, index, 64, 3, 8, 8);
	uint64_t last = first;
	uint64_t lives = 1;

	(void)state;
	/* Until the counter has gone round: half of its values are lives. */
	for (;;) {
		retire(index);
		assert_false(zsi_entry_live(entry_at(index)));
		/* As from a cache, and as after the entry was given back. */
		uint64_t h = lives % 2 == 0 ? zsi_handle_revive(&handles, index, entry_at(index), 8, 8)
					    : zsi_handle_publish(&handles, index, 64, 3, 8, 8);

		assert_int_not_equal(h, 0);
		assert_int_not_equal(h, last);
		last = h;
		if (h == first)
			break;
		lives++;
	}
	assert_int_equal(lives, 65536);
}

static void locks(void **state)
{
	uint32_t index = zsi_handle_alloc(&handles, 0);
	uint64_t e;

	(void)state;
	(void)zsi_handle_publish(&handles, index, 64, 3, 8, 8);
	e = entry_at(index);
	assert_true(zsi_entry_trylock(&handles.entries[index], e, ZSI_CLASS_MOVING));
	assert_true(zsi_entry_locked(entry_at(index)));
	assert_false(zsi_entry_trylock(&handles.entries[index], entry_at(index), ZSI_CLASS_HELD));
	assert_false(zsi_entry_trylock(&handles.entries[index], e, ZSI_CLASS_MOVING));
	/* Moved. */
	zsi_entry_publish_moved(&handles.entries[index], zsi_entry_with_offset(e, 128));
	assert_false(zsi_entry_trylock(&handles.entries[index], e, ZSI_CLASS_MOVING));
	e = entry_at(index);
	assert_true(zsi_entry_trylock(&handles.entries[index], e, ZSI_CLASS_HELD));
	assert_false(zsi_entry_retire(&handles.entries[index], entry_at(index)));
	/* Only who has it locked in this way can unlock it. */
	assert_false(zsi_entry_unlock(&handles.entries[index], e, ZSI_CLASS_MOVING));
	assert_true(zsi_entry_unlock(&handles.entries[index], e, ZSI_CLASS_HELD));
	assert_true(entry_at(index) == e);
}

/* One who announced the object before it was locked, and frees it, wins: the lock is of no use any more. */
static void an_announced_free_takes_the_entry(void **state)
{
	uint32_t index = zsi_handle_alloc(&handles, 0);
	uint64_t e;

	(void)state;
	(void)zsi_handle_publish(&handles, index, 64, 3, 8, 8);
	e = entry_at(index);
	assert_true(zsi_entry_trylock(&handles.entries[index], e, ZSI_CLASS_MOVING));
	zsi_entry_retire_announced(&handles, &handles.entries[index], e);
	assert_false(zsi_entry_unlock(&handles.entries[index], e, ZSI_CLASS_MOVING));
	assert_true(zsi_entry_retired_in(entry_at(index), 4));
	assert_false(zsi_entry_retired_in(entry_at(index), 5));
}

static void a_retired_entry_keeps_its_slot_and_its_class(void **state)
{
	uint32_t index = zsi_handle_alloc(&handles, 0);
	uint64_t h = zsi_handle_publish(&handles, index, 4096, 3, 163, 100);
	uint64_t e = entry_at(index);

	(void)state;
	retire(index);
	assert_false(zsi_entry_live(entry_at(index)));
	assert_true(zsi_entry_retired_in(entry_at(index), 4));
	assert_int_equal(zsi_entry_offset(entry_at(index)), 4096);
	/* Nobody who saw the live entry can do anything with it. */
	assert_false(zsi_entry_trylock(&handles.entries[index], e, ZSI_CLASS_HELD));
	assert_false(zsi_entry_retire(&handles.entries[index], e));
	uint64_t again = zsi_handle_revive(&handles, index, entry_at(index), 163, 163);

	assert_int_not_equal(again, h);
	assert_int_equal((again ^ entry_at(index)) & ZSI_GENERATION_MASK, 0);
	assert_int_equal(zsi_entry_offset(entry_at(index)), 4096);
	assert_int_equal(zsi_handle_size(&handles, index, 163), 163);
	assert_true(zsi_entry_trylock(&handles.entries[index], entry_at(index), ZSI_CLASS_HELD));
}

static void entries_are_reused(void **state)
{
	bool seen[2000] = { false };
	uint32_t bound;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint32_t index = zsi_handle_alloc(&handles, i % 7);

		assert_in_range(index, 0, 1999);
		assert_false(seen[index]);
		seen[index] = true;
	}
	bound = handles.bound;
	assert_in_range(bound, 1000, 1000 + 16 * 7);
	assert_int_equal(zsi_handles_free_count(&handles), bound - 1000);
	for (uint32_t i = 0; i < 2000; i++)
		if (seen[i])
			zsi_handle_release(&handles, i, i);
	assert_int_equal(zsi_handles_free_count(&handles), bound);
	/* Whatever the hint, all but a few of them are found before the table grows. */
	for (unsigned i = 0; i < bound; i++)
		assert_int_not_equal(zsi_handle_alloc(&handles, 3), ZSI_NO_INDEX);
	assert_in_range(handles.bound, bound, bound + bound / 32 + 8 * 16 + 16);
	/* Where it can't grow, those are found too. */
	account.limit = account.used;
	while (zsi_handle_alloc(&handles, 3) != ZSI_NO_INDEX)
		;
	assert_int_equal(zsi_handles_free_count(&handles), 0);
}

/* Two threads that allocate in turn don't get entries of one cache line, now or after giving back and taking again. */
static void threads_have_lines_of_their_own(void **state)
{
	uint32_t got[2][500];

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 500; i++)
			for (unsigned t = 0; t < 2; t++)
				got[t][i] = zsi_handle_alloc(&handles, t);
		for (unsigned i = 0; i < 500; i++)
			for (unsigned k = 0; k < 500; k++)
				assert_int_not_equal(got[0][i] / 8, got[1][k] / 8);
		for (unsigned i = 0; i < 500; i++)
			for (unsigned t = 0; t < 2; t++)
				zsi_handle_release(&handles, got[t][i * 7 % 500], t);
	}
}

static void growth_is_charged_and_refused(void **state)
{
	unsigned n = 0;

	(void)state;
	/* Two pages of entries, and one of what is beside them. */
	account.limit = 3 * system_page();
	while (zsi_handle_alloc(&handles, 0) != ZSI_NO_INDEX)
		n++;
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(n, 2 * system_page() / sizeof(uint64_t));
	assert_int_equal(account.used, 3 * system_page());
	zsi_handle_release(&handles, 17, 9);
	assert_int_equal(zsi_handle_alloc(&handles, 0), 17);
}

#define THREADS 4
#define OWN 64

static _Atomic uint8_t owners[1 << 16];

static void *churn(void *arg)
{
	unsigned hint = *(unsigned *)arg;
	uint32_t mine[OWN];
	uintptr_t bad = 0;

	for (unsigned round = 0; round < 2000; round++) {
		for (unsigned i = 0; i < OWN; i++) {
			mine[i] = zsi_handle_alloc(&handles, hint + round);
			bad |= mine[i] == ZSI_NO_INDEX || atomic_exchange(&owners[mine[i]], 1) != 0;
		}
		for (unsigned i = 0; i < OWN; i++) {
			atomic_store(&owners[mine[i]], 0);
			zsi_handle_release(&handles, mine[i], hint);
		}
	}
	return (void *)bad;
}

static void threads_never_share_an_entry(void **state)
{
	pthread_t t[THREADS];
	unsigned hints[THREADS] = { 0, 0, 1, 2 };
	void *bad;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, churn, &hints[i]), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(t[i], &bad), 0);
		assert_null(bad);
	}
	assert_int_equal(zsi_handles_free_count(&handles), handles.bound);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(fields),
		cmocka_unit_test_setup_teardown(sizes_beside_the_entries, setup_sizes, teardown),
		TEST(every_life_has_its_own_handle),
		TEST(locks),
		TEST(an_announced_free_takes_the_entry),
		TEST(a_retired_entry_keeps_its_slot_and_its_class),
		TEST(entries_are_reused),
		TEST(threads_have_lines_of_their_own),
		TEST(growth_is_charged_and_refused),
		TEST(threads_never_share_an_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
