/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_selftests_test.c - what the kernel's own tests of zram check, those of LTP (zram01 to zram03) and of its
 * selftests, as far as no block device is needed: attributes in the order and the forms in which they set them, and a
 * device that is filled, read back and reset. tests/nbd/kernel_tests.sh has their file systems and swap space.
 */
#include "zram_blocks.h"

#define PAGE 4096u
#define ZRAM03_BYTES (512ull << 20)
#define CHUNK ((size_t)1 << 20)

static struct zram *unset(void)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.pool.geometry = ZS_GEOMETRY_LINUX;
	struct zram *z = zram_create("zram0", &o);

	assert_non_null(z);
	return z;
}

static void value_is(struct zram *z, const char *attr, const char *expected)
{
	char text[256];

	assert_true(zram_attr_get(z, attr, text, sizeof(text)) > 0);
	assert_string_equal(text, expected);
}

/* Any number may be set, with the newline of an echo; what is read is a number. */
static void max_streams(void **state)
{
	static const char *const numbers[] = { "2\n", "5\n", "8\n", "11\n" };
	struct zram *z = unset();
	char text[32], *end;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		set(z, "max_comp_streams", numbers[i]);
		assert_true(zram_attr_get(z, "max_comp_streams", text, sizeof(text)) > 0);
		assert_true(strtoul(text, &end, 10) >= 1);
		assert_string_equal(end, "\n");
	}
	zram_destroy(z);
}

/* Each one that the list names, in brackets or not, can be chosen, and is the one in brackets then. */
static void compress_algorithms(void **state)
{
	struct zram *z = unset();
	char list[128], chosen[128], *rest = list, *name;
	unsigned count = 0;

	(void)state;
	assert_true(zram_attr_get(z, "comp_algorithm", list, sizeof(list)) > 0);
	while ((name = strtok_r(rest, " []\n", &rest)) != NULL) {
		char text[40];

		snprintf(text, sizeof(text), "%s\n", name);
		set(z, "comp_algorithm", text);
		assert_true(zram_attr_get(z, "comp_algorithm", chosen, sizeof(chosen)) > 0);
		snprintf(text, sizeof(text), "[%s] ", name);
		assert_non_null(strstr(chosen, text));
		count++;
	}
	assert_int_equal(count, 6);
	zram_destroy(z);
}

/* Sizes in bytes and with a suffix, then a limit, in this order; each of them with the newline of an echo. */
static void disksizes_and_limits(void **state)
{
	static const struct {
		const char *disksize, *reads, *limit;
		uint64_t limit_bytes;
	} devices[] = {
		{ "26214400\n", "26214400\n", "25M\n", 25u << 20 },
		{ "402653184\n", "402653184\n", "384M\n", 384u << 20 },
		{ "2097152\n", "2097152\n", "2M\n", 2u << 20 },
		{ "1M\n", "1048576\n", "1M\n", 1u << 20 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		struct zram *z = unset();
		uint64_t mm[9];

		value_is(z, "initstate", "0\n");
		set(z, "comp_algorithm", "lzo\n");
		set(z, "disksize", devices[i].disksize);
		value_is(z, "disksize", devices[i].reads);
		value_is(z, "initstate", "1\n");
		set(z, "mem_limit", devices[i].limit);
		numbers(z, "mm_stat", mm, 9);
		assert_int_equal(mm[3], devices[i].limit_bytes);
		/* Once set it stays until a reset. */
		assert_int_equal(zram_attr_set(z, "disksize", devices[i].disksize), -1);
		assert_int_equal(errno, EBUSY);
		set(z, "reset", "1\n");
		value_is(z, "disksize", "0\n");
		value_is(z, "initstate", "0\n");
		zram_destroy(z);
	}
}

/* zram01's ratio: zeros, however they are written, are never stored in more than they are. */
static void filled_with_zeros(void **state)
{
	static const uint8_t zeros[1024];
	struct zram *z = unset();
	uint64_t mm[9], written = 0;

	(void)state;
	set(z, "disksize", "2097152");
	set(z, "mem_limit", "2M");
	/* A KiB at a time, as zram01 appends to its file. */
	while (zram_pwrite(z, zeros, sizeof(zeros), written) == 0)
		written += sizeof(zeros);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(written, 2097152);
	numbers(z, "mm_stat", mm, 9);
	assert_int_equal(mm[0], written);
	assert_true(100 * written >= 100 * mm[1]);
	assert_int_equal(mm[5], written / PAGE);
	zram_destroy(z);
}

/* All of it 'a', but for a last byte of 0. */
static void fill_as_zram03(struct zram *z)
{
	uint8_t *chunk = malloc(CHUNK);

	assert_non_null(chunk);
	memset(chunk, 'a', CHUNK);
	for (uint64_t at = 0; at < ZRAM03_BYTES; at += CHUNK) {
		if (at + CHUNK == ZRAM03_BYTES)
			chunk[CHUNK - 1] = '\0';
		assert_int_equal(zram_pwrite(z, chunk, CHUNK, at), 0);
	}
	free(chunk);
}

static void verify_as_zram03(struct zram *z)
{
	uint8_t *chunk = malloc(CHUNK), *expected = malloc(CHUNK);

	assert_true(chunk != NULL && expected != NULL);
	memset(expected, 'a', CHUNK);
	for (uint64_t at = 0; at < ZRAM03_BYTES; at += CHUNK) {
		if (at + CHUNK == ZRAM03_BYTES)
			expected[CHUNK - 1] = '\0';
		assert_int_equal(zram_pread(z, chunk, CHUNK, at), 0);
		assert_int_equal(memcmp(chunk, expected, CHUNK), 0);
	}
	free(chunk);
	free(expected);
}

static void zram03(void **state)
{
	struct zram *z = unset();
	uint64_t mm[9];

	(void)state;
	set(z, "disksize", "536870912");
	fill_as_zram03(z);
	verify_as_zram03(z);
	numbers(z, "mm_stat", mm, 9);
	assert_int_equal(mm[0], ZRAM03_BYTES);
	assert_int_equal(mm[5], ZRAM03_BYTES / PAGE - 1);
	assert_true(mm[1] > 0 && mm[1] < PAGE); /* of the one page that is not the same all over */
	assert_true(mm[2] > 0 && mm[2] <= 8 * PAGE);
	set(z, "reset", "1");
	value_is(z, "initstate", "0\n");
	value_is(z, "disksize", "0\n");
	numbers(z, "mm_stat", mm, 9);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(mm[i], 0);
	/* What is set up anew knows nothing of it. */
	set(z, "disksize", "4096");
	uint8_t page[PAGE], zeros[PAGE] = { 0 };

	assert_int_equal(zram_pread(z, page, PAGE, 0), 0);
	assert_memory_equal(page, zeros, PAGE);
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(max_streams),
		cmocka_unit_test(compress_algorithms),
		cmocka_unit_test(disksizes_and_limits),
		cmocka_unit_test(filled_with_zeros),
		cmocka_unit_test(zram03),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
