/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_memory_test.c - mem_limit: never exceeded, and what is stored stays readable at the limit. */
#include "unit.h"

#include <pthread.h>
#include <rng.h>

#include "device/device.h"

#define LIMIT (2u << 20)

static uint64_t held(struct zram *z)
{
	return zs_get_total_bytes(z->pool) + atomic_load(&z->memory.own);
}

static void fill(uint8_t *block, uint64_t seed)
{
	struct rng r = { seed };

	memset(block, 0, 4096);
	for (size_t i = 0; i < 2000; i++)
		block[i] = (uint8_t)rng_next(&r);
}

static struct zram *limited(uint64_t limit, enum zs_geometry geometry)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.disksize = 1 << 30;
	o.mem_limit = limit;
	o.pool.geometry = geometry;
	return zram_create("limited", &o);
}

static void at_the_limit(void **state)
{
	(void)state;
	for (int g = 0; g < 2; g++) {
		struct zram *z = limited(LIMIT, g == 0 ? ZS_GEOMETRY_DENSE : ZS_GEOMETRY_LINUX);
		uint8_t w[4096], r[4096];
		uint64_t stored = 0;

		assert_non_null(z);
		for (;; stored++) {
			fill(w, stored);
			if (zram_pwrite(z, w, 4096, stored * 4096) != 0)
				break;
			assert_true(held(z) <= LIMIT);
		}
		assert_int_equal(errno, ENOMEM);
		assert_non_null(strstr(zram_strerror(), "mem_limit"));
		/* Most of the limit was used for data of 2000 bytes. */
		assert_true(stored * 2000 > LIMIT * 3 / 4);
		/* Overwriting fails or not; what is there afterwards is one of the two. Parts as well. */
		for (uint64_t i = 0; i < stored; i++) {
			uint8_t old[4096];

			fill(old, i);
			fill(w, i + 1000000);
			int done = zram_pwrite(z, w, i % 2 == 0 ? 4096 : 1500, i * 4096);

			if (i % 2 != 0)
				memcpy(w + 1500, old + 1500, 4096 - 1500);
			assert_int_equal(zram_pread(z, r, 4096, i * 4096), 0);
			assert_memory_equal(r, done == 0 ? w : old, 4096);
			assert_true(held(z) <= LIMIT);
		}
		assert_int_equal(zs_pool_validate(z->pool), 0);
		/* A higher limit, and none. */
		assert_int_equal(zram_attr_set(z, "mem_limit", "4M"), 0);
		assert_int_equal(zram_pwrite(z, w, 4096, stored * 4096), 0);
		assert_int_equal(zram_attr_set(z, "mem_limit", "0"), 0);
		for (uint64_t i = 0; i < 4000; i++) {
			fill(w, i);
			assert_int_equal(zram_pwrite(z, w, 4096, i * 4096), 0);
		}
		/* Below what is held: nothing is lost, nothing more is taken until enough was discarded. */
		assert_int_equal(zram_attr_set(z, "mem_limit", "2M"), 0);
		assert_int_equal(zram_pwrite(z, w, 4096, 5000 * 4096), -1);
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(zram_pread(z, r, 4096, 3999 * 4096), 0);
		assert_memory_equal(r, w, 4096);
		assert_int_equal(zram_discard(z, 0, 3900 * 4096), 0);
		assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
		assert_int_equal(zram_pwrite(z, w, 4096, 0), 0);
		zram_destroy(z);
	}
}

/* Zeros need no object, but the table is memory too. */
static void the_table_counts(void **state)
{
	struct zram *z = limited(LIMIT, ZS_GEOMETRY_DENSE);
	uint8_t zeros[4096] = { 0 };
	uint64_t i = 0;

	(void)state;
	assert_non_null(z);
	while (i < 262144 && zram_pwrite(z, zeros, 4096, i * 4096) == 0)
		i++;
	assert_true(i < LIMIT / 16);
	assert_int_equal(errno, ENOMEM);
	assert_true(held(z) <= LIMIT && held(z) > LIMIT - 8192);
	assert_int_equal(zram_discard(z, 0, 1 << 30), 0);
	assert_int_equal(zram_pwrite(z, zeros, 4096, i * 4096), 0);
	zram_destroy(z);
}

static void too_small(void **state)
{
	(void)state;
	assert_null(limited(1, ZS_GEOMETRY_DENSE));
	assert_non_null(strstr(zram_strerror(), "limited: mem_limit"));
	errno = 0;
	assert_null(limited(4096, ZS_GEOMETRY_DENSE));
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(zram_strerror(), "limited: "));
	assert_null(limited(40960, ZS_GEOMETRY_DENSE));
	assert_int_equal(errno, ENOMEM);
}

static void *read_all(void *arg)
{
	struct zram *z = arg;
	uint8_t r[4096];

	for (uint64_t i = 0; i < 100; i++)
		if (zram_pread(z, r, 4096, i * 4096) != 0)
			return z;
	return NULL;
}

/* Threads that come when there is no memory for their buffers share those of others: reading never fails for that. */
static void readers_at_the_limit(void **state)
{
	struct zram *z = limited(LIMIT, ZS_GEOMETRY_DENSE);
	uint8_t w[4096];
	pthread_t threads[8];
	uint64_t i = 0;

	(void)state;
	assert_non_null(z);
	do
		fill(w, i);
	while (zram_pwrite(z, w, 4096, i++ * 4096) == 0);
	for (unsigned t = 0; t < 8; t++)
		assert_int_equal(pthread_create(&threads[t], NULL, read_all, z), 0);
	for (unsigned t = 0; t < 8; t++) {
		void *result;

		assert_int_equal(pthread_join(threads[t], &result), 0);
		assert_null(result);
	}
	assert_true(held(z) <= LIMIT);
	zram_destroy(z);
}

static void most_used(void **state)
{
	struct zram *z = limited(0, ZS_GEOMETRY_LINUX);
	uint8_t w[4096];
	char text[64];
	uint64_t max;

	(void)state;
	assert_non_null(z);
	for (uint64_t i = 0; i < 100; i++) {
		fill(w, i);
		assert_int_equal(zram_pwrite(z, w, 4096, i * 4096), 0);
	}
	assert_true(zram_attr_get(z, "mem_used_max", text, sizeof(text)) > 0);
	max = strtoull(text, NULL, 10);
	assert_true(max >= 100 * 2000);
	assert_int_equal(zram_discard(z, 0, 1 << 30), 0);
	assert_int_equal(zram_attr_set(z, "mem_used_max", "1"), -1);
	assert_int_equal(errno, EINVAL);
	assert_true(zram_attr_get(z, "mem_used_max", text, sizeof(text)) > 0);
	assert_int_equal(strtoull(text, NULL, 10), max);
	assert_int_equal(zram_attr_set(z, "mem_used_max", "0\n"), 0);
	assert_true(zram_attr_get(z, "mem_used_max", text, sizeof(text)) > 0);
	assert_string_equal(text, "0\n");
	zram_destroy(z);
}

/* The charges of everything that was taken are given back. */
static void adds_up(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z = zram_create("sums", &o);
	uint64_t empty;

	(void)state;
	assert_non_null(z);
	empty = atomic_load(&z->memory.own);
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(zram_attr_set(z, "recomp_algorithm", "algo=zstd priority=2"), 0);
		assert_int_equal(zram_attr_set(z, "disksize", "1G"), 0);
		for (uint64_t i = 0; i < 1000; i++)
			assert_int_equal(zram_pwrite(z, &i, sizeof(i), i * 1000000), 0);
		assert_true(atomic_load(&z->memory.own) > empty + 200000);
		assert_int_equal(zram_attr_set(z, "reset", "1"), 0);
		assert_int_equal(atomic_load(&z->memory.own), empty);
	}
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_limit),         cmocka_unit_test(the_table_counts), cmocka_unit_test(too_small),
		cmocka_unit_test(readers_at_the_limit), cmocka_unit_test(most_used),        cmocka_unit_test(adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
