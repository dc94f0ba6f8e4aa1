/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_backing_test.c - the backing file: its space is freed and used again; its operations fail; it is damaged, cut
 * off, its disk is full; it is the parent's. None of this touches a block that it is not about.
 */
#include "zram_backed.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "device/streams.h"

static void space_is_used_again(void **state)
{
	struct rng r = { 7 };
	/* Hardly more than all blocks take. */
	struct zram *z = device(BLOCKS * BS * 3 / 4 + 4 * BS, ZRAM_CHECKSUM);

	(void)state;
	shadow_fill(&shadow, z);
	for (unsigned round = 0; round < 200; round++) {
		uint64_t i = rng_below(&r, BLOCKS);
		char text[32];

		switch (rng_below(&r, 4)) {
		case 0:
			shadow_discard(&shadow, z, i);
			break;
		case 1:
			for (size_t k = 0; k < BS; k++)
				shadow.at[i][k] = (uint8_t)(k < i * 60 ? rng_next(&r) : i);
			shadow_write(&shadow, z, i);
			break;
		case 2: /* a part of a block, which is read from the file for it */
			memset(shadow.at[i] + 1000, (int)round, 50);
			shadow_write_part(&shadow, z, i, 1000, 50);
			break;
		default:
			snprintf(text, sizeof(text), "page_index=%u", (unsigned)i);
			if (zram_attr_set(z, "writeback", text) != 0)
				assert_int_equal(errno, ENOSPC);
		}
		check_map(z);
	}
	shadow_compare(&shadow, z);
	assert_true(count_in_file(z) > 5);
	assert_int_equal(zram_discard(z, 0, (uint64_t)BLOCKS * BS), 0);
	assert_int_equal(z->backing.used, 0);
	done(z);
}

/* --- files that fail --- */

static unsigned countdown;
static int failing_errno, synced;

static bool fails_now(void)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	errno = failing_errno;
	return true;
}

static ssize_t failing_write(int fd, const void *buf, size_t n, off_t at)
{
	return fails_now() ? -1 : pwrite(fd, buf, n, at);
}

static int failing_sync(int fd)
{
	synced++;
	return fails_now() ? -1 : fdatasync(fd);
}

/* A block that can't be written stays, and none of the others misses its turn, wherever in the request it is. */
static void one_that_fails_stays(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;

	(void)state;
	zsi_backing_io.write = failing_write;
	for (unsigned n = 1; n <= 3; n++) {
		struct zram *z = device(1 << 20, 0);

		shadow_fill(&shadow, z);
		countdown = n;
		failing_errno = EIO;
		refused(z, "writeback", "page_index=1 page_index=3 page_index=5", EIO);
		for (uint64_t i = 1; i <= 5; i += 2)
			assert_int_equal(in_file(z, i), i != n * 2 - 1);
		check_map(z);
		shadow_compare(&shadow, z);
		done(z);
	}
	zsi_backing_io = was;
}

/* A disk with so much room: what is beyond can't be written, what is before it can, as of a file with holes. */
static off_t disk_ends, bad_at;

static ssize_t write_to_disk(int fd, const void *buf, size_t n, off_t at)
{
	if (bad_at >= 0 && at <= bad_at && at + (off_t)n > bad_at) {
		errno = EIO;
		return -1;
	}
	if (at >= disk_ends) {
		errno = failing_errno;
		return -1;
	}
	return pwrite(fd, buf, at + (off_t)n > disk_ends ? (size_t)(disk_ends - at) : n, at);
}

/* The disk is full, or its quota used up, though the file is not: all that follows would fail too. */
static void a_full_disk_ends_it(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;
	static const int errors[] = { ENOSPC, EDQUOT };
	static const char *const sizes[] = { "1", "2", "5", "32", "1000" };

	(void)state;
	zsi_backing_io.write = write_to_disk;
	bad_at = -1;
	for (unsigned round = 0; round < 10; round++) {
		struct zram *z = device(1 << 20, 0);

		shadow_fill(&shadow, z);
		set(z, "writeback_batch_size", sizes[round / 2]);
		set(z, "writeback_limit", "100");
		set(z, "writeback_limit_enable", "1");
		disk_ends = 3 * BS + 700;
		failing_errno = errors[round % 2];
		refused(z, "writeback", "type=huge", failing_errno);
		assert_null(strstr(zram_strerror(), "writeback_limit"));
		assert_int_equal(count_in_file(z), 3);
		check_map(z);
		uint64_t limit;

		numbers(z, "writeback_limit", &limit, 1);
		assert_int_equal(limit, 97);
		shadow_compare(&shadow, z);
		done(z);
	}
	zsi_backing_io = was;
}

/* --- batches --- */

/* A device whose file is full but for every other place; 16 huge blocks are in memory, as all that are not huge. */
static struct zram *scattered(unsigned flags)
{
	struct zram *z = device(BLOCKS / 2 * BS, flags);

	shadow_fill(&shadow, z);
	set(z, "writeback", "type=huge");
	for (uint64_t i = 1; i < BLOCKS; i += 4)
		shadow_write(&shadow, z, i);
	assert_int_equal(count_in_file(z), 16);
	return z;
}

static unsigned writes, rings;

static ssize_t counting_write(int fd, const void *buf, size_t n, off_t at)
{
	writes++;
	return write_to_disk(fd, buf, n, at);
}

static ssize_t of_ring(ssize_t result, off_t at)
{
	rings++;
	return bad_at >= 0 && at == bad_at ? -EIO : result;
}

/* Whether the library was built with liburing and this kernel lets us use io_uring; asked without either's help. */
static bool has_ring(void)
{
#if defined(HAVE_URING) && defined(SYS_io_uring_setup)
	uint64_t params[15] = { 0 }; /* struct io_uring_params: 120 bytes, all of them 0 */
	long fd = syscall(SYS_io_uring_setup, 4, params);

	if (fd >= 0)
		close((int)fd);
	return fd >= 0;
#else
	return false;
#endif
}

/* Neighbours in one write, others at the same time where there is a ring; and all is as if it were one by one. */
static void batches_of_any_size(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;
	static const char *const sizes[] = { "1", "3", "32", "4294967295" };

	(void)state;
	zsi_backing_io.write = counting_write;
	zsi_backing_io.ring_result = of_ring;
	bad_at = -1;
	disk_ends = 1 << 30;
	for (unsigned round = 0; round < 16; round++) {
		unsigned flags = round % 2 != 0 ? ZRAM_CHECKSUM : 0;
		bool apart = round / 4 % 2 != 0;

		zsi_backing_io.no_ring = round >= 8;
		struct zram *z = apart ? scattered(flags) : device(1 << 20, flags);

		if (!apart)
			shadow_fill(&shadow, z);
		set(z, "writeback_batch_size", sizes[round % 4]);
		writes = rings = 0;
		set(z, "writeback", "type=huge");
		assert_int_equal(count_in_file(z), 32);
		if (round % 4 == 0)
			assert_int_equal(writes, apart ? 16 : 32);
		else if (apart && !zsi_backing_io.no_ring && has_ring())
			assert_true(rings >= 15 && rings + writes == 16);
		else
			assert_true(writes <= (apart ? 16u : 11u));
		if (zsi_backing_io.no_ring || round % 4 == 0 || !apart)
			assert_int_equal(rings, 0);
		check_map(z);
		shadow_compare(&shadow, z);
		done(z);
	}
	zsi_backing_io = was;
}

/* One place of the disk is bad: one block stays in memory, whoever its neighbours are, and whoever writes. */
static void a_bad_place_is_one_blocks(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;

	(void)state;
	zsi_backing_io.write = write_to_disk;
	zsi_backing_io.ring_result = of_ring;
	disk_ends = 1 << 30;
	for (unsigned round = 0; round < 4; round++) {
		zsi_backing_io.no_ring = round % 2 != 0;
		bad_at = -1;
		struct zram *z = round / 2 != 0 ? scattered(0) : device(1 << 20, 0);

		if (round / 2 == 0)
			shadow_fill(&shadow, z);
		bad_at = round / 2 != 0 ? 4 * BS : 5 * BS + 100;
		refused(z, "writeback", "type=huge", EIO);
		assert_non_null(strstr(zram_strerror(), "can't be written"));
		assert_int_equal(count_in_file(z), 31);
		check_map(z);
		bad_at = -1;
		shadow_compare(&shadow, z);
		set(z, "writeback", "type=huge");
		assert_int_equal(count_in_file(z), 32);
		check_map(z);
		shadow_compare(&shadow, z);
		done(z);
	}
	zsi_backing_io = was;
}

static void the_size_of_a_batch(void **state)
{
	static const char *const bad[] = { "0", "", "-1", "4294967296", "x", "8K" };
	struct zram *z = device(1 << 20, 0);
	uint64_t n;

	(void)state;
	numbers(z, "writeback_batch_size", &n, 1);
	assert_int_equal(n, 32);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(z, "writeback_batch_size", bad[i], EINVAL);
	set(z, "writeback_batch_size", "7\n");
	numbers(z, "writeback_batch_size", &n, 1);
	assert_int_equal(n, 7);
	set(z, "reset", "1");
	numbers(z, "writeback_batch_size", &n, 1);
	assert_int_equal(n, 32);
	done(z);
}

static void flushing(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;
	struct zram *z = device(1 << 20, 0);

	(void)state;
	zsi_backing_io.sync = failing_sync;
	synced = 0;
	assert_int_equal(zram_flush(z), 0);
	assert_int_equal(synced, 1);
	countdown = 1;
	failing_errno = EIO;
	assert_int_equal(zram_flush(z), -1);
	assert_int_equal(errno, EIO);
	assert_non_null(strstr(zram_strerror(), "backing file"));
	set(z, "reset", "1");
	assert_int_equal(zram_flush(z), -1);
	assert_int_equal(errno, EINVAL);
	set(z, "disksize", "64K");
	assert_int_equal(zram_flush(z), 0);
	assert_int_equal(synced, 2);
	zsi_backing_io = was;
	done(z);
}

/* Somebody writes into the file, or cuts it: the blocks concerned are lost, and only those, until they are written. */
static void damage_in_the_file(void **state)
{
	struct zram *z = device(1 << 20, ZRAM_CHECKSUM);
	uint8_t buf[BS], junk[16];
	uint64_t io[4];

	(void)state;
	shadow_fill(&shadow, z);
	set(z, "writeback", "page_indexes=0-63");
	assert_int_equal(count_in_file(z), BLOCKS);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	memset(junk, 0xee, sizeof(junk));
	assert_int_equal(pwrite(fd, junk, sizeof(junk), (off_t)(zsi_block_at(z, 7)->handle * 512)), sizeof(junk));
	assert_int_equal(pwrite(fd, junk, sizeof(junk), (off_t)(zsi_block_at(z, 30)->handle * 512)), sizeof(junk));
	for (uint64_t i = 0; i < BLOCKS; i++) {
		bool bad = i == 7 || i == 30;

		assert_int_equal(zram_pread(z, buf, BS, i * BS), bad ? -1 : 0);
		if (bad)
			assert_int_equal(errno, EIO);
		else
			assert_memory_equal(buf, shadow.at[i], BS);
	}
	assert_int_equal(zsi_streams_counted(z, ZSI_N_BAD_SUMS_TOTAL), 2);
	/* A part of one that can't be read can't be written; all of it can. */
	assert_int_equal(zram_pwrite(z, "part", 4, 7 * BS + 9), -1);
	assert_int_equal(errno, EIO);
	shadow_write(&shadow, z, 7);
	shadow_discard(&shadow, z, 30);
	shadow_compare(&shadow, z);
	/* Cut in the middle of a block. */
	uint64_t cut = zsi_block_at(z, 41)->handle * 512 + 700;

	assert_int_equal(ftruncate(fd, (off_t)cut), 0);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		uint64_t meta = atomic_load(&zsi_block_at(z, i)->meta);
		bool lost = (meta & ZSI_WB) != 0 && zsi_block_at(z, i)->handle * 512 + zsi_meta_size(meta) > cut;

		assert_int_equal(zram_pread(z, buf, BS, i * BS), lost ? -1 : 0);
		if (!lost)
			assert_memory_equal(buf, shadow.at[i], BS);
		else
			assert_non_null(strstr(zram_strerror(), "backing file"));
		if (i == 41)
			assert_true(lost);
	}
	numbers(z, "io_stat", io, 2);
	assert_true(io[0] > 3);
	for (uint64_t i = 0; i < BLOCKS; i++)
		shadow_write(&shadow, z, i);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	set(z, "writeback", "page_indexes=0-63");
	shadow_compare(&shadow, z);
	check_map(z);
	close(fd);
	done(z);
}

/* --- fork --- */

static void a_child_says_whose_file_it_is(void **state)
{
	struct zram *z = device(1 << 20, 0);
	struct stat before, after;
	int status;

	(void)state;
	shadow_fill(&shadow, z);
	set(z, "writeback", "type=huge");
	assert_int_equal(stat(path, &before), 0);
	pid_t child = fork();

	if (child == 0) {
		uint8_t buf[BS];
		bool ok = zram_attr_set(z, "backing_dev", path) == -1 && errno == EBUSY &&
			  strstr(zram_strerror(), "in the parent's file") != NULL;

		ok = ok && zram_pread(z, buf, BS, BS) == -1 && errno == EIO &&
			  strstr(zram_strerror(), "parent") != NULL &&
			  zram_attr_set(z, "writeback", "page_index=0") == -1 && errno == ENODEV &&
			  strstr(zram_strerror(), "parent") != NULL && zram_flush(z) == 0;

		/* Its own blocks, also those that were in the file, once it writes them; and a file of its own. */
		for (uint64_t i = 0; i < BLOCKS; i++)
			ok = ok && zram_pwrite(z, shadow.at[i], BS, i * BS) == 0 &&
			     zram_pread(z, buf, BS, i * BS) == 0 &&
			     memcmp(buf, shadow.at[i], BS) == 0;
		/* The parent's is the parent's. */
		ok = ok && count_in_file(z) == 0 && zram_attr_set(z, "backing_dev", path) == -1 && errno == EBUSY;
		/* With a file of its own it writes back. */
		char mine[] = "/tmp/zram-child-XXXXXX";
		int fd = mkstemp(mine);

		ok = ok && fd >= 0 && ftruncate(fd, 1 << 20) == 0 && zram_attr_set(z, "backing_dev", mine) == 0 &&
		     zram_attr_set(z, "writeback", "type=huge") == 0 && count_in_file(z) == BLOCKS / 2;
		(void)unlink(mine);
		for (uint64_t i = 0; i < BLOCKS; i++)
			ok = ok && zram_pread(z, buf, BS, i * BS) == 0 && memcmp(buf, shadow.at[i], BS) == 0;
		ok = ok && zram_attr_set(z, "reset", "1") == 0 && zram_attr_set(z, "backing_dev", path) == -1 &&
		     errno == EBUSY;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	check_map(z);
	shadow_compare(&shadow, z);
	done(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(space_is_used_again),
		cmocka_unit_test(one_that_fails_stays),
		cmocka_unit_test(a_full_disk_ends_it),
		cmocka_unit_test(batches_of_any_size),
		cmocka_unit_test(a_bad_place_is_one_blocks),
		cmocka_unit_test(the_size_of_a_batch),
		cmocka_unit_test(flushing),
		cmocka_unit_test(damage_in_the_file),
		cmocka_unit_test(a_child_says_whose_file_it_is),
	};

	return cmocka_run_group_tests(tests, name_file, NULL);
}
