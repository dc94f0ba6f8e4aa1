/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_writeback_test.c - the backing file: what is in it is freed, found damaged, cut off, full or over a budget; its
 * operations fail one after the other; and none of this touches a block that it is not about.
 */
#include "zram_blocks.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <rng.h>

#include "zram/device.h"

#define BS 4096u
#define BLOCKS 64u

static uint8_t shadow[BLOCKS][BS];
static char path[] = "/tmp/zram-writeback-XXXXXX";

static void make_file(off_t bytes)
{
	/* A new file, which no device that a failed test left behind has locked. */
	(void)unlink(path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

static struct zram *device(off_t bytes, unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	make_file(bytes);
	o.disksize = (uint64_t)BLOCKS * BS;
	o.backing_dev = path;
	o.recomp_algorithm[0] = "zstd";
	o.flags = flags;
	struct zram *z = zram_create("back", &o);

	assert_non_null(z);
	return z;
}

static void done(struct zram *z)
{
	zram_destroy(z);
	assert_int_equal(unlink(path), 0);
}

/* Odd blocks are noise, even ones shrink to something between nothing and all. */
static void fill(struct zram *z)
{
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct rng r = { i + 1 };

		memset(shadow[i], (int)i, BS);
		for (size_t k = 0; k < (i % 2 == 1 ? BS : 10 + i * 50); k++)
			shadow[i][k] = (uint8_t)rng_next(&r);
		assert_int_equal(zram_pwrite(z, shadow[i], BS, i * BS), 0);
	}
}

static void compare(struct zram *z)
{
	uint8_t buf[BS];

	for (uint64_t i = 0; i < BLOCKS; i++) {
		if (zram_pread(z, buf, BS, i * BS) != 0)
			fail_msg("block %d: %s", (int)i, zram_strerror());
		assert_memory_equal(buf, shadow[i], BS);
	}
	assert_int_equal(zs_pool_validate(zram_get_pool(z)), 0);
}

static bool in_file(struct zram *z, uint64_t index)
{
	return state_of(z, index)[1] == 'w';
}

static unsigned count_in_file(struct zram *z)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < BLOCKS; i++)
		n += in_file(z, i);
	return n;
}

/* The bits set are the units of the blocks that are in the file, each of one block. */
static void check_map(struct zram *z)
{
	uint64_t used = 0, bits = 0, nr_words = (z->backing.nr_units + 63) / 64;
	uint8_t *seen = calloc(1, z->backing.nr_units);

	assert_non_null(seen);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		uint64_t meta = atomic_load(&zsi_block_at(z, i)->meta), first = zsi_block_at(z, i)->handle;

		if ((meta & ZSI_WB) == 0)
			continue;
		for (uint64_t u = first; u < first + zsi_backing_units(zsi_meta_size(meta)); u++) {
			assert_true(u < z->backing.nr_units);
			assert_int_equal(seen[u], 0);
			seen[u] = 1;
			assert_true((z->backing.map[u / 64] >> (u % 64) & 1) != 0);
			used++;
		}
	}
	for (uint64_t w = 0; w < nr_words; w++)
		bits += (uint64_t)__builtin_popcountll(z->backing.map[w]);
	free(seen);
	assert_int_equal(used, z->backing.used);
	assert_int_equal(bits, used);
}

/* --- what is written --- */

static void each_type_takes_its_own(void **state)
{
	static const struct {
		const char *value;
		bool huge, idle, incompressible; /* it must be */
	} types[] = {
		{ "type=huge", true, false, false },	     { "huge", true, false, false },
		{ "type=idle", false, true, false },	     { "idle", false, true, false },
		{ "type=huge_idle", true, true, false },     { "huge_idle", true, true, false },
		{ "type=incompressible", false, false, true }, { "incompressible\n", false, false, true },
	};
	uint8_t buf[BS];

	(void)state;
	for (unsigned t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		struct zram *z = device(1 << 20, 0);
		bool wanted[BLOCKS];
		unsigned n = 0;

		fill(z);
		set(z, "recompress", "type=huge max_pages=10");
		set(z, "idle", "all");
		for (uint64_t i = 0; i < BLOCKS; i += 3)
			assert_int_equal(zram_pread(z, buf, BS, i * BS), 0);
		for (uint64_t i = 0; i < BLOCKS; i++) {
			const char *s = state_of(z, i);

			wanted[i] = (!types[t].huge || s[2] == 'h') && (!types[t].idle || s[3] == 'i') &&
				    (!types[t].incompressible || s[5] == 'n');
			n += wanted[i];
		}
		assert_in_range(n, 1, BLOCKS - 1);
		set(z, "writeback", types[t].value);
		for (uint64_t i = 0; i < BLOCKS; i++)
			if (in_file(z, i) != wanted[i])
				fail_msg("%s: block %d is %s", types[t].value, (int)i, state_of(z, i));
		check_map(z);
		compare(z);
		done(z);
	}
}

static void requests_that_make_no_sense(void **state)
{
	static const char *const bad[] = {
		"", " \n", "type", "type=", "type=lazy", "lazy", "page_index", "page_index=", "page_index=64",
		"page_index=-1", "page_index=1-2", "page_index=1-2x", "page_index=99999999999999999999", "page_indexes=3-1",
		"page_indexes=0-64", "page_indexes=-", "page_indexes=1-", "page_indexes=-1", "page_indexes=1-2-3", "page_indexes=1",
		"page_index=3 type=lazy", "page_index=3 page_index=x", "speed=1", "=", "=3",
	};
	struct zram *z = device(1 << 20, 0);

	(void)state;
	fill(z);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(z, "writeback", bad[i], EINVAL);
	/* All of it is right, or none of it is done. */
	assert_int_equal(count_in_file(z), 0);
	set(z, "writeback", " page_index=3\tpage_indexes=63-63 page_indexes=10-12 page_index=3\n");
	assert_int_equal(count_in_file(z), 5);
	assert_true(in_file(z, 3) && in_file(z, 63) && in_file(z, 10) && in_file(z, 11) && in_file(z, 12));
	/* Blocks that are not in use. */
	assert_int_equal(zram_discard(z, 20 * BS, BS), 0);
	set(z, "writeback", "page_index=20");
	assert_string_equal(state_of(z, 20), "");
	memset(shadow[20], 0, BS);
	compare(z);
	done(z);
}

static void space_is_used_again(void **state)
{
	struct rng r = { 7 };
	/* Hardly more than all blocks take. */
	struct zram *z = device(BLOCKS * BS * 3 / 4 + 4 * BS, ZRAM_CHECKSUM);

	(void)state;
	fill(z);
	for (unsigned round = 0; round < 200; round++) {
		uint64_t i = rng_below(&r, BLOCKS);
		char text[32];

		switch (rng_below(&r, 4)) {
		case 0:
			assert_int_equal(zram_discard(z, i * BS, BS), 0);
			memset(shadow[i], 0, BS);
			break;
		case 1:
			for (size_t k = 0; k < BS; k++)
				shadow[i][k] = (uint8_t)(k < i * 60 ? rng_next(&r) : i);
			assert_int_equal(zram_pwrite(z, shadow[i], BS, i * BS), 0);
			break;
		case 2: /* a part of a block, which is read from the file for it */
			memset(shadow[i] + 1000, (int)round, 50);
			assert_int_equal(zram_pwrite(z, shadow[i] + 1000, 50, i * BS + 1000), 0);
			break;
		default:
			snprintf(text, sizeof(text), "page_index=%u", (unsigned)i);
			if (zram_attr_set(z, "writeback", text) != 0)
				assert_int_equal(errno, ENOSPC);
		}
		check_map(z);
	}
	compare(z);
	assert_true(count_in_file(z) > 5);
	assert_int_equal(zram_discard(z, 0, (uint64_t)BLOCKS * BS), 0);
	assert_int_equal(z->backing.used, 0);
	done(z);
}

static void statistics_in_the_kernels_format(void **state)
{
	struct zram *z = device(1 << 20, 0);
	char text[64];
	uint8_t buf[BS];

	(void)state;
	fill(z);
	set(z, "writeback", "page_index=1 page_index=3");
	assert_int_equal(zram_attr_get(z, "bd_stat", text, sizeof(text)), 27);
	assert_string_equal(text, "       2        0        2\n");
	assert_int_equal(zram_pread(z, buf, BS, 3 * BS), 0);
	(void)zram_attr_get(z, "bd_stat", text, sizeof(text));
	assert_string_equal(text, "       2        1        2\n");
	/* Begun pages count: block 2 takes one unit. */
	set(z, "writeback", "page_index=2");
	(void)zram_attr_get(z, "bd_stat", text, sizeof(text));
	assert_string_equal(text, "       3        1        3\n");
	refused(z, "bd_stat", "1", EINVAL);
	(void)zram_attr_get(z, "writeback_limit", text, sizeof(text));
	assert_string_equal(text, "0\n");
	(void)zram_attr_get(z, "writeback_limit_enable", text, sizeof(text));
	assert_string_equal(text, "0\n");
	assert_int_equal(zram_attr_get(z, "writeback", text, sizeof(text)), -1);
	assert_int_equal(errno, EINVAL);
	done(z);
}

/* --- the budget --- */

static void the_budget_is_kept(void **state)
{
	struct zram *z = device(1 << 20, 0);
	uint64_t bd[3];
	char text[32];

	(void)state;
	fill(z);
	set(z, "writeback_limit", "5");
	/* Not enabled, it counts nothing. */
	set(z, "writeback", "page_indexes=1-1");
	(void)zram_attr_get(z, "writeback_limit", text, sizeof(text));
	assert_string_equal(text, "5\n");
	set(z, "writeback_limit_enable", "1");
	refused(z, "writeback", "type=huge", EIO);
	assert_non_null(strstr(zram_strerror(), "writeback_limit"));
	numbers(z, "bd_stat", bd, 3);
	assert_int_equal(bd[2], 6);
	assert_int_equal(count_in_file(z), 6);
	refused(z, "writeback", "type=huge", EIO);
	set(z, "writeback_limit", "2");
	refused(z, "writeback", "type=huge", EIO);
	assert_int_equal(count_in_file(z), 8);
	/* Reading and discarding give nothing back of it. */
	compare(z);
	assert_int_equal(zram_discard(z, BS, BS), 0);
	memset(shadow[1], 0, BS);
	refused(z, "writeback", "type=huge", EIO);
	set(z, "writeback_limit_enable", "0");
	set(z, "writeback", "type=huge");
	refused(z, "writeback_limit", "", EINVAL);
	refused(z, "writeback_limit", "-1", EINVAL);
	refused(z, "writeback_limit", "0xffffffffffffffff", EINVAL);
	refused(z, "writeback_limit", "4K", EINVAL);
	refused(z, "writeback_limit_enable", "2", EINVAL);
	refused(z, "writeback_limit_enable", "yes", EINVAL);
	compare(z);
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

/* A block that can't be written stays, and none of the others misses its turn, in whichever part of the request it is. */
static void one_that_fails_stays(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;

	(void)state;
	zsi_backing_io.write = failing_write;
	for (unsigned n = 1; n <= 3; n++) {
		struct zram *z = device(1 << 20, 0);

		fill(z);
		countdown = n;
		failing_errno = EIO;
		refused(z, "writeback", "page_index=1 page_index=3 page_index=5", EIO);
		for (uint64_t i = 1; i <= 5; i += 2)
			assert_int_equal(in_file(z, i), i != n * 2 - 1);
		check_map(z);
		compare(z);
		done(z);
	}
	zsi_backing_io = was;
}

/* The disk is full, or its quota used up, though the file is not: all that follows would fail too. */
static void a_full_disk_ends_it(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;
	static const int errors[] = { ENOSPC, EDQUOT };

	(void)state;
	zsi_backing_io.write = failing_write;
	for (unsigned e = 0; e < 2; e++) {
		struct zram *z = device(1 << 20, 0);

		fill(z);
		set(z, "writeback_limit", "100");
		set(z, "writeback_limit_enable", "1");
		countdown = 4;
		failing_errno = errors[e];
		refused(z, "writeback", "type=huge", errors[e]);
		assert_null(strstr(zram_strerror(), "writeback_limit"));
		assert_int_equal(count_in_file(z), 3);
		check_map(z);
		uint64_t limit;

		numbers(z, "writeback_limit", &limit, 1);
		assert_int_equal(limit, 97);
		compare(z);
		done(z);
	}
	zsi_backing_io = was;
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
	fill(z);
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
			assert_memory_equal(buf, shadow[i], BS);
	}
	assert_int_equal(zsi_counted(z, ZSI_N_BAD_SUMS_TOTAL), 2);
	/* A part of one that can't be read can't be written; all of it can. */
	assert_int_equal(zram_pwrite(z, "part", 4, 7 * BS + 9), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(zram_pwrite(z, shadow[7], BS, 7 * BS), 0);
	assert_int_equal(zram_discard(z, 30 * BS, BS), 0);
	memset(shadow[30], 0, BS);
	compare(z);
	/* Cut in the middle of a block. */
	uint64_t cut = zsi_block_at(z, 41)->handle * 512 + 700;

	assert_int_equal(ftruncate(fd, (off_t)cut), 0);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		uint64_t meta = atomic_load(&zsi_block_at(z, i)->meta);
		bool lost = (meta & ZSI_WB) != 0 && zsi_block_at(z, i)->handle * 512 + zsi_meta_size(meta) > cut;

		assert_int_equal(zram_pread(z, buf, BS, i * BS), lost ? -1 : 0);
		if (!lost)
			assert_memory_equal(buf, shadow[i], BS);
		else
			assert_non_null(strstr(zram_strerror(), "backing file"));
		if (i == 41)
			assert_true(lost);
	}
	numbers(z, "io_stat", io, 2);
	assert_true(io[0] > 3);
	for (uint64_t i = 0; i < BLOCKS; i++)
		assert_int_equal(zram_pwrite(z, shadow[i], BS, i * BS), 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	set(z, "writeback", "page_indexes=0-63");
	compare(z);
	check_map(z);
	close(fd);
	done(z);
}

/* --- one at a time --- */

static atomic_bool writing, go_on;
static struct zram *shared;

static ssize_t slow_write(int fd, const void *buf, size_t n, off_t at)
{
	atomic_store(&writing, true);
	while (!atomic_load(&go_on))
		usleep(100);
	return pwrite(fd, buf, n, at);
}

static void *write_back(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)zram_attr_set(shared, "writeback", "page_indexes=0-15");
}

/* While a block is being written it can be read, written and discarded, and then it is not the file's. */
static void used_while_it_is_written(void **state)
{
	struct zsi_backing_io was = zsi_backing_io;
	pthread_t thread;
	uint8_t buf[BS];
	void *result;

	(void)state;
	zsi_backing_io.write = slow_write;
	for (unsigned use = 0; use < 4; use++) {
		struct zram *z = shared = device(1 << 20, ZRAM_CHECKSUM);

		fill(z);
		atomic_store(&writing, false);
		atomic_store(&go_on, false);
		assert_int_equal(pthread_create(&thread, NULL, write_back, NULL), 0);
		while (!atomic_load(&writing))
			usleep(100);
		refused(z, "writeback", "type=huge", EAGAIN);
		refused(z, "recompress", "type=huge", EAGAIN);
		switch (use) {
		case 0:
			assert_int_equal(zram_pread(z, buf, BS, 0), 0);
			assert_memory_equal(buf, shadow[0], BS);
			break;
		case 1:
			memset(shadow[0] + 9, 3, 500);
			assert_int_equal(zram_pwrite(z, shadow[0], BS, 0), 0);
			break;
		case 2:
			shadow[0][17] = 0x55;
			assert_int_equal(zram_pwrite(z, shadow[0] + 17, 1, 17), 0);
			break;
		default:
			assert_int_equal(zram_discard(z, 0, BS), 0);
			memset(shadow[0], 0, BS);
		}
		atomic_store(&go_on, true);
		assert_int_equal(pthread_join(thread, &result), 0);
		assert_ptr_equal(result, NULL);
		assert_false(in_file(z, 0));
		assert_true(in_file(z, 1) && in_file(z, 15));
		check_map(z);
		compare(z);
		done(z);
	}
	zsi_backing_io = was;
}

/* --- fork --- */

static void a_child_says_whose_file_it_is(void **state)
{
	struct zram *z = device(1 << 20, 0);
	struct stat before, after;
	int status;

	(void)state;
	fill(z);
	set(z, "writeback", "type=huge");
	assert_int_equal(stat(path, &before), 0);
	pid_t child = fork();

	if (child == 0) {
		uint8_t buf[BS];
		bool ok = zram_pread(z, buf, BS, BS) == -1 && errno == EIO && strstr(zram_strerror(), "parent") != NULL &&
			  zram_attr_set(z, "writeback", "page_index=0") == -1 && errno == ENODEV &&
			  strstr(zram_strerror(), "parent") != NULL && zram_flush(z) == 0;

		/* Its own blocks, also those that were in the file, once it writes them; and a file of its own. */
		for (uint64_t i = 0; i < BLOCKS; i++)
			ok = ok && zram_pwrite(z, shadow[i], BS, i * BS) == 0 && zram_pread(z, buf, BS, i * BS) == 0 &&
			     memcmp(buf, shadow[i], BS) == 0;
		ok = ok && zram_attr_set(z, "reset", "1") == 0 && zram_attr_set(z, "backing_dev", path) == -1 &&
		     errno == EBUSY;
		_exit(ok ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	check_map(z);
	compare(z);
	done(z);
}

static int name_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_takes_its_own),
		cmocka_unit_test(requests_that_make_no_sense),
		cmocka_unit_test(space_is_used_again),
		cmocka_unit_test(statistics_in_the_kernels_format),
		cmocka_unit_test(the_budget_is_kept),
		cmocka_unit_test(one_that_fails_stays),
		cmocka_unit_test(a_full_disk_ends_it),
		cmocka_unit_test(flushing),
		cmocka_unit_test(damage_in_the_file),
		cmocka_unit_test(used_while_it_is_written),
		cmocka_unit_test(a_child_says_whose_file_it_is),
	};

	return cmocka_run_group_tests(tests, name_file, NULL);
}
