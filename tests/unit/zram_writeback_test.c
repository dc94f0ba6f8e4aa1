/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_writeback_test.c - which blocks a request writes back, what it may say, the budget, the numbers; and blocks that
 * are used while they are written.
 */
#include "zram_backed.h"

#include <eventually.h>
#include <pthread.h>
#include <stdatomic.h>

/* --- what is written --- */

static void each_type_takes_its_own(void **state)
{
	static const struct {
		const char *value;
		bool huge, idle, incompressible; /* it must be */
	} types[] = {
		{ "type=huge", true, false, false },	     { "huge", true, false, false },
		{ "type=idle", false, true, false },	     { "idle", false, true, false },
		{ "type=huge_idle", true, true, false },     { "huge_idle", true, true, false },
		{ "type=incompressible", false, false, true }, { "incompressible\n", false, false, true },
	};
	uint8_t buf[BS];

	(void)state;
	for (unsigned t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		struct zram *z = device(1 << 20, 0);
		bool wanted[BLOCKS];
		unsigned n = 0;

		shadow_fill(&shadow, z);
		set(z, "recompress", "type=huge max_pages=10");
		set(z, "idle", "all");
		for (uint64_t i = 0; i < BLOCKS; i += 3)
			assert_int_equal(zram_pread(z, buf, BS, i * BS), 0);
		for (uint64_t i = 0; i < BLOCKS; i++) {
			const char *s = state_of(z, i);

			wanted[i] = (!types[t].huge || s[2] == 'h') && (!types[t].idle || s[3] == 'i') &&
				    (!types[t].incompressible || s[5] == 'n');
			n += wanted[i];
		}
		assert_in_range(n, 1, BLOCKS - 1);
		set(z, "writeback", types[t].value);
		for (uint64_t i = 0; i < BLOCKS; i++)
			if (in_file(z, i) != wanted[i])
				fail_msg("%s: block %d is %s", types[t].value, (int)i, state_of(z, i));
		check_map(z);
		shadow_compare(&shadow, z);
		done(z);
	}
}

static void requests_that_make_no_sense(void **state)
{
	static const char *const bad[] = {
		"", " \n", "type", "type=", "type=lazy", "lazy", "page_index", "page_index=", "page_index=64",
		"page_index=-1", "page_index=1-2", "page_index=1-2x", "page_index=99999999999999999999",
		"page_indexes=3-1", "page_indexes=0-64", "page_indexes=-", "page_indexes=1-", "page_indexes=-1",
		"page_indexes=1-2-3", "page_indexes=1",
		"page_index=3 type=lazy", "page_index=3 page_index=x", "speed=1", "=", "=3",
	};
	struct zram *z = device(1 << 20, 0);

	(void)state;
	shadow_fill(&shadow, z);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(z, "writeback", bad[i], EINVAL);
	/* All of it is right, or none of it is done. */
	assert_int_equal(count_in_file(z), 0);
	set(z, "writeback", " page_index=3\tpage_indexes=63-63 page_indexes=10-12 page_index=3\n");
	assert_int_equal(count_in_file(z), 5);
	assert_true(in_file(z, 3) && in_file(z, 63) && in_file(z, 10) && in_file(z, 11) && in_file(z, 12));
	/* Blocks that are not in use. */
	shadow_discard(&shadow, z, 20);
	set(z, "writeback", "page_index=20");
	assert_string_equal(state_of(z, 20), "");
	shadow_compare(&shadow, z);
	done(z);
}

static void statistics_in_the_kernels_format(void **state)
{
	struct zram *z = device(1 << 20, 0);
	char text[64];
	uint8_t buf[BS];

	(void)state;
	shadow_fill(&shadow, z);
	set(z, "writeback", "page_index=1 page_index=3");
	assert_int_equal(zram_attr_get(z, "bd_stat", text, sizeof(text)), 27);
	assert_string_equal(text, "       2        0        2\n");
	assert_int_equal(zram_pread(z, buf, BS, 3 * BS), 0);
	(void)zram_attr_get(z, "bd_stat", text, sizeof(text));
	assert_string_equal(text, "       2        1        2\n");
	/* Begun pages count: block 2 takes one unit. */
	set(z, "writeback", "page_index=2");
	(void)zram_attr_get(z, "bd_stat", text, sizeof(text));
	assert_string_equal(text, "       3        1        3\n");
	refused(z, "bd_stat", "1", EINVAL);
	(void)zram_attr_get(z, "writeback_limit", text, sizeof(text));
	assert_string_equal(text, "0\n");
	(void)zram_attr_get(z, "writeback_limit_enable", text, sizeof(text));
	assert_string_equal(text, "0\n");
	assert_int_equal(zram_attr_get(z, "writeback", text, sizeof(text)), -1);
	assert_int_equal(errno, EINVAL);
	done(z);
}

/* --- the budget --- */

static void the_budget_is_kept(void **state)
{
	struct zram *z = device(1 << 20, 0);
	uint64_t bd[3];
	char text[32];

	(void)state;
	shadow_fill(&shadow, z);
	set(z, "writeback_limit", "5");
	/* Not enabled, it counts nothing. */
	set(z, "writeback", "page_indexes=1-1");
	(void)zram_attr_get(z, "writeback_limit", text, sizeof(text));
	assert_string_equal(text, "5\n");
	set(z, "writeback_limit_enable", "1");
	refused(z, "writeback", "type=huge", EIO);
	assert_non_null(strstr(zram_strerror(), "writeback_limit"));
	numbers(z, "bd_stat", bd, 3);
	assert_int_equal(bd[2], 6);
	assert_int_equal(count_in_file(z), 6);
	refused(z, "writeback", "type=huge", EIO);
	set(z, "writeback_limit", "2");
	refused(z, "writeback", "type=huge", EIO);
	assert_int_equal(count_in_file(z), 8);
	/* Reading and discarding give nothing back of it. */
	shadow_compare(&shadow, z);
	shadow_discard(&shadow, z, 1);
	refused(z, "writeback", "type=huge", EIO);
	set(z, "writeback_limit_enable", "0");
	set(z, "writeback", "type=huge");
	refused(z, "writeback_limit", "", EINVAL);
	refused(z, "writeback_limit", "-1", EINVAL);
	refused(z, "writeback_limit", "0xffffffffffffffff", EINVAL);
	refused(z, "writeback_limit", "4K", EINVAL);
	refused(z, "writeback_limit_enable", "2", EINVAL);
	refused(z, "writeback_limit_enable", "yes", EINVAL);
	shadow_compare(&shadow, z);
	done(z);
}

/* --- one at a time --- */

static atomic_bool writing, go_on;
static struct zram *shared;

static ssize_t slow_write(int fd, const void *buf, size_t n, off_t at)
{
	atomic_store(&writing, true);
	while (!atomic_load(&go_on))
		usleep(100);
	return pwrite(fd, buf, n, at);
}

static void *write_back(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)zram_attr_set(shared, "writeback", "page_indexes=0-15");
}

/* While a block is being written it can be read, written and discarded, and then it is not the file's. */
static void used_while_it_is_written(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;
	pthread_t thread;
	void *result;

	(void)state;
	zsi_backing_io.write = slow_write;
	for (unsigned use = 0; use < 4; use++) {
		struct zram *z = shared = device(1 << 20, ZRAM_CHECKSUM);

		shadow_fill(&shadow, z);
		atomic_store(&writing, false);
		atomic_store(&go_on, false);
		assert_int_equal(pthread_create(&thread, NULL, write_back, NULL), 0);
		EVENTUALLY(atomic_load(&writing));
		refused(z, "writeback", "type=huge", EAGAIN);
		refused(z, "recompress", "type=huge", EAGAIN);
		switch (use) {
		case 0:
			shadow_compare_block(&shadow, z, 0);
			break;
		case 1:
			memset(shadow.at[0] + 9, 3, 500);
			shadow_write(&shadow, z, 0);
			break;
		case 2:
			shadow.at[0][17] = 0x55;
			shadow_write_part(&shadow, z, 0, 17, 1);
			break;
		default:
			shadow_discard(&shadow, z, 0);
		}
		atomic_store(&go_on, true);
		assert_int_equal(pthread_join(thread, &result), 0);
		assert_ptr_equal(result, NULL);
		assert_false(in_file(z, 0));
		assert_true(in_file(z, 1) && in_file(z, 15));
		check_map(z);
		shadow_compare(&shadow, z);
		done(z);
	}
	zsi_backing_io = was;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_takes_its_own),
		cmocka_unit_test(requests_that_make_no_sense),
		cmocka_unit_test(statistics_in_the_kernels_format),
		cmocka_unit_test(the_budget_is_kept),
		cmocka_unit_test(used_while_it_is_written),
	};

	return cmocka_run_group_tests(tests, name_file, NULL);
}
