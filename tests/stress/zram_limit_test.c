/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_limit_test.c - threads that overwrite a device at its mem_limit, beside others that read it, compact it and
 * save it.
 *
 *   stress_zram_limit [dense|linux]
 *
 * A block says which one it is and which version of it: so whoever reads it sees whether it is whole, though at the
 * limit blocks are written where they lie. Each writer knows what it wrote: after a write that failed the block is as
 * it was.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "rng.h"

#define BS 4096u
#define LIMIT (3u << 20)
#define WRITERS 3u
#define WRITES 6000u
#define MOST 8192u

static struct zram *z;
static uint64_t blocks;
static uint32_t versions[MOST]; /* each of its writer's */
static _Atomic unsigned writing;
static _Atomic uint64_t done, refused;

static void content(uint8_t *to, uint64_t index, uint32_t version)
{
	static const size_t sizes[] = { 150, 800, 1500, 2100, 2800, 3300, 4096, 1954 };
	struct rng r = { index << 32 | version };
	size_t n = sizes[(index + version * 3) % 8];

	memset(to, 0, BS);
	for (size_t i = 16; i < n; i++)
		to[i] = (uint8_t)rng_next(&r);
	memcpy(to, &index, 8);
	memcpy(to + 8, &(uint64_t){ version }, 8);
}

/* The version that a block has; all of it is of that one. */
static uint32_t look(struct zram *in, uint64_t index)
{
	uint8_t r[BS], w[BS];
	uint64_t is, version;

	CHECK_MSG(zram_pread(in, r, BS, index * BS) == 0, "%s", zram_strerror());
	memcpy(&is, r, 8);
	memcpy(&version, r + 8, 8);
	CHECK_MSG(is == index, "block %llu has the contents of %llu", (unsigned long long)index, (unsigned long long)is);
	content(w, index, (uint32_t)version);
	CHECK_MSG(memcmp(r, w, BS) == 0, "block %llu is no version of itself", (unsigned long long)index);
	return (uint32_t)version;
}

static void *write_own(void *arg)
{
	uint64_t own = (uint64_t)(uintptr_t)arg;
	struct rng r = { own + 99 };
	uint8_t w[BS];

	for (uint64_t n = check_scale(WRITES); n > 0; n--) {
		uint64_t index = rng_below(&r, blocks / WRITERS) * WRITERS + own;
		uint32_t next = versions[index] + (uint32_t)rng_below(&r, 3);
		bool part = next == versions[index];

		content(w, index, next);
		/* The same bytes again, in part; or another version. */
		int result = part ? zram_pwrite(z, w + 64, 700, index * BS + 64) : zram_pwrite(z, w, BS, index * BS);

		if (result == 0) {
			versions[index] = next;
			atomic_fetch_add(&done, 1);
		} else {
			CHECK_MSG(errno == ENOMEM && !part, "errno %d: %s", errno, zram_strerror());
			atomic_fetch_add(&refused, 1);
		}
		CHECK(look(z, index) == versions[index]);
	}
	atomic_fetch_sub(&writing, 1);
	return NULL;
}

static void *read_any(void *arg)
{
	struct rng r = { 7 };

	while (atomic_load(&writing) > 0)
		(void)look(z, rng_below(&r, blocks));
	return arg;
}

/* New blocks get in or not, discards of them make room; compaction moves what is written in place. */
static void *disturb(void *arg)
{
	struct rng r = { 8 };
	uint8_t w[BS];

	while (atomic_load(&writing) > 0) {
		uint64_t index = blocks + rng_below(&r, 64);

		content(w, index, 0);
		if (rng_one_in(&r, 3))
			CHECK(zram_discard(z, index * BS, BS) == 0);
		else
			CHECK(zram_pwrite(z, w, BS, index * BS) == 0 || errno == ENOMEM);
		if (rng_one_in(&r, 8))
			(void)zs_compact_budget(zram_get_pool(z), 1 << 16, 0);
	}
	return arg;
}

/* A save gets what it needs, or gives up; what it wrote is whole. */
static void *save(void *arg)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);
	unsigned loaded = 0;

	CHECK(fd >= 0);
	while (atomic_load(&writing) > 0) {
		CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
		if (zram_save(z, fd) != 0) {
			CHECK_MSG(errno == ENOMEM, "errno %d: %s", errno, zram_strerror());
			continue;
		}
		if (loaded++ > 3)
			continue;
		CHECK(lseek(fd, 0, SEEK_SET) == 0);
		struct zram *l = zram_load(fd, NULL);

		CHECK_MSG(l != NULL, "%s", zram_strerror());
		for (uint64_t i = 0; i < blocks; i++)
			(void)look(l, i);
		zram_destroy(l);
	}
	close(fd);
	return arg;
}

int main(int argc, char **argv)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	pthread_t threads[WRITERS + 3];
	uint8_t w[BS];

	check_install();
	check_context("stress_zram_limit %s", argc > 1 ? argv[1] : "");
	o.disksize = (uint64_t)MOST * 2 * BS;
	o.mem_limit = LIMIT;
	o.pool.geometry = argc > 1 && strcmp(argv[1], "linux") == 0 ? ZS_GEOMETRY_LINUX : ZS_GEOMETRY_DENSE;
	z = zram_create("limit", &o);
	CHECK_MSG(z != NULL, "%s", zram_strerror());
	for (;; blocks++) {
		content(w, blocks, 0);
		if (zram_pwrite(z, w, BS, blocks * BS) != 0)
			break;
		CHECK(blocks < MOST);
	}
	CHECK(errno == ENOMEM && blocks > 500);
	atomic_store(&writing, WRITERS);
	for (unsigned i = 0; i < WRITERS; i++)
		CHECK(pthread_create(&threads[i], NULL, write_own, (void *)(uintptr_t)i) == 0);
	CHECK(pthread_create(&threads[WRITERS], NULL, read_any, NULL) == 0);
	CHECK(pthread_create(&threads[WRITERS + 1], NULL, disturb, NULL) == 0);
	CHECK(pthread_create(&threads[WRITERS + 2], NULL, save, NULL) == 0);
	for (unsigned i = 0; i < WRITERS + 3; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	for (uint64_t i = 0; i < blocks; i++)
		if (i / WRITERS < blocks / WRITERS)
			CHECK(look(z, i) == versions[i]);
	CHECK(zs_pool_validate(zram_get_pool(z)) == 0);
	printf("%llu blocks: %llu writes, %llu refused\n", (unsigned long long)blocks,
	       (unsigned long long)atomic_load(&done), (unsigned long long)atomic_load(&refused));
	zram_destroy(z);
	return 0;
}
