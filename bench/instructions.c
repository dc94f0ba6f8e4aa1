/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * instructions.c - bench_instructions, with this library's handles, and bench_instructions_malloc, with plain pointers:
 * loops whose instructions bench/instructions.sh has valgrind count.
 *
 *   pair      malloc an object, free it, again and again
 *   replace   free a live object chosen at random, malloc one of another size
 *   read      touch the first byte of one chosen at random, between begin and end
 *   section   the same in a read section around all of them
 *   view      the same, by a view: without a call
 *   batch     the same, sixteen objects at a time
 *   write     write 3 bytes to one chosen at random
 *
 * Each runs twice, SHORT and LONG times. What one operation costs is the difference of the two, divided by that of the
 * lengths: what is done once is not in it. All choices are made before, from one seed, so that the count is the same on
 * every machine that runs the same instructions. The loop itself, some four instructions, is in it.
 */
#include <stdbool.h>
#include <stdio.h>

#include "common.h"
#include "object.h"
#include "peer.h"

/* A function of its own, so that it has its instructions to itself. gcc would copy it for what it is called with. */
#ifdef __clang__
#define ALONE __attribute__((noinline))
#else
#define ALONE __attribute__((noinline, noclone))
#endif

#define LIVE 20000u
#define SIZES 64u
#define PAIR_SIZE 2000u
#define BATCH 16u
#define SHORT 16000u
#define LONG 48000u

static struct zs_pool *pool;
static object_ref live[LIVE];
static uint32_t sizes[SIZES];
static uint32_t which[LONG];
static object_ref order[LONG];
static unsigned sum;

ALONE static void pair(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ref_free(pool, ref_new(pool, PAIR_SIZE));
}

ALONE static void replace(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		object_ref *o = &live[which[i]];

		ref_free(pool, *o);
		*o = ref_new(pool, sizes[i % SIZES]);
	}
}

static inline void touch(const void *mem)
{
	sum += *(const volatile unsigned char *)mem;
}

ALONE static void read_each(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const void *mem = ref_begin(pool, order[i]);

		touch(mem);
		ref_end(pool, order[i], mem);
	}
}

ALONE static void section(uint32_t n)
{
#ifdef BENCH_PLAIN
	read_each(n);
#else
	zs_read_begin(pool);
	for (uint32_t i = 0; i < n; i++)
		touch(zs_obj_address(pool, order[i]));
	zs_read_end(pool);
#endif
}

ALONE static void view(uint32_t n)
{
#ifdef BENCH_PLAIN
	read_each(n);
#else
	const struct zs_view v = zs_pool_view(pool);

	zs_read_begin(pool);
	for (uint32_t i = 0; i < n; i++)
		touch(zs_view_address(&v, order[i]));
	zs_read_end(pool);
#endif
}

ALONE static void batch(uint32_t n)
{
#ifdef BENCH_PLAIN
	read_each(n);
#else
	const void *mem[BATCH];

	for (uint32_t i = 0; i < n; i += BATCH) {
		if (zs_obj_read_begin_batch(pool, order + i, BATCH, mem, NULL) != 0)
			fail(errno, "batch");
		for (uint32_t j = 0; j < BATCH; j++)
			touch(mem[j]);
		zs_obj_read_end_batch(pool);
	}
#endif
}

ALONE static void write_three(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ref_write(pool, order[i], "abc", 3);
}

/* What valgrind's counts are looked up by, so not static; and the last thing in them is no call. */
#define MEASURE(name, run) \
	void short_##name(void); \
	void long_##name(void); \
	ALONE void short_##name(void) \
	{ \
		run(SHORT); \
		use(&sum); \
	} \
	ALONE void long_##name(void) \
	{ \
		run(LONG); \
		use(&sum); \
	}

MEASURE(pair, pair)
MEASURE(replace, replace)
MEASURE(read, read_each)
MEASURE(section, section)
MEASURE(view, view)
MEASURE(batch, batch)
MEASURE(write, write_three)

static void choose(void)
{
	struct rng rng = { 1 };

	for (uint32_t i = 0; i < SIZES; i++)
		sizes[i] = 32 + rng_below(&rng, 3600);
	for (uint32_t i = 0; i < LONG; i++)
		which[i] = rng_below(&rng, LIVE);
}

/* Which figures these are to be compared with: what the compiler makes of the code is its own. */
static void print_key(void)
{
#if defined(__x86_64__)
	const char *machine = "x86_64";
#elif defined(__aarch64__)
	const char *machine = "aarch64";
#else
	const char *machine = "other";
#endif
#if defined(__clang__)
	printf("%s clang-%d\n", machine, __clang_major__);
#else
	printf("%s gcc-%d\n", machine, __GNUC__);
#endif
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--key") == 0) {
		print_key();
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--name") == 0) {
		printf("%s %s\n", peer_name(), peer_version());
		return 0;
	}
	choose();
	pool = pool_new();
	for (uint32_t i = 0; i < LIVE; i++)
		live[i] = ref_new(pool, sizes[i % SIZES]);
	/* Into a steady state. */
	replace(LONG);
	pair(LONG);
	short_pair();
	long_pair();
	short_replace();
	long_replace();
	for (uint32_t i = 0; i < LONG; i++)
		order[i] = live[which[i]];
	short_read();
	long_read();
	short_section();
	long_section();
	short_view();
	long_view();
	short_batch();
	long_batch();
	short_write();
	long_write();
	for (uint32_t i = 0; i < LIVE; i++)
		ref_free(pool, live[i]);
	pool_end(pool);
	return 0;
}
