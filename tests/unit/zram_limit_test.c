/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_limit_test.c - a disk filled to its mem_limit stays a working disk. Room is made for whatever is refused, not for
 * objects alone.
 */
#include "unit.h"

#include <rng.h>

#include "zram/device.h"

#define BS 4096u
#define MIB ((uint64_t)1 << 20)
#define LIMIT (8 * MIB)
#define DISKSIZE (64ull << 30)
#define OBJECT 2000u /* bytes of a block that don't shrink */

static uint8_t w[BS], r[BS];

/* `n` bytes of noise, then zeros. */
static const uint8_t *noise(uint64_t seed, size_t n)
{
	struct rng rng = { seed };

	memset(w, 0, BS);
	for (size_t i = 0; i < n; i++)
		w[i] = (uint8_t)rng_next(&rng);
	return w;
}

static struct zram *device(enum zs_geometry geometry)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = DISKSIZE;
	o.mem_limit = LIMIT;
	o.pool.geometry = geometry;
	z = zram_create("limit", &o);
	assert_non_null(z);
	return z;
}

static uint64_t held(struct zram *z)
{
	return zs_get_total_bytes(z->pool) + atomic_load(&z->memory.own);
}

/* Blocks from the first on, until the limit says no. */
static uint64_t fill(struct zram *z)
{
	uint64_t n = 0;

	while (zram_pwrite(z, noise(n, OBJECT), BS, n * BS) == 0)
		n++;
	assert_int_equal(errno, ENOMEM);
	assert_true(n * OBJECT > LIMIT * 3 / 4);
	return n;
}

static void discard_every_other(struct zram *z, uint64_t n)
{
	for (uint64_t i = 0; i < n; i += 2)
		assert_int_equal(zram_discard(z, i * BS, BS), 0);
}

/* --- room for anything --- */

/* Places whose part of the table isn't there yet: a page of it, and an object. */
static void room_for_the_table(void **state)
{
	(void)state;
	for (unsigned g = 0; g < 2; g++) {
		struct zram *z = device(g == 0 ? ZS_GEOMETRY_DENSE : ZS_GEOMETRY_LINUX);
		uint64_t n = fill(z), places = LIMIT / 4 / (4096 + OBJECT), failed = 0;

		discard_every_other(z, n);
		for (uint64_t i = 1; i <= places; i++)
			failed += zram_pwrite(z, noise(i, OBJECT), BS, i << 26) != 0;
		if (failed > 0)
			fail_msg("%llu of %llu writes to new places fail: %s", (unsigned long long)failed,
				 (unsigned long long)places, zram_strerror());
		assert_true(held(z) <= LIMIT);
		for (uint64_t i = 1; i <= places; i++) {
			assert_int_equal(zram_pread(z, r, BS, i << 26), 0);
			assert_memory_equal(r, noise(i, OBJECT), BS);
		}
		assert_int_equal(zs_pool_validate(z->pool), 0);
		zram_destroy(z);
	}
}

/* What a context, a dictionary or a training asks for: much at once. */
static void room_for_much_at_once(void **state)
{
	struct zram *z = device(ZS_GEOMETRY_DENSE);
	uint64_t n = fill(z);

	(void)state;
	/* Where there is nothing to win it is refused, and counted. */
	uint64_t hits = atomic_load(&z->memory.hits);

	assert_int_equal(zsi_memory_charge(z, LIMIT / 4), -1);
	assert_int_equal(errno, ENOMEM);
	assert_true(atomic_load(&z->memory.hits) > hits);
	discard_every_other(z, n);
	assert_int_equal(zsi_memory_charge(z, LIMIT / 4), 0);
	assert_true(held(z) <= LIMIT);
	zsi_memory_uncharge(z, LIMIT / 4);
	/* More than the limit is no reason to look. */
	assert_int_equal(zsi_memory_charge(z, LIMIT), -1);
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_for_the_table),
		cmocka_unit_test(room_for_much_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
