/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_evict_test.c - evict=1: a device at its limit takes more than its memory holds; the oldest blocks go to the
 * file. Where there is no file, or it takes no more, a write fails as it does without, and nothing is lost.
 */
#include "zram_evicting.h"

/* --- more than fits --- */

static void more_than_fits(void **state)
{
	static const struct made ways[] = {
		{ .file = 32 << 20 },
		{ .file = 32 << 20, .late = true, .flags = ZRAM_CHECKSUM },
		{ .file = 32 << 20, .plain = true, .flags = ZRAM_CHECKSUM },
		{ .file = 32 << 20, .geometry = ZS_GEOMETRY_LINUX },
		{ .file = 32 << 20, .block_size = 65536, .flags = ZRAM_CHECKSUM },
		{ .file = 32 << 20, .block_size = 65536, .plain = true },
	};

	(void)state;
	for (unsigned w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
		struct zram *z = device(&ways[w]);
		struct rng r = { w };
		uint64_t io[4], bd[3];

		nothing_before();
		assert_int_equal(fill(z), BLOCKS);
		numbers(z, "bd_stat", bd, 1);
		assert_in_range(bd[0], 1000, 8192);
		shadow_compare(&shadow, z);
		/* Again, in part, discarded, zeroed: at the limit all the time, most of it in the file. */
		for (unsigned n = 0; n < 1000; n++) {
			uint64_t i = rng_below(&r, BLOCKS);

			switch (rng_below(&r, 8)) {
			case 0:
				memset(shadow.at[i], 0, BS);
				assert_int_equal(zram_zero(z, i * BS, BS), 0);
				break;
			case 1:
				memset(shadow.at[i] + 9, 0, 3000);
				assert_int_equal(zram_zero(z, i * BS + 9, 3000), 0);
				break;
			case 2:
				shadow_noise(shadow.at[i], 2000, &r);
				shadow_write_part(&shadow, z, i, 0, 2000);
				break;
			default:
				(void)of_any_size(shadow.at[i], i, &r);
				shadow_write(&shadow, z, i);
			}
		}
		shadow_compare(&shadow, z);
		numbers(z, "io_stat", io, 2);
		assert_int_equal(io[0] + io[1], 0);
		assert_true(atomic_load(&z->max_bytes) <= 4 << 20);
		done(z);
	}
}

/* --- in the order of their last access --- */

static uint32_t now; /* ticks */

static uint32_t age_of(struct zram *z, uint64_t index)
{
	return now - zsi_meta_time(word_of(z, index));
}

/* Each block in memory has been accessed at some moment before now, no two at the same. */
static void age(struct zram *z, uint64_t blocks)
{
	struct rng r = { 77 };

	now = zsi_meta_time(word_of(z, 0)) + 1000;
	for (uint64_t i = 0; i < blocks; i++) {
		uint32_t time = now - 2000 - (uint32_t)(rng_below(&r, 1u << 16) << 12) - (uint32_t)i;

		atomic_store(&zsi_block_at(z, i)->meta,
			     (word_of(z, i) & ((1ull << ZSI_TIME_SHIFT) - 1)) | (uint64_t)time << ZSI_TIME_SHIFT);
	}
}

/* Of the first blocks those in the file are older than all in memory, but for the one that was read; no new one is. */
static void check_order(struct zram *z, uint64_t blocks, uint64_t read)
{
	uint32_t oldest_here = 0, youngest_there = UINT32_MAX;

	for (uint64_t i = 0; i < blocks; i++) {
		uint32_t old = age_of(z, i);

		if (i == read)
			continue;
		if ((word_of(z, i) & ZSI_WB) == 0)
			oldest_here = old > oldest_here ? old : oldest_here;
		else
			youngest_there = old < youngest_there ? old : youngest_there;
	}
	assert_true(youngest_there > oldest_here && youngest_there != UINT32_MAX);
	for (uint64_t i = blocks; i < BLOCKS && zsi_table_has(&z->table, i); i++)
		assert_int_equal(word_of(z, i) & ZSI_WB, 0);
}

static uint64_t oldest_in_memory(struct zram *z, uint64_t blocks)
{
	uint64_t found = 0;
	uint32_t old = 0;

	for (uint64_t i = 0; i < blocks; i++) {
		if ((word_of(z, i) & ZSI_WB) == 0 && age_of(z, i) > old) {
			old = age_of(z, i);
			found = i;
		}
	}
	return found;
}

static void in_the_order_of_their_access(void **state)
{
	struct zram *z = device(&(struct made){ .file = 32 << 20 });
	const uint64_t blocks = 700;
	uint8_t buf[BS];
	uint64_t read = BLOCKS, next = blocks;

	(void)state;
	nothing_before();
	shadow.nr_blocks = blocks;
	shadow_fill(&shadow, z);
	shadow.nr_blocks = BLOCKS;
	assert_int_equal(count_in_file(z), 0);
	age(z, blocks);
	for (unsigned round = 0; round < 6 && count_in_file(z) < blocks / 2; round++) {
		unsigned before = count_in_file(z);

		/* Until some more go. The new ones are the youngest. */
		while (count_in_file(z) == before) {
			(void)of_any_size(shadow.at[next], next, &(struct rng){ next });
			shadow_write(&shadow, z, next++);
		}
		check_order(z, blocks, read);
		/* Whatever was noted of it: it is in use again, and stays. */
		if (read == BLOCKS)
			read = oldest_in_memory(z, blocks);
		assert_int_equal(zram_pread(z, buf, BS, read * BS), 0);
		assert_int_equal(word_of(z, read) & ZSI_WB, 0);
	}
	shadow_compare(&shadow, z);
	done(z);
}

/* --- where nothing can go --- */

static void fails_as_without(struct zram *z, const char *why)
{
	uint64_t io[4], at;

	nothing_before();
	at = fill(z);
	assert_in_range(at, 500, BLOCKS - 1);
	if (strstr(zram_strerror(), why) == NULL)
		fail_msg("'%s' does not say '%s'", zram_strerror(), why);
	shadow_compare(&shadow, z);
	numbers(z, "io_stat", io, 2);
	assert_int_equal(io[1], 1);
	/* What is in memory can still be written, and what is discarded makes room. */
	for (uint64_t i = 0; i < at; i += 7)
		if ((word_of(z, i) & ZSI_WB) == 0)
			shadow_write(&shadow, z, i);
	for (uint64_t i = 1; i < at; i += 7)
		shadow_discard(&shadow, z, i);
	for (uint64_t i = 1; i < 100; i += 7) {
		(void)of_any_size(shadow.at[i], i, &(struct rng){ i });
		shadow_write(&shadow, z, i);
	}
	shadow_compare(&shadow, z);
}

static ssize_t never_written(int fd, const void *buf, size_t n, off_t at)
{
	(void)fd;
	(void)buf;
	(void)n;
	(void)at;
	errno = EIO;
	return -1;
}

static void where_nothing_can_go(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;
	struct zram *z = device(&(struct made){ .file = 0 });

	(void)state;
	fails_as_without(z, "mem_limit");
	done(z);
	z = device(&(struct made){ .file = 1 << 20 });
	fails_as_without(z, "the backing file is full");
	assert_true(count_in_file(z) > 100);
	done(z);
	z = device(&(struct made){ .file = 32 << 20 });
	set(z, "writeback_limit", "100");
	set(z, "writeback_limit_enable", "1");
	fails_as_without(z, "writeback_limit");
	assert_true(count_in_file(z) > 100);
	done(z);
	/* Turned off. */
	z = device(&(struct made){ .file = 32 << 20 });
	set(z, "evict", "0");
	fails_as_without(z, "mem_limit");
	assert_int_equal(count_in_file(z), 0);
	set(z, "evict", "1");
	assert_int_equal(fill(z), BLOCKS);
	shadow_compare(&shadow, z);
	done(z);
	zsi_backing_io.write = never_written;
	zsi_backing_io.no_ring = true;
	z = device(&(struct made){ .file = 32 << 20 });
	fails_as_without(z, "can't be written");
	assert_int_equal(count_in_file(z), 0);
	done(z);
	zsi_backing_io = was;
}

/* A place that can't be written costs no write and no block. */
static ssize_t bad_places(int fd, const void *buf, size_t n, off_t at)
{
	for (off_t unit = at / 512; unit * 512 < at + (off_t)n; unit++) {
		if (unit % 997 == 5) {
			errno = EIO;
			return -1;
		}
	}
	return pwrite(fd, buf, n, at);
}

static void bad_places_cost_nothing(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;

	(void)state;
	zsi_backing_io.write = bad_places;
	zsi_backing_io.no_ring = true;
	struct zram *z = device(&(struct made){ .file = 32 << 20 });

	nothing_before();
	assert_int_equal(fill(z), BLOCKS);
	shadow_compare(&shadow, z);
	done(z);
	zsi_backing_io = was;
}

static void the_attribute(void **state)
{
	struct zram *z = zram_create("attribute", NULL);
	uint64_t on;

	(void)state;
	assert_non_null(z);
	numbers(z, "evict", &on, 1);
	assert_int_equal(on, 0);
	set(z, "evict", "yes");
	numbers(z, "evict", &on, 1);
	assert_int_equal(on, 1);
	refused(z, "evict", "2", EINVAL);
	refused(z, "evict", "", EINVAL);
	set(z, "evict", "1");
	set(z, "disksize", "1M");
	set(z, "evict", "0");
	set(z, "evict", "1");
	set(z, "reset", "1");
	numbers(z, "evict", &on, 1);
	assert_int_equal(on, 0);
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_attribute),
		cmocka_unit_test(more_than_fits),
		cmocka_unit_test(in_the_order_of_their_access),
		cmocka_unit_test(where_nothing_can_go),
		cmocka_unit_test(bad_places_cost_nothing),
	};

	return cmocka_run_group_tests(tests, name_file, NULL);
}
