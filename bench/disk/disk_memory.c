/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disk_memory.c - what an NBD server holds while its disk is filled, overwritten and trimmed.
 *
 *   bench_disk_memory URI PID DATA filled|used|fresh-overwritten|fresh-trimmed SEED
 *
 * DATA is a file of real data; a block is 4 KiB of it. "filled": every block is written in order, with DATA from its
 * beginning, again if it is shorter than the disk; then nothing happens for two seconds. "used": every block is written
 * in order, then as many blocks as there are, twice, each at a random place with random content of DATA; then 87 of
 * 100 blocks, chosen at random, are trimmed one by one; then nothing happens for two seconds. The others write, in
 * order and to an empty disk, what "used" has on it at one point: after it was overwritten, and after it was trimmed.
 *
 * Prints one JSON object: the bytes resident in process PID at the start, those beyond them at the end of each stage,
 * and in "points" as pairs of [MiB written or trimmed so far, MiB resident].
 */
#include <inttypes.h>
#include <libnbd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	BLOCK = 4096,
	OVERWRITES = 2,
	TRIM_PERCENT = 87,
	POINTS = 24, /* of each stage */
	DEPTH = 16,  /* requests under way */
	SETTLE_SECONDS = 2,
};

static struct nbd_handle *nbd;
static const char *process;
static uint64_t random_state, blocks, data_blocks, at_start, operations;
static unsigned char *data;
static uint32_t *content; /* block of DATA that each block of the disk holds; UINT32_MAX: none */
static bool first_point = true;

_Noreturn static void die(const char *what)
{
	fprintf(stderr, "bench_disk_memory: %s\n", what);
	exit(1);
}

/* SplitMix64, so that all servers get the same. */
static uint64_t random_below(uint64_t n)
{
	uint64_t x = random_state += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return (x ^ (x >> 31)) % n;
}

/* smaps_rollup walks the page tables: exact, unlike the counters in status. */
static uint64_t resident(void)
{
	char path[64], line[256];
	unsigned long long kib = 0;
	snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", process);
	FILE *file = fopen(path, "r");
	if (!file)
		die("can't read the memory of the server");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Rss: %llu", &kib) == 1)
			break;
	fclose(file);
	return (uint64_t)kib * 1024;
}

static uint64_t growth(void)
{
	uint64_t now = resident();
	return now > at_start ? now - at_start : 0;
}

static void point(void)
{
	printf("%s[%.2f, %.2f]", first_point ? "" : ", ", (double)operations * BLOCK / (1 << 20),
	       (double)growth() / (1 << 20));
	first_point = false;
}

static int answered(void *user_data, int *error)
{
	(void)user_data;
	if (*error)
		die("a request failed");
	return 1;
}

/* Wait until fewer than that many requests are under way. */
static void wait_below(int under_way)
{
	while (nbd_aio_in_flight(nbd) >= under_way)
		if (nbd_poll(nbd, -1) == -1)
			die(nbd_get_error());
}

static void write_block(uint64_t block, uint64_t source)
{
	nbd_completion_callback callback = { .callback = answered };
	wait_below(DEPTH);
	if (nbd_aio_pwrite(nbd, data + source * BLOCK, BLOCK, block * BLOCK, callback, 0) == -1)
		die(nbd_get_error());
	content[block] = (uint32_t)source;
}

static void trim_block(uint64_t block)
{
	nbd_completion_callback callback = { .callback = answered };
	wait_below(DEPTH);
	if (nbd_aio_trim(nbd, BLOCK, block * BLOCK, callback, 0) == -1)
		die(nbd_get_error());
	content[block] = UINT32_MAX;
}

/* Two writes of one block may be under way at once and land in either order: in sum that changes nothing. */
static void count(void)
{
	operations++;
	if (operations % (blocks / POINTS) == 0) {
		wait_below(1);
		point();
	}
}

static void fill(bool live)
{
	for (uint64_t i = 0; i < blocks; i++) {
		if (live)
			write_block(i, i % data_blocks);
		content[i] = (uint32_t)(i % data_blocks);
		if (live)
			count();
	}
}

static void overwrite(bool live)
{
	for (uint64_t i = 0; i < blocks; i++) {
		uint64_t block = random_below(blocks), source = random_below(data_blocks);
		if (live) {
			write_block(block, source);
			count();
		}
		content[block] = (uint32_t)source;
	}
}

/* A random order of all blocks, of which the first 87 % go. */
static void trim(bool live)
{
	uint32_t *order = malloc(blocks * sizeof(*order));
	if (!order)
		die("out of memory");
	for (uint32_t i = 0; i < blocks; i++)
		order[i] = i;
	for (uint64_t i = blocks - 1; i > 0; i--) {
		uint64_t k = random_below(i + 1);
		uint32_t other = order[k];
		order[k] = order[i];
		order[i] = other;
	}
	for (uint64_t i = 0; i < blocks * TRIM_PERCENT / 100; i++) {
		if (live) {
			trim_block(order[i]);
			count();
		}
		content[order[i]] = UINT32_MAX;
	}
	free(order);
}

static void settle(void)
{
	const struct timespec time = { .tv_sec = SETTLE_SECONDS };
	wait_below(1);
	nanosleep(&time, NULL);
}

static void load_data(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (!file || fseek(file, 0, SEEK_END) != 0)
		die("can't read DATA");
	data_blocks = (uint64_t)ftell(file) / BLOCK;
	rewind(file);
	data = malloc(data_blocks * BLOCK);
	if (!data || data_blocks == 0 || data_blocks >= UINT32_MAX ||
	    fread(data, BLOCK, data_blocks, file) != data_blocks)
		die("can't read DATA");
	fclose(file);
}

/* What is on the disk at that point, by itself: nothing is written before it is known. */
static void write_content(void)
{
	for (uint64_t i = 0; i < blocks; i++)
		if (content[i] != UINT32_MAX)
			write_block(i, content[i]);
	settle();
}

static void run_used(void)
{
	uint64_t filled, overwritten, trimmed;
	printf("\"points\": [");
	point();
	fill(true);
	wait_below(1);
	filled = growth();
	for (int i = 0; i < OVERWRITES; i++)
		overwrite(true);
	settle();
	overwritten = growth();
	trim(true);
	settle();
	trimmed = growth();
	operations += blocks / POINTS;
	point();
	printf("], \"filled_bytes\": %" PRIu64 ", \"overwritten_bytes\": %" PRIu64 ", \"trimmed_bytes\": %" PRIu64,
	       filled, overwritten, trimmed);
}

static void run_filled(void)
{
	fill(false);
	write_content();
	printf("\"bytes\": %" PRIu64, growth());
}

static void run_fresh(bool trimmed)
{
	fill(false);
	for (int i = 0; i < OVERWRITES; i++)
		overwrite(false);
	if (trimmed)
		trim(false);
	write_content();
	printf("\"bytes\": %" PRIu64, growth());
}

int main(int argc, char **argv)
{
	if (argc != 6)
		die("usage: bench_disk_memory URI PID DATA filled|used|fresh-overwritten|fresh-trimmed SEED");
	process = argv[2];
	random_state = strtoull(argv[5], NULL, 10);
	load_data(argv[3]);
	nbd = nbd_create();
	if (!nbd || nbd_connect_uri(nbd, argv[1]) == -1)
		die(nbd_get_error());
	blocks = (uint64_t)nbd_get_size(nbd) / BLOCK;
	content = malloc(blocks * sizeof(*content));
	if (!content || blocks < POINTS)
		die("out of memory, or the disk is too small");
	/* The threads of the connection and their buffers are there before the first reading. */
	for (int i = 0; i < 256; i++) {
		static unsigned char buf[DEPTH][BLOCK];
		nbd_completion_callback callback = { .callback = answered };
		wait_below(DEPTH);
		if (nbd_aio_pread(nbd, buf[i % DEPTH], BLOCK, 0, callback, 0) == -1)
			die(nbd_get_error());
	}
	wait_below(1);
	at_start = resident();
	printf("{\"stage\": \"%s\", \"blocks\": %" PRIu64 ", \"start_bytes\": %" PRIu64 ", ", argv[4], blocks, at_start);
	if (strcmp(argv[4], "used") == 0)
		run_used();
	else if (strcmp(argv[4], "filled") == 0)
		run_filled();
	else
		run_fresh(strcmp(argv[4], "fresh-trimmed") == 0);
	printf("}\n");
	nbd_close(nbd);
	return 0;
}
