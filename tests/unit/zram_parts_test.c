/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_parts_test.c - the parts of libzram that need no device: values of attributes, same-filled blocks, checksums. */
#include <zsmalloc/zram.h>
#include "unit.h"

#include <rng.h>

#include "device/error.h"
#include "device/parse.h"
#include "device/same.h"
#include "device/sum.h"

static void numbers(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "17", 0, 17 },
		{ " 17\n", 0, 17 },
		{ "0x10", 0, 16 },
		{ "010", 0, 8 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -1, 0 },
		{ "", -1, 0 },
		{ " ", -1, 0 },
		{ "-1", -1, 0 },
		{ "+1", -1, 0 },
		{ "1x", -1, 0 },
		{ "1 2", -1, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 0;

		assert_int_equal(zsi_parse_number(cases[i].text, &value), cases[i].result);
		if (cases[i].result == 0)
			assert_int_equal(value, cases[i].value);
	}
}

static void signed_numbers(void **state)
{
	int64_t value;

	(void)state;
	assert_int_equal(zsi_parse_signed("-7", &value), 0);
	assert_int_equal(value, -7);
	assert_int_equal(zsi_parse_signed("7\n", &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(zsi_parse_signed("--7", &value), -1);
	assert_int_equal(zsi_parse_signed("-", &value), -1);
	assert_int_equal(zsi_parse_signed("9223372036854775808", &value), -1);
}

static void bytes(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{ "4096", 0, 4096 },  { "4K", 0, 4096 },       { "4k\n", 0, 4096 },     { "3M", 0, 3 << 20 },
		{ "1g", 0, 1 << 30 }, { "2T", 0, 2ull << 40 }, { "1P", 0, 1ull << 50 }, { "15E", 0, 15ull << 60 },
		{ "16E", -1, 0 },     { "4KB", -1, 0 },        { "K", -1, 0 },          { "4 K", -1, 0 },
		{ "4Z", -1, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 0;

		assert_int_equal(zsi_parse_bytes(cases[i].text, &value), cases[i].result);
		if (cases[i].result == 0)
			assert_int_equal(value, cases[i].value);
	}
}

static void pairs(void **state)
{
	char text[] = "  algo=zstd  flag priority=\n";
	char *at = text, *key, *value;

	(void)state;
	assert_true(zsi_parse_pair(&at, &key, &value));
	assert_string_equal(key, "algo");
	assert_string_equal(value, "zstd");
	assert_true(zsi_parse_pair(&at, &key, &value));
	assert_string_equal(key, "flag");
	assert_null(value);
	assert_true(zsi_parse_pair(&at, &key, &value));
	assert_string_equal(key, "priority");
	assert_string_equal(value, "");
	assert_false(zsi_parse_pair(&at, &key, &value));
}

/* One byte that differs, anywhere, in blocks of each size and at any alignment. */
static void same_filled(void **state)
{
	static const size_t sizes[] = { 4096, 8192, 65536 };
	const uint64_t words[] = { 0, UINT64_MAX, 0x0123456789abcdef };

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		size_t size = sizes[i / 3];
		uint8_t *raw = malloc(size + 3);
		uint8_t *block = raw + i % 3; /* aligned or not */
		uint64_t found;

		assert_non_null(raw);
		zsi_same_fill(block, size, words[i % 3]);
		assert_true(zsi_same_filled(block, size, &found));
		assert_int_equal(found, words[i % 3]);
		for (size_t at = 0; at < size; at += at < 512 || at > size - 512 ? 1 : 61) {
			block[at] ^= 0x40;
			assert_false(zsi_same_filled(block, size, &found));
			block[at] ^= 0x40;
		}
		assert_true(zsi_same_filled(block, size, &found));
		free(raw);
	}
}

/* The reference values of XXH3, 64 bits, seed 0: what is saved by one version of the library is read by the next. */
static void sums(void **state)
{
	uint8_t block[4096];
	uint32_t sum;

	(void)state;
	assert_int_equal(zsi_sum("", 0), (uint32_t)0x2d06800538d394c2ull);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i * 7 + i / 256);
	sum = zsi_sum(block, sizeof(block));
	for (size_t i = 0; i < sizeof(block); i += 97) {
		block[i] ^= 1;
		assert_int_not_equal(zsi_sum(block, sizeof(block)), sum);
		block[i] ^= 1;
	}
	assert_int_not_equal(zsi_sum(block, sizeof(block) - 1), sum);
}

/* Control characters of a caller's don't make two lines of one message. */
static void messages(void **state)
{
	(void)state;
	assert_int_equal(zsi_fail(ENOENT, "%s: %s", "a\nb", "c\x1b"), -1);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(zsi_last_error(), "a?b: c?");
	assert_string_equal(zram_strerror(), "a?b: c?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),  cmocka_unit_test(signed_numbers), cmocka_unit_test(bytes),
		cmocka_unit_test(pairs),    cmocka_unit_test(same_filled),    cmocka_unit_test(sums),
		cmocka_unit_test(messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
