/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_limit_test.c - a disk filled to its mem_limit stays a working disk. Room is made for whatever is refused, not
 * for objects alone.
 */
#include <zsmalloc/zram.h>
#include "unit.h"

#include <rng.h>
#include <system_page.h>

#include "device/device.h"
#include "device/memory.h"

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
		uint64_t n = fill(z), places = LIMIT / 4 / (system_page() + OBJECT), failed = 0;

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

/* Parts of the table that hold nothing any more, not yet so many that they would go by themselves. */
static void room_in_the_table(void **state)
{
	const unsigned parts = 30;
	struct zram *z = device(ZS_GEOMETRY_DENSE);
	const uint64_t zeros[BS / 8] = { 0 };
	uint64_t n;

	(void)state;
	for (uint64_t i = 1; i <= parts; i++)
		assert_int_equal(zram_pwrite(z, zeros, BS, i << 26), 0);
	n = fill(z);
	for (uint64_t i = 1; i <= parts; i++)
		assert_int_equal(zram_discard(z, i << 26, BS), 0);
	for (uint64_t i = 0; i < parts; i++)
		assert_int_equal(zram_pwrite(z, noise(i, OBJECT), BS, (n + i) * BS), 0);
	assert_true(held(z) <= LIMIT);
	zram_destroy(z);
}

/* --- what is there can be changed --- */

/* What of block i is noise while `round` is the last one that wrote it. */
static size_t noise_of(uint64_t i, unsigned round)
{
	static const size_t sizes[] = { 200, 900, 1500, 2000, 2600, 3300, 4096, 2196 };

	return sizes[(i * 7 + round * 3) % 8];
}

struct disk {
	struct zram *z;
	uint64_t n;
	uint8_t *rounds; /* of each block */
};

static const uint8_t *content(uint64_t i, unsigned round)
{
	return noise(i * 1000 + round, noise_of(i, round));
}

static struct disk full_disk(enum zs_geometry geometry)
{
	struct disk d = { .z = device(geometry) };

	while (zram_pwrite(d.z, content(d.n, 0), BS, d.n * BS) == 0)
		d.n++;
	assert_int_equal(errno, ENOMEM);
	d.rounds = calloc(d.n, 1);
	assert_non_null(d.rounds);
	return d;
}

static void check_disk(const struct disk *d)
{
	for (uint64_t i = 0; i < d->n; i++) {
		assert_int_equal(zram_pread(d->z, r, BS, i * BS), 0);
		assert_memory_equal(r, content(i, d->rounds[i]), BS);
	}
	assert_true(held(d->z) <= LIMIT);
	assert_int_equal(zs_pool_validate(d->z->pool), 0);
}

static void none_failed(const char *what, uint64_t failed, uint64_t n)
{
	printf("%s: %llu of %llu fail\n", what, (unsigned long long)failed, (unsigned long long)n);
	assert_int_equal(failed, 0);
}

static void same_fewer_and_parts(void **state)
{
	(void)state;
	for (unsigned g = 0; g < 2; g++) {
		struct disk d = full_disk(g == 0 ? ZS_GEOMETRY_DENSE : ZS_GEOMETRY_LINUX);
		uint64_t failed = 0;

		for (uint64_t i = 0; i < d.n; i++)
			failed += zram_pwrite(d.z, content(i, 0), BS, i * BS) != 0;
		none_failed("the same bytes again", failed, d.n);
		for (uint64_t i = failed = 0; i < d.n; i++) {
			failed += zram_pwrite(d.z, content(i, 0) + 512, 512, i * BS + 512) != 0;
			failed += zram_pwrite(d.z, content(i, 0) + 100, 3, i * BS + 100) != 0;
		}
		none_failed("a part, the same bytes", failed, 2 * d.n);
		check_disk(&d);
		for (uint64_t i = failed = 0; i < d.n; i++) {
			failed += zram_zero(d.z, i * BS + 1024, 512) != 0;
			content(i, 0);
			memset(w + 1024, 0, 512);
			assert_int_equal(zram_pread(d.z, r, BS, i * BS), 0);
			assert_memory_equal(r, w, BS);
		}
		none_failed("zeros in a part", failed, d.n);
		for (uint64_t i = failed = 0; i < d.n; i++)
			failed += zram_pwrite(d.z, noise(i, 150), BS, i * BS) != 0;
		none_failed("fewer bytes", failed, d.n);
		/* And the memory of what they were before is there for others. */
		for (uint64_t i = failed = 0; i < d.n; i++)
			failed += zram_pwrite(d.z, noise(i, OBJECT), BS, (d.n + i) * BS) != 0;
		assert_true(failed < d.n / 2);
		assert_true(held(d.z) <= LIMIT);
		free(d.rounds);
		zram_destroy(d.z);
	}
}

/* Contents of other sizes, again and again, all together never more than at first. */
static void other_contents(void **state)
{
	(void)state;
	for (unsigned g = 0; g < 2; g++) {
		struct disk d = full_disk(g == 0 ? ZS_GEOMETRY_DENSE : ZS_GEOMETRY_LINUX);
		uint64_t failed = 0, n = 0, more = 0;

		for (unsigned round = 1; round <= 4; round++) {
			/* What is left may go to new blocks, but what is kept for those that are there does not. */
			while (zram_pwrite(d.z, noise(more, OBJECT), BS, (d.n + more) * BS) == 0)
				more++;
			/* Smaller and larger ones side by side: half of all blocks a round. */
			for (uint64_t i = round % 2; i < d.n; i += 2, n++) {
				int result = zram_pwrite(d.z, content(i, round), BS, i * BS);

				if (result == 0)
					d.rounds[i] = (uint8_t)round;
				failed += result != 0;
			}
			check_disk(&d);
		}
		none_failed("other contents", failed, n);
		free(d.rounds);
		zram_destroy(d.z);
	}
}

/* More than there is: some fail, and those are as they were; smaller contents go in at any time. */
static void too_much(void **state)
{
	struct disk d = full_disk(ZS_GEOMETRY_DENSE);
	uint64_t failed = 0;

	(void)state;
	for (uint64_t i = 0; i < d.n; i++) {
		if (zram_pwrite(d.z, noise(i, BS), BS, i * BS) == 0) {
			assert_int_equal(zram_pread(d.z, r, BS, i * BS), 0);
			assert_memory_equal(r, w, BS);
			continue;
		}
		failed++;
		assert_int_equal(errno, ENOMEM);
		assert_non_null(strstr(zram_strerror(), "mem_limit"));
		assert_int_equal(zram_pread(d.z, r, BS, i * BS), 0);
		assert_memory_equal(r, content(i, 0), BS);
	}
	assert_true(failed > d.n / 4);
	assert_true(held(d.z) <= LIMIT);
	for (uint64_t i = failed = 0; i < d.n; i++)
		failed += zram_pwrite(d.z, noise(i, 100), BS, i * BS) != 0;
	none_failed("fewer bytes with no reserve left", failed, d.n);
	free(d.rounds);
	zram_destroy(d.z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_in_the_table),
		cmocka_unit_test(same_fewer_and_parts),
		cmocka_unit_test(other_contents),
		cmocka_unit_test(too_much),
		cmocka_unit_test(room_for_the_table),
		cmocka_unit_test(room_for_much_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
