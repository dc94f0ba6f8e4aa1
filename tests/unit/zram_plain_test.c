/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_plain_test.c - compressed_writeback=0: blocks are in the file as they are read, as the kernel writes them where
 * nothing else is said. And the attribute itself.
 */
#include "zram_backed.h"

#include <sys/mman.h>

static struct zram *plain(unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	char size[32];

	make_file(1 << 20);
	o.backing_dev = path;
	o.recomp_algorithm[0] = "zstd";
	o.flags = flags;
	struct zram *z = zram_create("plain", &o);

	assert_non_null(z);
	set(z, "compressed_writeback", "0");
	snprintf(size, sizeof(size), "%u", BLOCKS * BS);
	set(z, "disksize", size);
	shadow_fill(&shadow, z);
	return z;
}

static void reads(struct zram *z, const char *value)
{
	static const char *const names[] = { "compressed_writeback", "writeback_compressed" };
	char text[8];

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(zram_attr_get(z, names[i], text, sizeof(text)), 2);
		assert_string_equal(text, value);
	}
}

static void the_attribute(void **state)
{
	static const char *const off[] = { "0", "n", "NO", "off\n", " f", "false" };
	static const char *const on[] = { "1", "y", "Yes", "ON", "t", "true\n" };
	static const char *const bad[] = { "", "2", "o", "01", "1 0", "yess", "-1" };
	struct zram *z = zram_create("attribute", NULL);

	(void)state;
	assert_non_null(z);
	reads(z, "1\n");
	for (unsigned i = 0; i < 6; i++) {
		set(z, i % 2 == 0 ? "compressed_writeback" : "writeback_compressed", off[i]);
		reads(z, "0\n");
		set(z, "compressed_writeback", on[i]);
		reads(z, "1\n");
	}
	set(z, "compressed_writeback", "0");
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(z, "compressed_writeback", bad[i], EINVAL);
	/* Another file, or none, is no other setting. */
	set(z, "backing_dev", "none");
	reads(z, "0\n");
	set(z, "disksize", "64K");
	refused(z, "compressed_writeback", "1", EBUSY);
	refused(z, "writeback_compressed", "0", EBUSY);
	reads(z, "0\n");
	set(z, "reset", "1");
	reads(z, "1\n");
	zram_destroy(z);
}

static void blocks_are_in_the_file_as_they_are_read(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= ZRAM_CHECKSUM; flags += ZRAM_CHECKSUM) {
		struct zram *z = plain(flags);
		uint64_t bd[3];
		uint8_t buf[BS];

		/* Every form that a block can have in memory. */
		set(z, "recompress", "type=huge");
		set(z, "recompress", "max_pages=20");
		set(z, "writeback", "page_indexes=0-63");
		numbers(z, "bd_stat", bd, 3);
		assert_int_equal(bd[0], BLOCKS);
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		for (uint64_t i = 0; i < BLOCKS; i++) {
			struct zram_block_info info = ZRAM_BLOCK_INFO_INIT;

			assert_string_equal(state_of(z, i), ".w....");
			assert_int_equal(zram_get_block_info(z, i * BS, &info), 0);
			assert_int_equal(info.flags, ZRAM_BLOCK_USED | ZRAM_BLOCK_WB);
			assert_int_equal(info.stored_bytes, BS);
			assert_int_equal(pread(fd, buf, BS, (off_t)(zsi_block_at(z, i)->handle * 512)), BS);
			assert_memory_equal(buf, shadow.at[i], BS);
		}
		close(fd);
		check_map(z);
		shadow_compare(&shadow, z);
		/* Written again, in part, discarded: the place is free. */
		shadow_discard(&shadow, z, 9);
		memset(shadow.at[10], 'x', 100);
		shadow_write_part(&shadow, z, 10, 0, 100);
		shadow_write(&shadow, z, 11);
		check_map(z);
		assert_int_equal(count_in_file(z), BLOCKS - 3);
		shadow_compare(&shadow, z);
		done(z);
	}
}

/* Damage in memory is not written back as if it were right; damage in the file is found. */
static void damage(void **state)
{
	struct zram *z = plain(ZRAM_CHECKSUM);
	uint8_t buf[BS];

	(void)state;
	z->table.sums[5] ^= 1;
	refused(z, "writeback", "page_indexes=0-63", EIO);
	assert_non_null(strstr(zram_strerror(), "block 5 "));
	z->table.sums[5] ^= 1;
	assert_int_equal(count_in_file(z), BLOCKS - 1);
	assert_false(in_file(z, 5));
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "damage", 6, (off_t)(zsi_block_at(z, 30)->handle * 512 + 4000)), 6);
	close(fd);
	assert_int_equal(zram_pread(z, buf, BS, 30 * BS), -1);
	assert_int_equal(errno, EIO);
	shadow_write(&shadow, z, 30);
	shadow_compare(&shadow, z);
	done(z);
}

/* A saved device is no larger for it, and what is damaged stays so. */
static void saved_and_loaded(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= ZRAM_CHECKSUM; flags += ZRAM_CHECKSUM) {
		struct zram *z = plain(flags);
		int fd = memfd_create("saved", MFD_CLOEXEC);
		uint64_t before[9], after[9];
		uint8_t buf[BS];

		assert_true(fd >= 0);
		numbers(z, "mm_stat", before, 9);
		set(z, "writeback", "page_indexes=0-63");
		if (flags != 0)
			z->table.sums[20] ^= 1;
		assert_int_equal(zram_save(z, fd), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		struct zram *l = zram_load(fd, NULL);

		assert_non_null(l);
		if (flags != 0) {
			assert_int_equal(zram_pread(l, buf, BS, 20 * BS), -1);
			assert_int_equal(errno, EIO);
			shadow_write(&shadow, l, 20);
			z->table.sums[20] ^= 1;
		}
		shadow_compare(&shadow, l);
		shadow_compare(&shadow, z);
		numbers(l, "mm_stat", after, 9);
		assert_int_equal(after[1], before[1]);
		zram_destroy(l);
		close(fd);
		done(z);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_attribute),
		cmocka_unit_test(blocks_are_in_the_file_as_they_are_read),
		cmocka_unit_test(damage),
		cmocka_unit_test(saved_and_loaded),
	};

	return cmocka_run_group_tests(tests, name_file, NULL);
}
