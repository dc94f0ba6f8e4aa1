/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_io_test.c - reading, writing, discarding, zeroing, extents: what is refused, what counts, what is left alone. */
#include "unit.h"

#include <rng.h>
#include <zsmalloc/zram.h>

#include "device/device.h"
#include "device/entry.h"
#include "device/same.h"

#define BLOCKS 64u
#define DISKSIZE (BLOCKS * 4096ull)

static struct zram *device(size_t block_size, unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = BLOCKS * block_size;
	o.block_size = block_size;
	o.flags = flags;
	z = zram_create("io", &o);
	assert_non_null(z);
	return z;
}

static void mm_stat(struct zram *z, uint64_t n[9])
{
	char text[256], *at = text;

	assert_true(zram_attr_get(z, "mm_stat", text, sizeof(text)) > 0);
	for (unsigned i = 0; i < 9; i++)
		n[i] = strtoull(at, &at, 10);
	assert_string_equal(at, "\n");
}

static void fill_random(void *buf, size_t len, uint64_t seed)
{
	struct rng r = { seed };

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (uint8_t)rng_next(&r);
}

static void ranges(void **state)
{
	struct zram *z = device(4096, 0);
	uint8_t buf[16] = { 0 };

	(void)state;
	const struct {
		uint64_t offset;
		size_t len;
		int result;
	} cases[] = {
		{ 0, 0, 0 },
		{ DISKSIZE, 0, 0 },
		{ DISKSIZE - 16, 16, 0 },
		{ DISKSIZE - 15, 16, -1 },
		{ DISKSIZE + 1, 0, -1 },
		{ UINT64_MAX, 16, -1 },
		{ UINT64_MAX - 15, 16, -1 },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t at = cases[i].offset;
		size_t len = cases[i].len;
		int result = cases[i].result;

		errno = 0;
		assert_int_equal(zram_pread(z, buf, len, at), result);
		assert_int_equal(zram_pwrite(z, buf, len, at), result);
		assert_int_equal(zram_discard(z, at, len), result);
		assert_int_equal(zram_zero(z, at, len), result);
		assert_int_equal(errno, result == 0 ? 0 : EINVAL);
	}
	assert_non_null(strstr(zram_strerror(), "end behind"));
	assert_int_equal(zram_discard(z, 0, UINT64_MAX), -1);
	assert_int_equal(zram_flush(z), 0);
	zram_destroy(z);
}

static void not_initialised(void **state)
{
	struct zram *z = zram_create(NULL, NULL);
	uint8_t byte;

	(void)state;
	assert_non_null(z);
	assert_int_equal(zram_disksize(z), 0);
	assert_null(zram_get_pool(z));
	assert_int_equal(zram_pread(z, &byte, 1, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "not initialised"));
	assert_int_equal(zram_pwrite(z, &byte, 1, 0), -1);
	assert_int_equal(zram_discard(z, 0, 4096), -1);
	assert_int_equal(zram_zero(z, 0, 4096), -1);
	assert_int_equal(zram_flush(z), -1);
	zram_destroy(z);
}

/* What each kind of block counts as, with every block size. */
static void kinds(void **state)
{
	(void)state;
	for (size_t bs = 4096; bs <= 65536; bs *= 2) {
		struct zram *z = device(bs, ZRAM_CHECKSUM);
		uint8_t *w = malloc(bs), *r = malloc(bs);
		uint64_t n[9];

		assert_true(w != NULL && r != NULL);
		memset(w, 0, bs);
		assert_int_equal(zram_pwrite(z, w, bs, 0), 0); /* zeros */
		zsi_same_fill(w, bs, 0x1122334455667788);
		assert_int_equal(zram_pwrite(z, w, bs, bs), 0); /* another word */
		assert_int_equal(zram_pread(z, r, bs, bs), 0);
		assert_memory_equal(w, r, bs);
		fill_random(w, bs, bs);
		assert_int_equal(zram_pwrite(z, w, bs, 2 * bs), 0); /* huge */
		assert_int_equal(zram_pread(z, r, bs, 2 * bs), 0);
		assert_memory_equal(w, r, bs);
		mm_stat(z, n);
		assert_int_equal(n[0], 3 * bs);
		assert_int_equal(n[1], bs);
		assert_int_equal(n[5], 2);
		assert_int_equal(n[7], 1);
		assert_int_equal(n[8], 1);
		memset(w + 100, 0, bs - 100);
		assert_int_equal(zram_pwrite(z, w, bs, 2 * bs), 0); /* compressible */
		assert_int_equal(zram_pread(z, r, bs, 2 * bs), 0);
		assert_memory_equal(w, r, bs);
		mm_stat(z, n);
		assert_true(n[1] > 100 && n[1] < 400);
		assert_int_equal(n[7], 0);
		assert_int_equal(n[8], 1);
		assert_int_equal(zram_discard(z, 0, 3 * bs), 0);
		mm_stat(z, n);
		assert_true(n[0] == 0 && n[1] == 0 && n[2] == 0 && n[5] == 0 && n[8] == 1);
		free(w);
		free(r);
		zram_destroy(z);
	}
}

/* Discard leaves parts of blocks alone, zero writes them; neither stores anything for what is a hole. */
static void parts(void **state)
{
	struct zram *z = device(4096, 0);
	uint8_t w[3 * 4096], r[3 * 4096];
	uint64_t n[9];

	(void)state;
	fill_random(w, sizeof(w), 1);
	assert_int_equal(zram_pwrite(z, w, sizeof(w), 0), 0);
	assert_int_equal(zram_discard(z, 1, sizeof(w) - 2), 0);
	memset(w + 4096, 0, 4096);
	assert_int_equal(zram_pread(z, r, sizeof(r), 0), 0);
	assert_memory_equal(w, r, sizeof(w));
	assert_int_equal(zram_discard(z, 100, 200), 0);
	assert_int_equal(zram_discard(z, 4000, 200), 0);
	assert_int_equal(zram_pread(z, r, sizeof(r), 0), 0);
	assert_memory_equal(w, r, sizeof(w));
	assert_int_equal(zram_zero(z, 100, 200), 0);
	memset(w + 100, 0, 200);
	assert_int_equal(zram_zero(z, 4000, 8192 - 4000 + 100), 0);
	memset(w + 4000, 0, 8192 - 4000 + 100);
	assert_int_equal(zram_pread(z, r, sizeof(r), 0), 0);
	assert_memory_equal(w, r, sizeof(w));
	mm_stat(z, n);
	assert_int_equal(n[0], 2 * 4096);
	assert_int_equal(zram_zero(z, 10 * 4096 + 5, 7), 0);
	mm_stat(z, n);
	assert_int_equal(n[0], 2 * 4096);
	zram_destroy(z);
}

struct run {
	uint64_t offset, len;
	unsigned flags;
};

struct runs {
	struct run run[BLOCKS];
	unsigned n, stop_at;
};

static int add_run(uint64_t offset, uint64_t len, unsigned flags, void *arg)
{
	struct runs *runs = arg;

	assert_true(runs->n < BLOCKS && len > 0);
	runs->run[runs->n++] = (struct run){ offset, len, flags };
	return runs->n == runs->stop_at ? 77 : 0;
}

static void extents(void **state)
{
	struct zram *z = device(4096, 0);
	struct runs runs = { .n = 0 };
	const unsigned hole = ZRAM_EXTENT_HOLE | ZRAM_EXTENT_ZERO;
	uint8_t zeros[4096] = { 0 };

	(void)state;
	assert_int_equal(zram_extents(z, 0, DISKSIZE, add_run, &runs), 0);
	assert_int_equal(runs.n, 1);
	assert_true(runs.run[0].offset == 0 && runs.run[0].len == DISKSIZE && runs.run[0].flags == hole);
	assert_int_equal(zram_pwrite(z, "x", 1, 2 * 4096), 0);
	assert_int_equal(zram_pwrite(z, "x", 1, 3 * 4096), 0);
	assert_int_equal(zram_pwrite(z, zeros, 4096, 4 * 4096), 0);
	assert_int_equal(zram_pwrite(z, "x", 1, 6 * 4096), 0);
	assert_int_equal(zram_discard(z, 6 * 4096, 4096), 0);
	runs.n = 0;
	assert_int_equal(zram_extents(z, 100, DISKSIZE - 200, add_run, &runs), 0);
	const struct run want[] = { { 100, 2 * 4096 - 100, hole },
				    { 2 * 4096, 2 * 4096, 0 },
				    { 4 * 4096, 4096, ZRAM_EXTENT_ZERO },
				    { 5 * 4096, DISKSIZE - 100 - 5 * 4096, hole } };

	assert_int_equal(runs.n, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_true(runs.run[i].offset == want[i].offset && runs.run[i].len == want[i].len &&
			    runs.run[i].flags == want[i].flags);
	runs = (struct runs){ .stop_at = 2 };
	assert_int_equal(zram_extents(z, 0, DISKSIZE, add_run, &runs), 77);
	assert_int_equal(runs.n, 2);
	runs.n = 0;
	assert_int_equal(zram_extents(z, 0, DISKSIZE + 1, add_run, &runs), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(zram_extents(z, 5000, 0, add_run, &runs), 0);
	assert_int_equal(runs.n, 0);
	zram_destroy(z);
}

/* A changed byte of a stored block is noticed, whatever kind of block it is, and only that block is lost. */
static void checksums(void **state)
{
	struct zram *z = device(4096, ZRAM_CHECKSUM);
	uint8_t w[4096], r[4096];
	char text[256];

	(void)state;
	fill_random(w, sizeof(w), 3);
	assert_int_equal(zram_pwrite(z, w, 4096, 0), 0);
	memset(w + 200, 0, 3000);
	assert_int_equal(zram_pwrite(z, w, 4096, 4096), 0);
	assert_int_equal(zram_pwrite(z, w, 4096, 2 * 4096), 0);
	for (unsigned i = 0; i < 2; i++) {
		zs_handle h = zsi_block_at(z, i)->handle;
		uint8_t *mem = zs_map_object(z->pool, h, ZS_MM_RW);

		assert_non_null(mem);
		mem[50] ^= 1;
		zs_unmap_object(z->pool, h);
	}
	zsi_same_fill(r, sizeof(r), 5);
	assert_int_equal(zram_pwrite(z, r, 4096, 3 * 4096), 0);
	zsi_block_at(z, 3)->handle = 6;
	for (unsigned i = 0; i < 4; i++) {
		errno = 0;
		assert_int_equal(zram_pread(z, r, 4096, i * 4096ull), i == 2 ? 0 : -1);
		if (i == 2) {
			assert_memory_equal(w, r, sizeof(w));
			continue;
		}
		assert_int_equal(errno, EIO);
		snprintf(text, sizeof(text), "block %u is damaged", i);
		assert_non_null(strstr(zram_strerror(), text));
	}
	assert_true(zram_attr_get(z, "io_stat", text, sizeof(text)) > 0);
	assert_int_equal(strtoull(text, NULL, 10), 3);
	/* A part of a damaged block can't be written, all of it can. */
	assert_int_equal(zram_pwrite(z, "x", 1, 0), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(zram_pwrite(z, w, 4096, 0), 0);
	assert_int_equal(zram_pread(z, r, 4096, 0), 0);
	assert_memory_equal(w, r, sizeof(w));
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges), cmocka_unit_test(not_initialised), cmocka_unit_test(kinds),
		cmocka_unit_test(parts),  cmocka_unit_test(extents),         cmocka_unit_test(checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
