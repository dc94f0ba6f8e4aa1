/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_sparse_test.c - a device of one PiB that holds a few blocks: everything that goes through its table takes what
 * the same blocks take on a small device, and a save needs no more memory.
 */
#include "unit.h"

#include <check.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "device/device.h"
#include "device/layout.h"
#include "device/table.h"
#include "zram_blocks.h"

#define PIB ((uint64_t)1 << 50)
#define GIB ((uint64_t)1 << 30)
#define BS 4096u

/* More chunks than the list of empty ones holds, so that all of the table is looked at. */
#define CHUNKS (ZSI_CHUNKS_PENDING + 10u)

static struct zram *device(uint64_t disksize)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = disksize;
	o.recomp_algorithm[0] = "zstd";
	z = zram_create("sparse", &o);
	if (z == NULL)
		fail_msg("%s", zram_strerror());
	return z;
}

static void block_of(uint8_t *to, uint64_t index)
{
	for (size_t i = 0; i < BS; i++)
		to[i] = (uint8_t)("sparse blocks, few "[(i + index) % 19] + (i % 7 == 0 ? (int)(index % 5) : 0));
}

static void put(struct zram *z, uint64_t index)
{
	uint8_t w[BS];

	block_of(w, index);
	assert_int_equal(zram_pwrite(z, w, BS, index * BS), 0);
}

static void check(struct zram *z, uint64_t index)
{
	uint8_t w[BS], r[BS];

	block_of(w, index);
	assert_int_equal(zram_pread(z, r, BS, index * BS), 0);
	assert_memory_equal(w, r, BS);
}

/* One step gets over all that is not there. */
static void holes_are_one_step(void **state)
{
	struct zram *z = device(PIB);
	const struct zsi_table *t = &z->table;
	const uint64_t at[] = { 5, 1000000, PIB / BS / 3, PIB / BS - 1 };
	unsigned steps = 0;

	(void)state;
	assert_int_equal(zsi_table_hole_end(t, 0), t->nr_blocks);
	for (unsigned i = 0; i < 4; i++)
		put(z, at[i]);
	for (uint64_t index = 0; index < t->nr_blocks; steps++)
		index = zsi_table_has(t, index) ? (index | (((uint64_t)1 << t->chunk_shift) - 1)) + 1 :
						  zsi_table_hole_end(t, index);
	/* Four chunks, and at most one hole before each. */
	assert_true(steps <= 8);
	for (unsigned i = 0; i < 4; i++)
		check(z, at[i]);
	zram_destroy(z);
}

/* Twice, from both devices: a save leaves nothing behind that would keep a block out of the next. */
static void saved_and_loaded(void **state)
{
	struct zram *z = device(PIB);
	const uint64_t at[] = { 0, 777777, PIB / BS / 2 + 3, PIB / BS - 1 };
	int fd = memfd_create("saved", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	for (unsigned i = 0; i < 4; i++)
		put(z, at[i]);
	for (unsigned round = 0; round < 4; round++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		if (zram_save(z, fd) != 0)
			fail_msg("%s", zram_strerror());
		assert_true(lseek(fd, 0, SEEK_END) < 1 << 20);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		struct zram *l = zram_load(fd, NULL);

		if (l == NULL)
			fail_msg("%s", zram_strerror());
		assert_int_equal(zram_disksize(l), PIB);
		for (unsigned i = 0; i < 4; i++)
			check(l, at[i]);
		if (round % 2 == 0) {
			zram_destroy(l);
			/* One of them written anew, one discarded and written again. */
			put(z, at[1]);
			assert_int_equal(zram_discard(z, at[2] * BS, BS), 0);
			put(z, at[2]);
		} else {
			zram_destroy(z);
			z = l;
		}
	}
	close(fd);
	zram_destroy(z);
}

/* --- what it takes --- */

static int count_extent(uint64_t offset, uint64_t len, unsigned flags, void *arg)
{
	(void)offset;
	(void)len;
	(void)flags;
	++*(unsigned *)arg;
	return 0;
}

static void use(struct zram *z)
{
	const uint64_t chunk = 256 * BS;
	unsigned extents = 0;

	for (uint64_t i = 0; i < CHUNKS; i++)
		put(z, i * chunk / BS);
	set(z, "idle", "all");
	assert_string_equal(state_of(z, 0), "...i..");
	set(z, "recompress", "type=idle");
	set(z, "recompress", "type=huge max_pages=1");
	assert_int_equal(zram_extents(z, 0, zram_disksize(z), count_extent, &extents), 0);
	assert_int_equal(extents, 2 * CHUNKS);
	assert_int_equal(zram_discard(z, 0, zram_disksize(z)), 0);
	set(z, "compact", "1");
	numbers(z, "mm_stat", &(uint64_t){ 0 }, 1);
}

static uint64_t cpu_ns(uint64_t disksize)
{
	struct timespec from, to;
	struct zram *z = device(disksize);

	use(z);
	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from), 0);
	use(z);
	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to), 0);
	zram_destroy(z);
	return (uint64_t)((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec);
}

/* A ratio of one thread's own time: a million times the size, and not ten times the work. */
static void follows_what_is_stored(void **state)
{
	uint64_t small = cpu_ns(GIB), large = cpu_ns(PIB);

	(void)state;
	if (large > 10 * small)
		fail_msg("%llu ns for 1 PiB, %llu for 1 GiB", (unsigned long long)large, (unsigned long long)small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_one_step),
		cmocka_unit_test(saved_and_loaded),
		cmocka_unit_test(follows_what_is_stored),
	};

	/* Its shadow memory leaves no room for a table of 4 TiB. */
	return CHECK_TSAN ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
