/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_fork_test.c - a process forks, again and again, while its threads write, read, discard and reset; the child has
 * devices that work: each block is whole, can be read, written, discarded, and the device reset and destroyed.
 *
 * AddressSanitizer's own allocator has locks that fork() does not know: a child would wait for one that a thread of
 * its parent had. With it no thread resets, and none trains, which both allocate; and all have their buffers before
 * the first fork.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "eventually.h"
#include "rng.h"

#define THREADS 3u
#define FORKS 25u
#define BLOCK 4096u
#define BLOCKS 2000u
#define STEPS_BEFORE 300u /* each thread's, before the first fork */

static struct zram *devices[2]; /* the second trains dictionaries, and is not reset */
static atomic_bool stop;
static atomic_uint begun;

/* Blocks begin with a word that all their groups of 16 bytes begin with, so that a mixture is noticed. */
static void fill(uint8_t *block, struct rng *r)
{
	uint32_t word = (uint32_t)rng_next(r) | 1;

	for (unsigned i = 0; i < BLOCK; i += 16) {
		memset(block + i, (int)(i / 64), 16);
		memcpy(block + i, &word, sizeof(word));
	}
}

static void check_block(struct zram *z, uint64_t at, bool may_be_gone)
{
	uint8_t block[BLOCK];

	if (zram_pread(z, block, BLOCK, at) != 0) {
		CHECK_MSG(may_be_gone && errno == EINVAL, "%s", zram_strerror());
		return;
	}
	for (unsigned i = 16; i < BLOCK; i += 16)
		CHECK_MSG(memcmp(block, block + i, 4) == 0, "block at %lu is a mixture", (unsigned long)at);
}

static void step(struct zram *z, struct rng *r, bool resets)
{
	uint64_t at = rng_below(r, BLOCKS) * BLOCK;
	uint8_t block[BLOCK];

	if (resets && rng_one_in(r, 500)) {
		CHECK(zram_attr_set(z, "reset", "1") == 0);
		CHECK(zram_attr_set(z, "disksize", "8192000") == 0 || errno == EBUSY);
	} else if (rng_one_in(r, 10)) {
		CHECK(zram_discard(z, at, 3 * BLOCK) == 0 || errno == EINVAL);
	} else if (rng_one_in(r, 3)) {
		check_block(z, at, true);
	} else {
		fill(block, r);
		CHECK_MSG(zram_pwrite(z, block, BLOCK, at) == 0 || errno == EINVAL, "%s", zram_strerror());
	}
}

static void *work(void *arg)
{
	struct rng r = { (uint64_t)(uintptr_t)arg };

	for (unsigned i = 0; !atomic_load(&stop); i++) {
		uint64_t which = rng_below(&r, 2);

		step(devices[which], &r, which == 0 && !CHECK_ASAN);
		if (i == STEPS_BEFORE)
			atomic_fetch_add(&begun, 1);
	}
	return NULL;
}

static void in_the_child(unsigned number)
{
	struct rng r = { number };

	alarm(120);
	for (unsigned d = 0; d < 2; d++) {
		struct zram *z = devices[d];

		for (uint64_t i = 0; i < BLOCKS; i += 7)
			check_block(z, i * BLOCK, true);
		for (unsigned i = 0; i < 200; i++)
			step(z, &r, false);
		if (zram_get_pool(z) != NULL)
			CHECK(zs_pool_validate(zram_get_pool(z)) == 0);
		CHECK(zram_attr_set(z, "reset", "1") == 0);
		CHECK_MSG(zram_attr_set(z, "disksize", "1M") == 0, "%s", zram_strerror());
		CHECK(zram_pwrite(z, "child", 5, 100) == 0);
		zram_destroy(z);
	}
	_exit(0);
}

int main(void)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	pthread_t threads[THREADS];

	if (CHECK_TSAN) {
		printf("skipped: ThreadSanitizer has no threads in the child of a process that had some\n");
		return 77;
	}
	check_install();
	o.disksize = BLOCKS * BLOCK;
	devices[0] = zram_create("fork", &o);
	o.flags = CHECK_ASAN ? 0 : ZRAM_TRAIN_DICT;
	devices[1] = zram_create("fork-train", &o);
	CHECK(devices[0] != NULL && devices[1] != NULL);
	for (uintptr_t t = 0; t < THREADS; t++)
		CHECK(pthread_create(&threads[t], NULL, work, (void *)(t + 1)) == 0);
	EVENTUALLY(atomic_load(&begun) == THREADS);
	for (unsigned i = 0; i < FORKS * check_soak_factor(); i++) {
		int status = 0;

		check_step(i);
		usleep(3000);
		fflush(stdout);
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0)
			in_the_child(i);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with status %#x",
			  (unsigned)status);
	}
	atomic_store(&stop, true);
	for (unsigned t = 0; t < THREADS; t++)
		CHECK(pthread_join(threads[t], NULL) == 0);
	for (unsigned d = 0; d < 2; d++)
		zram_destroy(devices[d]);
	return 0;
}
