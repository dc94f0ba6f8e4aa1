/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_train_test.c - a device trains dictionaries on its own blocks, keeps the versions it needs, and drops the
 * others.
 */
#include <zsmalloc/zram.h>
#include "unit.h"

#include <check.h>
#include <eventually.h>
#include <rng.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "device/device.h"
#include "zram/stats.h"

#define BLOCKS 2048u /* 8 MiB */

/* Records that are alike across blocks, but hardly within one: what a dictionary is for. */
static void fill(uint8_t *block, uint64_t vocabulary, uint64_t seed)
{
	struct rng r = { seed };

	for (size_t at = 0; at < 4096; at += 64) {
		struct rng word = { vocabulary * 1000 + rng_below(&r, 300) };

		for (size_t i = 0; i < 64; i += 8) {
			uint64_t x = i == 0 ? rng_next(&r) : rng_next(&word);

			memcpy(block + at + i, &x, 8);
		}
	}
}

static struct zram *device(const char *algorithm, const char *recomp)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = (uint64_t)4 * BLOCKS * 4096;
	o.comp_algorithm = algorithm;
	o.recomp_algorithm[0] = recomp;
	o.flags = ZRAM_TRAIN_DICT | ZRAM_CHECKSUM;
	z = zram_create("train", &o);
	if (z == NULL)
		fail_msg("%s", zram_strerror());
	return z;
}

static struct zsi_stats stats(struct zram *z)
{
	struct zsi_stats s;

	zsi_stats_read(z, &s);
	return s;
}

static void write_blocks(struct zram *z, uint64_t first, uint64_t n, uint64_t vocabulary)
{
	uint8_t w[4096];

	for (uint64_t i = first; i < first + n; i++) {
		fill(w, vocabulary, i);
		if (zram_pwrite(z, w, 4096, i * 4096) != 0)
			fail_msg("%s", zram_strerror());
	}
}

static void check_blocks(struct zram *z, uint64_t first, uint64_t n, uint64_t vocabulary)
{
	uint8_t w[4096], r[4096];

	for (uint64_t i = first; i < first + n; i++) {
		fill(w, vocabulary, i);
		if (zram_pread(z, r, 4096, i * 4096) != 0)
			fail_msg("%s", zram_strerror());
		assert_memory_equal(w, r, 4096);
	}
}

/* Until the thread is through with what it has begun; it must have begun, where the caller knows that it has. */
static bool trained(struct zram *z, uint64_t times)
{
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	bool done = z->train.tried >= times;

	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return done && !atomic_load(&z->train.running);
}

static void wait_trained(struct zram *z, uint64_t times)
{
	EVENTUALLY(trained(z, times));
}

static void makes_blocks_smaller(void **state)
{
	static const char *const algorithms[] = { "lz4", "zstd", "lz4hc" };

	(void)state;
	for (unsigned a = 0; a < (CHECK_TSAN || CHECK_ASAN ? 1 : 3); a++) {
		struct zram *z = device(algorithms[a], NULL);
		struct zsi_stats before, after;

		write_blocks(z, 0, BLOCKS, 1);
		wait_trained(z, 1);
		before = stats(z);
		assert_int_equal(before.dictionaries, 1);
		assert_true(before.dictionary_bytes > 4096 && before.own_bytes > before.dictionary_bytes);
		/* New blocks use it, those that are there stay readable. */
		check_blocks(z, 0, BLOCKS, 1);
		write_blocks(z, 0, BLOCKS / 2, 1);
		after = stats(z);
		assert_true(after.dictionary_blocks >= BLOCKS / 2);
		assert_true(after.compr_data_size < before.compr_data_size * 95 / 100);
		check_blocks(z, 0, BLOCKS, 1);
		/* Parts of blocks too. */
		assert_int_equal(zram_pwrite(z, "changed", 7, 5 * 4096 + 1000), 0);
		assert_int_equal(zs_pool_validate(z->pool), 0);
		zram_destroy(z);
	}
}

/* Contents change, so another version comes; the old one lives until its last block is gone. */
static void versions(void **state)
{
	struct zram *z = device("lz4", "zstd");
	uint64_t own;

	(void)state;
	write_blocks(z, 0, BLOCKS, 1);
	wait_trained(z, 1);
	own = atomic_load(&z->memory.own) - stats(z).dictionary_bytes;
	write_blocks(z, 0, BLOCKS, 1);
	assert_int_equal(stats(z).dictionaries, 1);
	/* Four times as much, of another kind. */
	atomic_store(&z->train.next_stored, 0);
	write_blocks(z, BLOCKS, 3 * BLOCKS, 2);
	wait_trained(z, 2);
	assert_int_equal(stats(z).dictionaries, 2);
	check_blocks(z, 0, BLOCKS, 1);
	check_blocks(z, BLOCKS, 3 * BLOCKS, 2);
	write_blocks(z, BLOCKS, 3 * BLOCKS, 2);
	/* The first version's blocks go, and it with them; the current one stays. */
	assert_int_equal(zram_discard(z, 0, (uint64_t)BLOCKS * 4096), 0);
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	assert_int_equal(stats(z).dictionaries, 1);
	check_blocks(z, BLOCKS, 3 * BLOCKS, 2);
	assert_int_equal(zram_discard(z, 0, (uint64_t)4 * BLOCKS * 4096), 0);
	assert_int_equal(stats(z).dictionary_blocks, 0);
	assert_int_equal(stats(z).dictionaries, 1);
	assert_true(atomic_load(&z->memory.own) - stats(z).dictionary_bytes <= own);
	/* A reset ends all of it. */
	assert_int_equal(zram_attr_set(z, "reset", "1"), 0);
	assert_int_equal(stats(z).dictionaries, 0);
	zram_destroy(z);
}

/* What no dictionary helps gets none. */
static void no_gain_no_dictionary(void **state)
{
	struct zram *z = device("lz4", NULL);
	uint8_t w[4096];

	(void)state;
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct rng r = { i };

		memset(w, 0, sizeof(w));
		for (size_t k = 0; k < 2500; k++)
			w[k] = (uint8_t)rng_next(&r);
		assert_int_equal(zram_pwrite(z, w, 4096, i * 4096), 0);
	}
	wait_trained(z, 1);
	assert_int_equal(stats(z).dictionaries, 0);
	zram_destroy(z);
}

/* Reset and destroy in the middle of a training wait for its end, however far it has come. */
static void stopped_at_any_time(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct zram *z = device("lz4", NULL);

		write_blocks(z, 0, 1500, 1);
		usleep(i * 20000);
		if (i % 2 == 0)
			assert_int_equal(zram_attr_set(z, "reset", "1"), 0);
		zram_destroy(z);
	}
}

static void refused(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	(void)state;
	o.flags = ZRAM_TRAIN_DICT;
	o.disksize = 1 << 20;
	o.comp_algorithm = "lzo";
	assert_null(zram_create("train", &o));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "lzo takes no dictionary"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_blocks_smaller),
		cmocka_unit_test(versions),
		cmocka_unit_test(no_gain_no_dictionary),
		cmocka_unit_test(stopped_at_any_time),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
