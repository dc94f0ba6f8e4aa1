/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recover.c - how long memory takes to come back after nearly all of it was freed: one line of JSON a round.
 *
 *   pool     a pool with a shrinker holds 190 MiB, of which half is dropped and written anew three times; then all but
 *            an eightieth of its objects is freed, at random and within about a second
 *   disk     a zram device with its background is written full, as much as compresses to that, and trimmed likewise
 *
 * The background's share of a processor is one percent, so that it has little saved up when it matters, as after long
 * use. At each round's end everything is compacted, so that it is known what there was to come back. "ms" is from the
 * last free until the memory was within 5 % of that, "cpu_ms" what the process used of the processors until the round's
 * end, "runnable" how many other tasks wanted one, on average, as /proc/loadavg says each time the memory is looked at.
 *
 * With --strict the pool's shrinker keeps to its share in any case. With --busy N, so many processes count as fast as
 * they can: "kept" is what they counted in the second after the last free against what they counted in that second of a
 * round without anybody who works in the background.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zsmalloc/zram.h>
#include <zsmalloc/zsmalloc.h>

#include "common.h"

#define HELD ((size_t)190 << 20)
#define KEEP 80u /* one of so many stays */
#define MOST_OBJECTS 400000u
#define BLOCK 4096u
#define CYCLES 3u
#define STEPS 100u
#define STEP_US 5000u
#define LOOK_US 5000u
#define PATIENCE_NS ((uint64_t)60 * 1000000000u)
#define MOST_BUSY 64u
#define LOOKS (PATIENCE_NS / 1000 / LOOK_US)

/* One of both. */
struct store {
	struct zs_pool *pool;
	struct zram *disk;
	zs_handle *object;
	uint8_t *there;
	uint32_t count;
};

static struct rng rng = { 1 };
static atomic_ulong *counts; /* of the busy ones, shared with them */
static pid_t busy[MOST_BUSY];
static uint64_t nr_busy;
static unsigned share = 1; /* of a processor, in percent */
static unsigned flags;     /* of the pool's shrinker */

/* --- the busy ones --- */

static void busy_start(void)
{
	counts = mmap(NULL, MOST_BUSY * 64, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counts == MAP_FAILED)
		fail(errno, "memory");
	for (uint64_t i = 0; i < nr_busy; i++) {
		busy[i] = fork();
		if (busy[i] < 0)
			fail(errno, "fork");
		if (busy[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				atomic_fetch_add_explicit(&counts[i * 8], 1, memory_order_relaxed);
		}
	}
}

static void busy_end(void)
{
	for (uint64_t i = 0; i < nr_busy; i++) {
		kill(busy[i], SIGKILL);
		waitpid(busy[i], NULL, 0);
	}
}

static unsigned long busy_count(void)
{
	unsigned long n = 0;

	for (uint64_t i = 0; i < nr_busy; i++)
		n += atomic_load(&counts[i * 8]);
	return n;
}

/* --- filling and freeing --- */

static uint32_t any_size(void)
{
	return 64 + rng_below(&rng, 3000);
}

static void fill_pool(struct store *s)
{
	s->pool = zs_create_pool("recover");
	if (s->pool == NULL)
		fail(errno, "a pool");
	for (; s->count < MOST_OBJECTS && zs_get_total_bytes(s->pool) < HELD; s->count++)
		if ((s->object[s->count] = zs_malloc(s->pool, any_size(), 0)) == 0)
			fail(errno, "an object");
}

/* Compresses to about any_size(). */
static void write_block(struct store *s, uint32_t index)
{
	static uint64_t block[BLOCK / 8];
	uint32_t random = any_size() / 8;

	memset(block, 0, sizeof(block));
	for (uint32_t i = 0; i < random; i++)
		block[i] = rng_next(&rng);
	if (zram_pwrite(s->disk, block, BLOCK, (uint64_t)index * BLOCK) != 0)
		fail(0, "%s", zram_strerror());
}

static void fill_disk(struct store *s)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.disksize = (uint64_t)MOST_OBJECTS * BLOCK;
	s->disk = zram_create("recover", &o);
	if (s->disk == NULL)
		fail(0, "%s", zram_strerror());
	for (; s->count < MOST_OBJECTS && zs_get_total_bytes(zram_get_pool(s->disk)) < HELD; s->count++)
		write_block(s, s->count);
}

static void drop(struct store *s, uint32_t i)
{
	if (s->disk == NULL)
		zs_free(s->pool, s->object[i]);
	else if (zram_discard(s->disk, (uint64_t)i * BLOCK, BLOCK) != 0)
		fail(0, "%s", zram_strerror());
}

static void store(struct store *s, uint32_t i)
{
	if (s->disk != NULL)
		write_block(s, i);
	else if ((s->object[i] = zs_malloc(s->pool, any_size(), 0)) == 0)
		fail(errno, "an object");
}

/* All but one of `keep`, in steps with rests between them, as when many files are deleted. */
static void drop_most(struct store *s, uint32_t keep)
{
	for (uint32_t i = 0; i < s->count; i++) {
		bool stays = rng_below(&rng, keep) == 0;

		if (!stays && s->there[i])
			drop(s, i);
		s->there[i] = s->there[i] && stays;
		if (i % (s->count / STEPS + 1) == 0)
			usleep(STEP_US);
	}
}

/* What lies there for the last time was written and dropped many times. */
static void use_and_free(struct store *s)
{
	for (unsigned cycle = 0; cycle < CYCLES; cycle++) {
		drop_most(s, 2);
		for (uint32_t i = 0; i < s->count; i++)
			if (!s->there[i])
				store(s, i);
		memset(s->there, 1, s->count);
	}
	drop_most(s, KEEP);
}

static uint64_t held(const struct store *s)
{
	return zs_get_total_bytes(s->disk != NULL ? zram_get_pool(s->disk) : s->pool);
}

static void start_background(struct store *s)
{
	struct zs_shrinker_policy shrinker = ZS_SHRINKER_POLICY_INIT;
	struct zram_background background = ZRAM_BACKGROUND_INIT;

	shrinker.cpu_percent = background.cpu_percent = share;
	shrinker.flags = flags;
	if (s->disk != NULL ? zram_background_start(s->disk, &background) != 0
			    : zs_register_shrinker(s->pool, &shrinker) != 0)
		fail(errno, "the background");
}

static void compact_all(const struct store *s)
{
	if (s->disk == NULL)
		(void)zs_compact(s->pool);
	else if (zram_attr_set(s->disk, "compact", "1") != 0)
		fail(0, "%s", zram_strerror());
}

static void end_store(struct store *s)
{
	if (s->disk != NULL)
		zram_destroy(s->disk);
	else
		zs_destroy_pool(s->pool);
	s->pool = NULL;
	s->disk = NULL;
	s->count = 0;
}

/* --- a round --- */

static double cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec * 1e-6;
}

static unsigned runnable(void)
{
	unsigned n = 1;
	FILE *f = fopen("/proc/loadavg", "r");

	if (f != NULL) {
		if (fscanf(f, "%*f %*f %*f %u/", &n) != 1)
			n = 1;
		fclose(f);
	}
	return n > 0 ? n - 1 : 0; /* without the one that asks */
}

/* What one round came to. */
struct outcome {
	double ms, tasks;
	unsigned long counted; /* by the busy ones, in the first second */
};

static struct outcome look(const struct store *s, unsigned rest)
{
	static uint64_t at[LOOKS], bytes[LOOKS];
	unsigned long counted = busy_count();
	uint64_t n = 0, sum = 0, start = now_ns(), second = start + 1000000000u;
	uint64_t end = start + (uint64_t)rest * 1000000000u;
	struct outcome o = { .ms = -1 };

	for (; n < LOOKS && now_ns() < end; n++) {
		at[n] = now_ns() - start;
		if (start + at[n] + LOOK_US * 1000 >= second && o.counted == 0)
			o.counted = busy_count() - counted;
		bytes[n] = held(s);
		sum += runnable();
		usleep(LOOK_US);
	}
	compact_all(s);
	uint64_t enough = held(s) + held(s) / 20, i = n;

	while (i > 0 && bytes[i - 1] <= enough)
		i--;
	if (i < n)
		o.ms = (double)at[i] * 1e-6;
	o.tasks = (double)sum / (double)n;
	return o;
}

static void prepare(const char *what, struct store *s, bool background, uint64_t *before, uint64_t *freed_to)
{
	if (strcmp(what, "disk") == 0)
		fill_disk(s);
	else
		fill_pool(s);
	*before = held(s);
	memset(s->there, 1, s->count);
	if (background)
		start_background(s);
	use_and_free(s);
	*freed_to = held(s);
}

static void round_of(const char *what, struct store *s, unsigned rest)
{
	struct outcome without, with;
	double used;
	uint64_t before, freed_to;

	prepare(what, s, false, &before, &freed_to);
	without = look(s, 2);
	end_store(s);
	prepare(what, s, true, &before, &freed_to);
	used = cpu_ms();
	with = look(s, rest);
	used = cpu_ms() - used;
	printf("{\"bench\":\"recover\",\"what\":\"%s\",\"busy\":%llu,\"before\":%llu,\"freed_to\":%llu,\"end\":%llu,"
	       "\"ms\":%.0f,\"cpu_ms\":%.0f,\"runnable\":%.1f",
	       what, (unsigned long long)nr_busy, (unsigned long long)before, (unsigned long long)freed_to,
	       (unsigned long long)held(s), with.ms, used, with.tasks);
	if (nr_busy > 0)
		printf(",\"kept\":%.3f", (double)with.counted / (double)without.counted);
	printf("}\n");
	fflush(stdout);
	end_store(s);
}

int main(int argc, char **argv)
{
	uint64_t rounds = 3, rest = 20;
	const char *what = "pool";
	struct store s = { 0 };

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "pool") == 0 || strcmp(argv[i], "disk") == 0) {
			what = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--strict") == 0) {
			flags = ZS_SHRINKER_STRICT;
			continue;
		}
		if (strcmp(argv[i], "--busy") == 0)
			nr_busy = number(argv[i], value, 0, MOST_BUSY);
		else if (strcmp(argv[i], "--share") == 0)
			share = (unsigned)number(argv[i], value, 1, 100);
		else if (strcmp(argv[i], "--rounds") == 0)
			rounds = number(argv[i], value, 1, 1000);
		else if (strcmp(argv[i], "--rest") == 0)
			rest = number(argv[i], value, 1, PATIENCE_NS / 1000000000u);
		else
			fail(0,
			     "usage: bench_recover [pool|disk] [--busy N] [--strict] [--share PERCENT] [--rounds N] [--rest SECONDS]");
		i++;
	}
	s.there = pages(MOST_OBJECTS);
	s.object = pages(MOST_OBJECTS * sizeof(*s.object));
	busy_start();
	for (uint64_t i = 0; i < rounds; i++)
		round_of(what, &s, (unsigned)rest);
	busy_end();
	return 0;
}
