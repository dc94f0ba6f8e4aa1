/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_info_test.c - what zram_get_block_info() says of blocks of every kind, and that asking changes nothing. */
#include "zram_blocks.h"

#include <unistd.h>

#include <rng.h>

#define BS 8192u
#define BLOCKS 4000u

static char path[] = "/tmp/zram-info-XXXXXX";

static struct zram *device(void)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	int fd = mkstemp(path);

	assert_true(fd >= 0 && ftruncate(fd, 1 << 20) == 0);
	close(fd);
	o.disksize = (uint64_t)BLOCKS * BS;
	o.block_size = BS;
	o.recomp_algorithm[1] = "zstd";
	o.backing_dev = path;
	struct zram *z = zram_create("info", &o);

	assert_non_null(z);
	return z;
}

static struct zram_block_info info_of(struct zram *z, uint64_t offset)
{
	struct zram_block_info i = ZRAM_BLOCK_INFO_INIT;

	if (zram_get_block_info(z, offset, &i) != 0)
		fail_msg("%s", zram_strerror());
	assert_int_equal(i.struct_size, sizeof(i));
	return i;
}

/* The first `noise` bytes of a block don't shrink. */
static void write_block(struct zram *z, uint64_t index, size_t noise)
{
	static uint8_t block[BS];
	struct rng r = { index + 1 };

	for (size_t k = 0; k < BS; k++)
		block[k] = k < noise ? (uint8_t)rng_next(&r) : (uint8_t)index;
	assert_int_equal(zram_pwrite(z, block, BS, index * BS), 0);
}

static void every_kind(void **state)
{
	struct zram *z = device();
	uint64_t word = 0x1122334455667788, words[BS / 8], mm[9];

	(void)state;
	for (size_t k = 0; k < BS / 8; k++)
		words[k] = word;
	assert_int_equal(zram_pwrite(z, words, BS, 0), 0);
	write_block(z, 1, BS);
	write_block(z, 2, 1000);
	write_block(z, 3, 0);

	struct zram_block_info i = info_of(z, 8);

	assert_int_equal(i.flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_SAME);
	assert_true(i.word == word && i.stored_bytes == 0);
	i = info_of(z, BS + BS - 1);
	assert_int_equal(i.flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_HUGE);
	assert_int_equal(i.stored_bytes, BS);
	i = info_of(z, 2 * BS);
	assert_int_equal(i.flags, ZRAM_BLOCK_USED);
	assert_in_range(i.stored_bytes, 1000, 1200);
	numbers(z, "mm_stat", mm, 9);
	assert_int_equal(mm[1], BS + i.stored_bytes);
	assert_int_equal(info_of(z, 3 * BS).flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_SAME);
	assert_int_equal(info_of(z, 3 * BS).word, 0x0303030303030303);
	/* Unused, where the table is and where it is not. */
	i = info_of(z, 4 * BS);
	assert_true(i.flags == 0 && i.stored_bytes == 0 && i.word == 0 && i.priority == 0);
	assert_int_equal(info_of(z, (uint64_t)BLOCKS * BS - 1).flags, 0);

	/* Asking is no access. */
	set(z, "idle", "all");
	assert_int_equal(info_of(z, 2 * BS).flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_IDLE);
	assert_int_equal(info_of(z, 2 * BS).flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_IDLE);
	set(z, "recompress", "type=idle chain=1");
	assert_int_equal(info_of(z, BS).flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_HUGE | ZRAM_BLOCK_INCOMPRESSIBLE);
	write_block(z, 5, 1000);
	for (size_t k = 0; k < BS / 8; k++)
		words[k] = k % 300 * 0x9e3779b97f4a7c15;
	assert_int_equal(zram_pwrite(z, words, BS, 6 * BS), 0);
	size_t before = info_of(z, 6 * BS).stored_bytes;

	set(z, "recompress", "priority=2");
	i = info_of(z, 6 * BS);
	assert_true(i.priority == 2 && i.stored_bytes < before);
	set(z, "writeback", "page_index=5");
	i = info_of(z, 5 * BS);
	assert_int_equal(i.flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_WB);
	assert_in_range(i.stored_bytes, 1000, 1200);
	assert_int_equal(zram_discard(z, 5 * BS, BS), 0);
	assert_int_equal(info_of(z, 5 * BS).flags, 0);
	zram_destroy(z);
	assert_int_equal(unlink(path), 0);
}

/* What a write would store is what it then stores; asking changes nothing. */
static void previews_with(const char *algorithm, uint8_t blocks[4][4096])
{
	static uint8_t before[4096];
	struct zram_options o = ZRAM_OPTIONS_INIT;
	char stats[2][256];

	o.disksize = sizeof(before);
	o.comp_algorithm = algorithm;
	o.pool.geometry = ZS_GEOMETRY_LINUX;
	struct zram *z = zram_create("preview", &o);

	assert_non_null(z);
	for (unsigned b = 0; b < 4; b++) {
		struct zram_block_info would = ZRAM_BLOCK_INFO_INIT, is;

		assert_true(zram_attr_get(z, "mm_stat", stats[0], 256) > 0);
		assert_int_equal(zram_preview(z, blocks[b], &would), 0);
		assert_true(zram_attr_get(z, "mm_stat", stats[1], 256) > 0);
		assert_string_equal(stats[0], stats[1]);
		assert_int_equal(zram_pread(z, before, sizeof(before), 0), 0);
		assert_memory_equal(before, blocks[b == 0 ? 0 : b - 1], sizeof(before));
		assert_int_equal(zram_pwrite(z, blocks[b], sizeof(before), 0), 0);
		is = info_of(z, 0);
		assert_memory_equal(&would, &is, sizeof(is));
	}
	zram_destroy(z);
}

static void previews(void **state)
{
	static const char *const algorithms[] = { "lzo-rle", "lz4", "zstd" };
	static uint8_t blocks[4][4096];
	struct rng r = { 7 };

	(void)state;
	for (size_t k = 0; k < sizeof(blocks[0]); k++) {
		blocks[1][k] = (uint8_t)(k % 700 * 31 >> 3);
		blocks[2][k] = (uint8_t)rng_next(&r);
		blocks[3][k] = 0xc3;
	}
	for (unsigned a = 0; a < 3; a++)
		previews_with(algorithms[a], blocks);
}

static void bad_preview(void **state)
{
	static const uint8_t block[4096];
	struct zram *z = zram_create("none", NULL);
	struct zram_block_info i = ZRAM_BLOCK_INFO_INIT;

	(void)state;
	assert_non_null(z);
	assert_int_equal(zram_preview(z, block, &i), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "disksize"));
	set(z, "disksize", "1M");
	i.struct_size = 4;
	assert_int_equal(zram_preview(z, block, &i), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "ZRAM_BLOCK_INFO_INIT"));
	zram_destroy(z);
}

static void bad_input(void **state)
{
	struct zram *z = zram_create("none", NULL);
	struct zram_block_info i = ZRAM_BLOCK_INFO_INIT;

	(void)state;
	assert_non_null(z);
	assert_int_equal(zram_get_block_info(z, 0, &i), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "disksize"));
	set(z, "disksize", "1M");
	assert_int_equal(zram_get_block_info(z, (1 << 20) - 1, &i), 0);
	i.flags = 77;
	assert_int_equal(zram_get_block_info(z, 1 << 20, &i), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "1048576"));
	assert_int_equal(zram_get_block_info(z, UINT64_MAX, &i), -1);
	i.struct_size = 4;
	assert_int_equal(zram_get_block_info(z, 0, &i), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(zram_strerror(), "ZRAM_BLOCK_INFO_INIT"));
	assert_int_equal(i.flags, 77);
	zram_destroy(z);
}

/* One of an older header gets what it knows, and no byte more. */
static void older_caller(void **state)
{
	struct zram *z = zram_create("old", NULL);
	struct zram_block_info i = ZRAM_BLOCK_INFO_INIT;

	(void)state;
	assert_non_null(z);
	set(z, "disksize", "1M");
	write_block(z, 0, BS);
	i.struct_size = offsetof(struct zram_block_info, stored_bytes);
	i.stored_bytes = 12345;
	assert_int_equal(zram_get_block_info(z, 0, &i), 0);
	assert_int_equal(i.flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_HUGE);
	assert_int_equal(i.stored_bytes, 12345);
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(previews),
		cmocka_unit_test(bad_preview),
		cmocka_unit_test(bad_input),
		cmocka_unit_test(older_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
