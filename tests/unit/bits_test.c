/* SPDX-License-Identifier: BSD-3-Clause */
/* bits_test.c - integer helpers against plain arithmetic. */
#include "unit.h"

#include "base/bits.h"

static void powers(void **state)
{
	(void)state;
	assert_false(zsi_is_pow2(0));
	for (unsigned i = 0; i < 64; i++) {
		uint64_t p = 1ull << i;

		assert_true(zsi_is_pow2(p));
		assert_int_equal(zsi_log2_floor(p), i);
		assert_true(zsi_pow2_ceil(p) == p);
		if (i > 1) {
			assert_false(zsi_is_pow2(p + 1));
			assert_int_equal(zsi_log2_floor(p - 1), i - 1);
			assert_true(zsi_pow2_ceil(p - 1) == p);
		}
	}
	assert_int_equal(zsi_pow2_ceil(0), 1);
}

static void rounding(void **state)
{
	(void)state;
	for (uint64_t x = 0; x < 300; x++) {
		assert_int_equal(zsi_round_up(x, 64), (x + 63) / 64 * 64);
		assert_int_equal(zsi_div_up(x, 7), x / 7 + (x % 7 != 0));
	}
}

/* Every size and every offset that a zspage can have: 64 pages of 64 KiB. */
static void reciprocals(void **state)
{
	const uint64_t most = 64ull * 65536;

	(void)state;
	for (uint64_t size = 8; size <= 65536; size += 8) {
		uint64_t r = zsi_reciprocal(size);

		for (uint64_t n = 0; n * size < most; n += 1 + n / 3) {
			assert_int_equal(zsi_reciprocal_divide(n * size, r), n);
			assert_int_equal(zsi_reciprocal_divide(n * size + size - 1, r), n);
		}
		assert_int_equal(zsi_reciprocal_divide(most - 1, r), (most - 1) / size);
	}
	for (uint64_t pages = 1; pages <= 64; pages++)
		for (uint64_t page = 0; page < 128; page++)
			assert_int_equal(zsi_reciprocal_divide(page, zsi_reciprocal(pages)), page / pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(powers),
		cmocka_unit_test(rounding),
		cmocka_unit_test(reciprocals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
