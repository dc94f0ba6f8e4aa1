/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_table_test.c - the block table costs memory where blocks are used, and nowhere else. */
#include "unit.h"

#include <check.h>
#include <fcntl.h>
#include <system_page.h>
#include <unistd.h>

#include "base/os.h"
#include "device/device.h"

#define DISKSIZE ((uint64_t)1 << 40)
#define CHUNK_BLOCKS 256u /* of a page of 4096 bytes */

static struct zram *device(unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = DISKSIZE;
	o.flags = flags;
	z = zram_create("table", &o);
	assert_non_null(z);
	return z;
}

static uint64_t own(struct zram *z)
{
	return atomic_load(&z->memory.own);
}

static uint64_t resident(void)
{
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strtoull(strchr(text, ' '), NULL, 10) * (uint64_t)system_page();
}

/* 2^28 blocks of a device of one TiB, of which few are used. */
static void costs_what_is_used(void **state)
{
	struct zram *z = device(0);
	size_t page = system_page();
	uint64_t empty = own(z), rss = resident();
	char byte;

	(void)state;
	/* Reading, discarding and asking take nothing. */
	for (uint64_t at = 0; at < DISKSIZE; at += DISKSIZE / 4096)
		assert_int_equal(zram_pread(z, &byte, 1, at), 0);
	assert_int_equal(zram_discard(z, 0, DISKSIZE), 0);
	assert_int_equal(zram_zero(z, 0, DISKSIZE), 0);
	assert_int_equal(own(z), empty);
	if (!CHECK_TSAN && !CHECK_ASAN)
		assert_true(resident() < rss + (1 << 20));
	/* One page of the table, and one of its directory. */
	assert_int_equal(zram_pwrite(z, "x", 1, DISKSIZE / 2), 0);
	assert_int_equal(own(z), empty + 2 * page);
	/* More of the same chunk cost nothing. */
	for (uint64_t i = 1; i < CHUNK_BLOCKS; i++)
		assert_int_equal(zram_pwrite(z, "x", 1, DISKSIZE / 2 + i * 4096), 0);
	assert_int_equal(own(z), empty + 2 * page);
	zram_destroy(z);
}

static void gives_back(void **state)
{
	struct zram *z = device(0);
	uint64_t empty = own(z);
	const uint64_t chunk = CHUNK_BLOCKS * (uint64_t)system_page();

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(zram_pwrite(z, "x", 1, i * chunk), 0);
	uint64_t full = own(z);

	assert_true(full >= empty + 300 * 4096);
	/* A whole chunk at once, and block after block. */
	assert_int_equal(zram_discard(z, 0, 100 * chunk), 0);
	assert_true(own(z) == full - 100 * (uint64_t)system_page());
	for (unsigned i = 100; i < 300; i++)
		assert_int_equal(zram_discard(z, i * chunk, 4096), 0);
	/* Some may wait for more to come, but not many, and "compact" takes them too. */
	assert_true(own(z) <= full - 260 * (uint64_t)system_page());
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	assert_true(own(z) == full - 300 * (uint64_t)system_page());
	/* And it can be used again. */
	assert_int_equal(zram_pwrite(z, "y", 1, 5 * chunk), 0);
	char c = 0;

	assert_int_equal(zram_pread(z, &c, 1, 5 * chunk), 0);
	assert_int_equal(c, 'y');
	zram_destroy(z);
}

/* More than the list of empty chunks holds, emptied by one request and in the middle of others that are in use. */
static void many_at_once(void **state)
{
	struct zram *z = device(ZRAM_CHECKSUM);
	uint64_t empty = own(z);
	const uint64_t chunk = CHUNK_BLOCKS * 4 * (uint64_t)system_page();

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(zram_pwrite(z, &i, sizeof(i), i * chunk), 0);
	assert_int_equal(zram_discard(z, 0, 499 * chunk), 0);
	/* One chunk: four pages of blocks and one of checksums; and the touched page of the directory. */
	assert_int_equal(own(z), empty + 6 * (uint64_t)system_page());
	unsigned n = 0;

	assert_int_equal(zram_pread(z, &n, sizeof(n), 499 * chunk), 0);
	assert_int_equal(n, 499);
	zram_destroy(z);
}

static unsigned commits_left;

static int commit_few(void *start, size_t n, unsigned hints)
{
	if (commits_left == 0) {
		errno = EAGAIN;
		return -1;
	}
	commits_left--;
	return zsi_os_real.commit(start, n, hints);
}

/* Memory for the table is refused: the write fails with ENOMEM and nothing has changed. */
static void refused(void **state)
{
	struct zram *z = device(0);
	uint64_t before = own(z);
	char c = 'z';

	(void)state;
	zsi_os.commit = commit_few;
	commits_left = 0;
	assert_int_equal(zram_pwrite(z, "x", 1, 0), -1);
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(zram_strerror(), "block table"));
	assert_int_equal(own(z), before);
	zsi_os = zsi_os_real;
	assert_int_equal(zram_pread(z, &c, 1, 0), 0);
	assert_int_equal(c, 0);
	assert_int_equal(zram_pwrite(z, "x", 1, 0), 0);
	zram_destroy(z);
}

static void too_large(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	(void)state;
	o.disksize = UINT64_MAX - 4095;
	assert_null(zram_create("table", &o));
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(zram_strerror(), "address space"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(costs_what_is_used), cmocka_unit_test(gives_back),
		cmocka_unit_test(many_at_once),       cmocka_unit_test(refused),
		cmocka_unit_test(too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
