/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * neighbours_test.c - giving memory back destroys nothing beside it: objects of a small pool, and blocks of a device,
 * while most of what lies between them comes and goes. It is the runs under large_pages.c that it is for: with pages
 * larger than the pool's, thousands of objects were wrong.
 */
#include "unit.h"

#include <pattern.h>
#include <rng.h>
#include <system_page.h>
#include <zsmalloc/zram.h>
#include <zsmalloc/zsmalloc.h>

#define OBJECTS 6000u
#define ROUNDS 6u
#define BLOCKS 3000u
#define BLOCK 4096u

static zs_handle handle[OBJECTS];
static uint32_t size[OBJECTS], version[OBJECTS];

static void put(struct zs_pool *pool, unsigned i, struct rng *r)
{
	uint8_t buf[BLOCK];

	size[i] = (uint32_t)rng_range(r, 1, BLOCK);
	version[i]++;
	handle[i] = zs_malloc(pool, size[i], 0);
	assert_int_not_equal(handle[i], 0);
	pattern_fill(buf, size[i], i, version[i], 0);
	assert_int_equal(zs_obj_write(pool, handle[i], buf, size[i]), 0);
}

static unsigned wrong_objects(struct zs_pool *pool)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < OBJECTS; i++) {
		if (handle[i] == 0)
			continue;
		const void *mem = zs_obj_read_begin(pool, handle[i], NULL);

		wrong += pattern_match(mem, size[i], i, version[i], 0) != size[i];
		zs_obj_read_end(pool, handle[i], mem);
	}
	return wrong;
}

static void objects_stay(enum zs_geometry geometry, unsigned flags)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;
	struct rng r = { 5 };

	o.geometry = geometry;
	o.flags = flags;
	struct zs_pool *pool = zs_create_pool_with("neighbours", &o);

	assert_non_null(pool);
	memset(handle, 0, sizeof(handle));
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < OBJECTS; i++)
			if (handle[i] == 0)
				put(pool, i, &r);
		for (unsigned i = 0; i < OBJECTS; i++) {
			if (rng_one_in(&r, 5))
				continue;
			zs_free(pool, handle[i]);
			handle[i] = 0;
		}
		assert_int_equal(wrong_objects(pool), 0);
		(void)zs_compact(pool);
		assert_int_equal(wrong_objects(pool), 0);
		assert_int_equal(zs_pool_validate(pool), 0);
	}
	/* All of it goes back: what is left is metadata. */
	for (unsigned i = 0; i < OBJECTS; i++)
		zs_free(pool, handle[i]);
	(void)zs_compact(pool);
	zs_pool_stats(pool, &s);
	assert_int_equal(s.bytes_total, s.bytes_metadata);
	assert_int_equal(s.pages_used, 0);
	zs_destroy_pool(pool);
}

static void objects_of_a_small_pool(void **state)
{
	(void)state;
	objects_stay(ZS_GEOMETRY_DENSE, 0);
	objects_stay(ZS_GEOMETRY_DENSE, ZS_POOL_NO_THREAD_CACHE);
}

static void objects_of_the_kernels_geometry(void **state)
{
	(void)state;
	objects_stay(ZS_GEOMETRY_LINUX, 0);
}

/* Somewhat compressible, and all different. */
static void make_block(uint8_t *to, uint64_t index, uint64_t round)
{
	size_t random = 200 + index * 7919 % 3500;

	pattern_fill(to, random, index, round, 0);
	memset(to + random, (int)(index % 251), BLOCK - random);
}

static void blocks_of_a_device(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	static uint64_t round_of[BLOCKS];
	struct rng r = { 9 };
	uint8_t w[BLOCK], back[BLOCK];

	(void)state;
	memset(round_of, 0, sizeof(round_of));
	/* Far apart too, so that the table's chunks come and go. */
	const uint64_t stride = 64;

	o.disksize = BLOCKS * stride * BLOCK;
	o.flags = ZRAM_CHECKSUM;
	struct zram *z = zram_create("neighbours", &o);

	assert_non_null(z);
	for (uint64_t round = 1; round <= ROUNDS; round++) {
		for (uint64_t i = 0; i < BLOCKS; i++) {
			make_block(w, i, round);
			assert_int_equal(zram_pwrite(z, w, BLOCK, i * stride * BLOCK), 0);
			round_of[i] = round;
		}
		for (uint64_t i = 0; i < BLOCKS; i++) {
			if (rng_one_in(&r, 5))
				continue;
			assert_int_equal(zram_discard(z, i * stride * BLOCK, BLOCK), 0);
			round_of[i] = 0;
		}
		assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
		for (uint64_t i = 0; i < BLOCKS; i++) {
			memset(w, 0, BLOCK);
			if (round_of[i] != 0)
				make_block(w, i, round_of[i]);
			assert_int_equal(zram_pread(z, back, BLOCK, i * stride * BLOCK), 0);
			assert_memory_equal(back, w, BLOCK);
		}
	}
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_of_a_small_pool),
		cmocka_unit_test(objects_of_the_kernels_geometry),
		cmocka_unit_test(blocks_of_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
