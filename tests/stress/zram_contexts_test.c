/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_contexts_test.c - sixteen threads write and read a device while its contexts are given back all the time, taken
 * from one thread for another, refused for want of memory, made anew with another algorithm; with `fork` children are
 * made of that meanwhile.
 *
 *   stress_zram_contexts threads|limit|fork
 *
 * Each thread has its own blocks, and finds in them what it wrote; with `limit` a write may be refused, and then the
 * block is as it was.
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
#include "rng.h"

#define THREADS 16u
#define EACH 12u
#define BLOCK 4096u
#define STEPS 150u
#define FORKS 6u

static struct zram *z;
static bool limited;
static atomic_bool stop;
static atomic_uint running, refused;

static void fill(uint8_t *block, uint64_t seed)
{
	struct rng r = { seed };

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = i % 4 == 0 ? (uint8_t)rng_next(&r) : (uint8_t)(seed >> (i % 3));
}

static void check_block(uint64_t index, uint64_t seed)
{
	uint8_t want[BLOCK] = { 0 }, got[BLOCK];

	if (seed != 0)
		fill(want, seed);
	CHECK_MSG(zram_pread(z, got, BLOCK, index * BLOCK) == 0, "%s", zram_strerror());
	CHECK_MSG(memcmp(want, got, BLOCK) == 0, "block %llu", (unsigned long long)index);
}

/* What a thread wrote to each of its blocks; 0: nothing. */
static uint64_t seeds[THREADS][EACH];

static void step(struct rng *r, unsigned t)
{
	unsigned i = (unsigned)rng_below(r, EACH);
	uint64_t index = (uint64_t)t * EACH + i, seed = rng_next(r) | 1;
	uint8_t block[BLOCK];

	if (rng_one_in(r, 2)) {
		check_block(index, seeds[t][i]);
		return;
	}
	fill(block, seed);
	if (zram_pwrite(z, block, BLOCK, index * BLOCK) == 0) {
		seeds[t][i] = seed;
		return;
	}
	CHECK_MSG(limited && errno == ENOMEM, "%s", zram_strerror());
	atomic_fetch_add(&refused, 1);
	check_block(index, seeds[t][i]);
}

static void *work(void *arg)
{
	unsigned t = (unsigned)(uintptr_t)arg;
	struct rng r = { t + 1 };

	for (uint64_t n = 0; n < STEPS * check_soak_factor(); n++)
		step(&r, t);
	atomic_fetch_sub(&running, 1);
	return NULL;
}

/* Gives back what no thread uses just now, and compresses anew. */
static void *trim(void *arg)
{
	while (!atomic_load(&stop)) {
		CHECK(zram_attr_set(z, "compact", "1") == 0);
		CHECK(zram_attr_set(z, "recompress", "priority=1 max_pages=5") == 0 || errno == ENOMEM);
	}
	return arg;
}

static void check_all(void)
{
	for (unsigned t = 0; t < THREADS; t++)
		for (unsigned i = 0; i < EACH; i++)
			check_block((uint64_t)t * EACH + i, seeds[t][i]);
	CHECK(zs_pool_validate(zram_get_pool(z)) == 0);
}

/* One thread has what sixteen of the parent had. */
static void in_the_child(void)
{
	uint8_t block[BLOCK];

	alarm(60);
	for (uint64_t i = 0; i < THREADS * EACH; i++) {
		CHECK(zram_pread(z, block, BLOCK, i * BLOCK) == 0);
		fill(block, i + 1);
		CHECK_MSG(zram_pwrite(z, block, BLOCK, i * BLOCK) == 0, "%s", zram_strerror());
		check_block(i, i + 1);
	}
	CHECK(zram_attr_set(z, "compact", "1") == 0);
	CHECK_MSG(zram_attr_set(z, "recompress", "priority=1") == 0, "%s", zram_strerror());
	CHECK(zs_pool_validate(zram_get_pool(z)) == 0);
	zram_destroy(z);
	_exit(0);
}

static void fork_some(void)
{
	for (unsigned i = 0; i < FORKS && atomic_load(&running) > 0; i++) {
		int status = 0;

		check_step(i);
		fflush(stdout);
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0)
			in_the_child();
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with status %#x",
			  (unsigned)status);
	}
}

/* The least that a device takes as its limit: so little that some writes are refused, and contexts with them. */
static uint64_t least_limit(const struct zram_options *options)
{
	struct zram_options o = *options;
	unsigned long long bytes = 0;

	o.mem_limit = 4096;
	CHECK(zram_create("contexts", &o) == NULL && errno == ENOMEM);
	const char *text = strstr(zram_strerror(), "at least ");

	CHECK_MSG(text != NULL && sscanf(text, "at least %llu", &bytes) == 1, "%s", zram_strerror());
	return bytes;
}

static void run(const char *algorithm, const char *mode)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	pthread_t threads[THREADS], trimmer;

	memset(seeds, 0, sizeof(seeds));
	atomic_store(&stop, false);
	atomic_store(&running, THREADS);
	o.disksize = THREADS * EACH * BLOCK;
	o.comp_algorithm = algorithm;
	o.recomp_algorithm[0] = "deflate";
	o.mem_limit = limited ? least_limit(&o) : 0;
	z = zram_create("contexts", &o);
	CHECK_MSG(z != NULL, "%s", zram_strerror());
	CHECK(pthread_create(&trimmer, NULL, trim, NULL) == 0);
	for (uintptr_t t = 0; t < THREADS; t++)
		CHECK(pthread_create(&threads[t], NULL, work, (void *)t) == 0);
	if (strcmp(mode, "fork") == 0)
		fork_some();
	for (unsigned t = 0; t < THREADS; t++)
		CHECK(pthread_join(threads[t], NULL) == 0);
	atomic_store(&stop, true);
	CHECK(pthread_join(trimmer, NULL) == 0);
	check_all();
	/* The same device, with another algorithm. */
	CHECK(zram_attr_set(z, "reset", "1") == 0);
	CHECK(zram_attr_set(z, "comp_algorithm", "lz4hc") == 0);
	CHECK_MSG(zram_attr_set(z, "disksize", "1M") == 0, "%s", zram_strerror());
	memset(seeds, 0, sizeof(seeds));
	for (uint64_t i = 0; i < 20; i++) {
		struct rng r = { i };

		step(&r, 0);
	}
	zram_destroy(z);
}

int main(int argc, char **argv)
{
	static const char *const algorithms[] = { "zstd", "lz4hc" };

	CHECK(argc == 2);
	if (CHECK_TSAN && strcmp(argv[1], "fork") == 0) {
		printf("skipped: ThreadSanitizer has no threads in the child of a process that had some\n");
		return 77;
	}
	check_install();
	limited = strcmp(argv[1], "limit") == 0;
	for (unsigned a = 0; a < 2; a++)
		run(algorithms[a], argv[1]);
	printf("%u writes refused\n", atomic_load(&refused));
	return 0;
}
