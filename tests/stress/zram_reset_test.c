/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_reset_test.c - a device is reset and made anew, in another size, with another algorithm, and with a backing
 * file or without, while threads read, write, discard, walk and print it, recompress and write back. Their calls
 * succeed, or say that the range is not on the device (any more); and what a thread reads is what some thread wrote,
 * or zeros.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "rng.h"

#define THREADS 4u
#define RESETS 60u
#define BLOCK 4096u

static struct zram *z;
static atomic_bool stop;
static atomic_ulong done, refused;

static int count_extents(uint64_t offset, uint64_t len, unsigned flags, void *arg)
{
	uint64_t *sum = arg;

	(void)offset;
	(void)flags;
	*sum += len;
	return 0;
}

static bool ok(int result)
{
	if (result == 0) {
		atomic_fetch_add(&done, 1);
		return true;
	}
	CHECK_MSG(errno == EINVAL && zram_strerror()[0] != '\0', "errno %d: %s", errno, zram_strerror());
	atomic_fetch_add(&refused, 1);
	return false;
}

/* Errors that depend on who else is at it, and on what the device is just then. */
static void post_process(struct rng *r)
{
	static const char *const set[][2] = {
		{ "idle", "all" },
		{ "idle", "0" },
		{ "recompress", "type=idle" },
		{ "recompress", "priority=1 max_pages=30" },
		{ "writeback", "type=idle" },
		{ "writeback", "page_indexes=10-60" },
		{ "writeback_limit_enable", "0" },
		{ "writeback_limit", "1000" },
	};
	static const char *const get[] = { "bd_stat", "writeback_limit", "writeback_limit_enable", "backing_dev" };
	uint64_t i = rng_below(r, sizeof(set) / sizeof(set[0]));
	char text[256];

	if (zram_attr_set(z, set[i][0], set[i][1]) == 0)
		atomic_fetch_add(&done, 1);
	else
		CHECK_MSG(errno == EINVAL || errno == EAGAIN || errno == ENODEV || errno == ENOSPC, "errno %d: %s", errno,
			  zram_strerror());
	CHECK(zram_attr_get(z, get[i % 4], text, sizeof(text)) > 0);
	CHECK(zram_flush(z) == 0 || errno == EINVAL);
}

/* Blocks are of one byte and a header that says which, so that a mixture is noticed. */
static void *work(void *arg)
{
	struct rng r = { (uint64_t)(uintptr_t)arg };
	uint8_t buf[BLOCK];
	char text[256];

	while (!atomic_load(&stop)) {
		uint64_t at = rng_below(&r, 300) * BLOCK, sum = 0;

		switch (rng_below(&r, 10)) {
		case 0:
		case 1:
		case 2:
			memset(buf, (int)rng_range(&r, 1, 255), BLOCK);
			buf[1] = 0; /* not one word */
			(void)ok(zram_pwrite(z, buf, BLOCK, at));
			break;
		case 3:
		case 4:
			if (ok(zram_pread(z, buf, BLOCK, at)))
				for (unsigned i = 2; i < BLOCK; i++)
					CHECK_MSG(buf[i] == buf[0] && buf[1] == 0, "byte %u", i);
			break;
		case 5:
			(void)ok(zram_discard(z, at, 8 * BLOCK));
			break;
		case 6:
			if (ok(zram_extents(z, 0, 40 * BLOCK, count_extents, &sum)))
				CHECK(sum == 40 * BLOCK);
			break;
		case 7:
		case 8:
			post_process(&r);
			break;
		default:
			CHECK(zram_attr_get(z, "mm_stat", text, sizeof(text)) > 0);
			(void)ok(zram_attr_set(z, "compact", "1"));
		}
	}
	return NULL;
}

int main(void)
{
	static const char *const algorithms[] = { "lz4", "zstd", "lzo-rle" };
	char backing[] = "/tmp/zram-reset-XXXXXX", text[32];
	pthread_t threads[THREADS];
	int fd = mkstemp(backing);

	check_install();
	CHECK(fd >= 0 && ftruncate(fd, 200 * BLOCK) == 0 && close(fd) == 0);
	z = zram_create("reset", NULL);
	CHECK(z != NULL);
	for (uintptr_t t = 0; t < THREADS; t++)
		CHECK(pthread_create(&threads[t], NULL, work, (void *)(t + 1)) == 0);
	for (unsigned i = 0; i < RESETS * check_soak_factor(); i++) {
		check_step(i);
		CHECK(zram_attr_set(z, "comp_algorithm", algorithms[i % 3]) == 0);
		if (i % 4 != 0)
			CHECK(zram_attr_set(z, "recomp_algorithm", "algo=zstd priority=1") == 0);
		if (i % 5 != 0)
			CHECK_MSG(zram_attr_set(z, "backing_dev", backing) == 0, "%s", zram_strerror());
		snprintf(text, sizeof(text), "%u", (100 + i % 3 * 100) * BLOCK);
		CHECK(zram_attr_set(z, "disksize", text) == 0);
		/* For a while; every thread gets somewhere. */
		for (unsigned long seen = atomic_load(&done); atomic_load(&done) < seen + 40;)
			(void)zram_disksize(z);
		CHECK(zram_attr_set(z, "reset", "1") == 0);
	}
	atomic_store(&stop, true);
	for (unsigned t = 0; t < THREADS; t++)
		CHECK(pthread_join(threads[t], NULL) == 0);
	zram_destroy(z);
	CHECK(unlink(backing) == 0);
	CHECK(atomic_load(&refused) > 0);
	printf("%lu calls done, %lu refused\n", atomic_load(&done), atomic_load(&refused));
	return 0;
}
