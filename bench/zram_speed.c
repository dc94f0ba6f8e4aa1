/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_speed.c - bench_zram: the page store against what it can't be faster than, and against the kernel's.
 *
 * Each round measures one thing after the other on the same pages: what is compared lies seconds apart, and a ratio is
 * taken within a round. The numbers printed are all rounds', for a median. One line of JSON.
 *
 *   put       pages are overwritten, in order, by others: bare = LZ4 into a buffer that is there, and a copy of it
 *   fill      the same into a device that is empty, which takes its memory from the system page by page
 *   get       pages are read in order, again and again: few enough to stay in the processor's caches; bare = LZ4 from
 *             the buffer of put
 *   get all   the same of all pages, which lie in a row for the bare loop and anywhere for a store that overwrites
 *   get 64k   the same, sixteen pages a request
 *   same      pages of one word; bare = memcmp() of the page with itself shifted by a word
 *   threads   put and get of half of the pages by each of two threads, on a processor each; and bare, without the copy:
 *             what the machine has two processors for
 *
 * Memory is all that a device holds; the kernel's is mem_used_total plus 16 bytes a block.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <lz4.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zsmalloc/zram.h>

#include "common.h"
#include "dataset.h"
#include "kernel_device.h"

#define PAGE DATASET_PAGE
#define BOUND LZ4_COMPRESSBOUND(PAGE)
#define MOST_KINDS 8u
#define MOST_ROUNDS 99u
#define SAME_PAGES 64u /* in the processor's cache: what is measured is the check */
#define SAME_TIMES 200u
#define HOT_PAGES 128u
#define HOT_TIMES 64u
#define TRAINED_BYTES (5u << 20) /* a little more than what the store begins to train at */
#define BLOCK_ENTRY 16u          /* the kernel's table, bytes a block */

static const char usage[] = "usage: bench_zram [--rounds N] [--pages N] [--no-kernel] NAME=DATASET...\n"
			    "  --rounds N    rounds (5)\n"
			    "  --pages N     pages of all kinds together (8192)\n"
			    "  --no-kernel   leave "
			    "/dev/zram0 alone\n";

struct kind {
	const char *name;
	struct dataset data;
};

/* Nanoseconds a page, by round. */
enum measure {
	BARE_PUT,
	BARE_PUT_TWO,
	PUT,
	FILL,
	PUT_TWO,
	BARE_GET,
	GET,
	BARE_GET_ALL,
	GET_ALL,
	GET_64K,
	GET_TWO,
	BARE_SAME,
	SAME,
	KERNEL_PUT,
	KERNEL_GET,
	MEASURES
};

static const char *const measure_names[MEASURES] = {
	"bare_put", "bare_put_two_threads", "put",       "fill", "put_two_threads", "bare_get",  "get", "bare_get_all",
	"get_all",  "get_64k",              "get_two_threads", "bare_same", "same", "kernel_put", "kernel_get"
};

static struct kind kinds[MOST_KINDS];
static unsigned nr_kinds;
static double result[MEASURES][MOST_ROUNDS];

static size_t n = 8192;
static uint8_t *input;  /* n pages, of all kinds in turn */
static uint8_t *packed; /* what the bare loop makes of them */
static int *lengths;
static struct zram *store;

static struct zram *make(size_t count, const char *algorithm, enum zs_geometry geometry, unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = (uint64_t)count * PAGE;
	o.comp_algorithm = algorithm;
	o.pool.geometry = geometry;
	o.flags = flags;
	z = zram_create("bench", &o);
	if (z == NULL)
		fail(0, "%s", zram_strerror());
	return z;
}

static void put_one(struct zram *z, size_t at, const uint8_t *page)
{
	if (zram_pwrite(z, page, PAGE, (uint64_t)at * PAGE) != 0)
		fail(0, "%s", zram_strerror());
}

/* Page i of round r: never the one that is there already. */
static const uint8_t *page_of(size_t i, unsigned round)
{
	return input + (i + round * 7) % n * PAGE;
}

static void keep(enum measure m, unsigned round, uint64_t started, size_t pages_done)
{
	result[m][round] = (double)(now_ns() - started) / (double)pages_done;
}

static void bare_put(unsigned round)
{
	static LZ4_stream_t state;
	static char out[BOUND];
	uint8_t *to = packed;
	uint64_t started = now_ns();

	for (size_t i = 0; i < n; i++) {
		int len = LZ4_compress_fast_extState(&state, (const char *)page_of(i, round), out, (int)PAGE,
						     (int)BOUND, 1);

		memcpy(to, out, (size_t)len);
		to += len;
		lengths[i] = len;
	}
	keep(BARE_PUT, round, started, n);
}

static void bare_get(enum measure m, unsigned round, size_t count, unsigned times)
{
	static char page[PAGE];
	uint64_t started = now_ns();

	for (unsigned k = 0; k < times; k++) {
		const uint8_t *from = packed;

		for (size_t i = 0; i < count; i++) {
			if (LZ4_decompress_safe((const char *)from, page, lengths[i], (int)PAGE) != (int)PAGE)
				fail(0, "LZ4 did not give a page back");
			from += lengths[i];
		}
	}
	keep(m, round, started, count * times);
}

static void put(unsigned round)
{
	uint64_t started = now_ns();

	for (size_t i = 0; i < n; i++)
		put_one(store, i, page_of(i, round));
	keep(PUT, round, started, n);
}

static void get(enum measure m, unsigned round, size_t count, unsigned times)
{
	static uint8_t page[PAGE];
	uint64_t started = now_ns();

	for (unsigned k = 0; k < times; k++)
		for (size_t i = 0; i < count; i++)
			if (zram_pread(store, page, PAGE, (uint64_t)i * PAGE) != 0)
				fail(0, "%s", zram_strerror());
	keep(m, round, started, count * times);
	if (memcmp(page, page_of(count - 1, round), PAGE) != 0)
		fail(0, "the store gave another page back");
}

/* All pages, sixteen at a time. */
static void get_64k(unsigned round)
{
	static uint8_t page[16 * PAGE];
	uint64_t started = now_ns();

	for (size_t i = 0; i + 16 <= n; i += 16)
		if (zram_pread(store, page, sizeof(page), (uint64_t)i * PAGE) != 0)
			fail(0, "%s", zram_strerror());
	keep(GET_64K, round, started, n / 16 * 16);
}

static void fill(unsigned round)
{
	struct zram *z = make(n, "lz4", ZS_GEOMETRY_DENSE, 0);
	uint64_t started = now_ns();

	for (size_t i = 0; i < n; i++)
		put_one(z, i, page_of(i, round));
	keep(FILL, round, started, n);
	zram_destroy(z);
}

struct half {
	pthread_t thread;
	size_t first, end;
	unsigned round, number;
	uint64_t started, ended;
	pthread_barrier_t *start;
};

/* A scheduler takes longer than a measurement to find out that the other processor is idle. */
static void on_own_processor(unsigned number)
{
	cpu_set_t allowed, one;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return;
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &allowed) && number-- == 0) {
			CPU_ZERO(&one);
			CPU_SET(cpu, &one);
			(void)sched_setaffinity(0, sizeof(one), &one);
			return;
		}
	}
}

/* What two processors of this machine do at most. */
static void *bare_put_half(void *arg)
{
	struct half *h = arg;
	LZ4_stream_t state;
	char out[BOUND];

	on_own_processor(h->number);
	pthread_barrier_wait(h->start);
	h->started = now_ns();
	for (size_t i = h->first; i < h->end; i++)
		if (LZ4_compress_fast_extState(&state, (const char *)page_of(i, h->round), out, (int)PAGE, (int)BOUND,
					       1) <= 0)
			fail(0, "LZ4 failed");
	h->ended = now_ns();
	return NULL;
}

static void *put_half(void *arg)
{
	struct half *h = arg;

	on_own_processor(h->number);

	pthread_barrier_wait(h->start);
	h->started = now_ns();
	for (size_t i = h->first; i < h->end; i++)
		put_one(store, i, page_of(i, h->round));
	h->ended = now_ns();
	return NULL;
}

static void *get_half(void *arg)
{
	struct half *h = arg;
	uint8_t page[PAGE];

	on_own_processor(h->number);
	pthread_barrier_wait(h->start);
	h->started = now_ns();
	for (size_t i = h->first; i < h->end; i++)
		if (zram_pread(store, page, PAGE, (uint64_t)i * PAGE) != 0)
			fail(0, "%s", zram_strerror());
	h->ended = now_ns();
	return NULL;
}

static void two_threads(enum measure m, unsigned round, unsigned contents, void *(*run)(void *))
{
	pthread_barrier_t start;
	struct half half[2];
	uint64_t first, last;

	if (pthread_barrier_init(&start, NULL, 2) != 0)
		fail(0, "no barrier");
	for (unsigned t = 0; t < 2; t++) {
		half[t] = (struct half){
			.first = t * n / 2, .end = (t + 1) * n / 2, .round = contents, .number = t, .start = &start
		};
		if (pthread_create(&half[t].thread, NULL, run, &half[t]) != 0)
			fail(0, "no thread");
	}
	for (unsigned t = 0; t < 2; t++)
		pthread_join(half[t].thread, NULL);
	first = half[0].started < half[1].started ? half[0].started : half[1].started;
	last = half[0].ended > half[1].ended ? half[0].ended : half[1].ended;
	result[m][round] = (double)(last - first) / (double)n;
	pthread_barrier_destroy(&start);
}

static void same(unsigned round)
{
	static _Alignas(64) uint8_t page[SAME_PAGES][PAGE];
	struct zram *z = make(SAME_PAGES, "lz4", ZS_GEOMETRY_DENSE, 0);
	uint64_t started;

	for (unsigned i = 0; i < SAME_PAGES; i++)
		memset(page[i], (int)i, PAGE);
	started = now_ns();
	for (unsigned k = 0; k < SAME_TIMES; k++)
		for (unsigned i = 0; i < SAME_PAGES; i++) {
			int differs = memcmp(page[i], page[i] + 8, PAGE - 8);

			/* Each comparison counts: the compiler is not to know that they are all alike. */
			__asm__ volatile("" : : "r"(differs) : "memory");
		}
	keep(BARE_SAME, round, started, (size_t)SAME_TIMES * SAME_PAGES);
	for (unsigned i = 0; i < SAME_PAGES; i++)
		put_one(z, i, page[i]);
	started = now_ns();
	for (unsigned k = 0; k < SAME_TIMES; k++)
		for (unsigned i = 0; i < SAME_PAGES; i++)
			put_one(z, i, page[i]);
	keep(SAME, round, started, (size_t)SAME_TIMES * SAME_PAGES);
	zram_destroy(z);
}

static void kernel(unsigned round)
{
	static _Alignas(4096) uint8_t page[PAGE];
	uint64_t started = now_ns();

	for (size_t i = 0; i < n; i++)
		kernel_device_put(i, page_of(i, round));
	keep(KERNEL_PUT, round, started, n);
	started = now_ns();
	for (size_t i = 0; i < n; i++)
		kernel_device_get(i, page);
	keep(KERNEL_GET, round, started, n);
}

static void run_rounds(unsigned rounds, bool with_kernel)
{
	const size_t hot = n < HOT_PAGES ? n : HOT_PAGES;

	store = make(n, "lz4", ZS_GEOMETRY_DENSE, 0);
	for (size_t i = 0; i < n; i++) {
		put_one(store, i, page_of(i, 1000));
		if (with_kernel)
			kernel_device_put(i, page_of(i, 1000));
	}
	for (unsigned round = 0; round < rounds; round++) {
		bare_put(round);
		put(round);
		bare_get(BARE_GET, round, hot, HOT_TIMES);
		get(GET, round, hot, HOT_TIMES);
		bare_get(BARE_GET_ALL, round, n, 1);
		get(GET_ALL, round, n, 1);
		get_64k(round);
		two_threads(BARE_PUT_TWO, round, round, bare_put_half);
		two_threads(PUT_TWO, round, round + 500, put_half);
		two_threads(GET_TWO, round, round + 500, get_half);
		same(round);
		fill(round);
		if (with_kernel)
			kernel(round);
	}
	zram_destroy(store);
}

/* A number of the device's statistics. */
static uint64_t statistic(struct zram *z, const char *name)
{
	char *text = NULL, key[64];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL || zram_stats_print(z, out, ZRAM_STATS_JSON) != 0 || fclose(out) != 0)
		fail(errno, "statistics");
	snprintf(key, sizeof(key), "\"%s\": ", name);
	const char *at = strstr(text, key);

	if (at == NULL)
		fail(0, "no statistic %s", name);
	uint64_t value = strtoull(at + strlen(key), NULL, 10);

	free(text);
	return value;
}

static void write_kind(struct zram *z, const struct dataset *d)
{
	for (uint32_t i = 0; i < d->contents; i++)
		put_one(z, i, dataset_content(d, i));
}

/* All that a device holds with these pages, after a training where there is one: bytes. */
static uint64_t memory_of(const struct kind *k, const char *algorithm, unsigned flags, uint64_t *dictionary)
{
	struct zram *z = make(k->data.contents, algorithm, ZS_GEOMETRY_DENSE, flags);
	const struct timespec pause = { 0, 20000000 };
	uint64_t bytes;

	write_kind(z, &k->data);
	if (flags != 0) {
		/*
		 * Little is not trained on; of more, half a minute is enough, though it may find that none is worth
		 * it.
		 */
		for (unsigned i = 0; k->data.contents * (uint64_t)PAGE >= TRAINED_BYTES && i < 1500 &&
				     statistic(z, "dictionary_trainings") == 0;
		     i++)
			nanosleep(&pause, NULL);
		write_kind(z, &k->data);
		if (zram_attr_set(z, "compact", "1") != 0)
			fail(0, "%s", zram_strerror());
	}
	bytes = statistic(z, "memory_bytes");
	if (dictionary != NULL)
		*dictionary = statistic(z, "dictionary_bytes");
	zram_destroy(z);
	return bytes;
}

static void print_kind(const struct kind *k)
{
	struct zram *z = make(k->data.contents, "lz4", ZS_GEOMETRY_LINUX, 0);
	uint64_t dict_lz4, dict_zstd, lz4, lz4_dict, zstd, zstd_dict;

	write_kind(z, &k->data);
	lz4 = memory_of(k, "lz4", 0, NULL);
	lz4_dict = memory_of(k, "lz4", ZRAM_TRAIN_DICT, &dict_lz4);
	zstd = memory_of(k, "zstd", 0, NULL);
	zstd_dict = memory_of(k, "zstd", ZRAM_TRAIN_DICT, &dict_zstd);
	printf("{\"kind\":\"%s\",\"pages\":%" PRIu32 ",\"kernel_bytes\":%" PRIu64 ",\"lz4_bytes\":%" PRIu64
	       ",\"lz4_dict_bytes\":%" PRIu64 ",\"lz4_dictionary\":%" PRIu64 ",\"zstd_bytes\":%" PRIu64
	       ",\"zstd_dict_bytes\":%" PRIu64 ",\"zstd_dictionary\":%" PRIu64 "}",
	       k->name, k->data.contents, statistic(z, "mem_used_total") + (uint64_t)BLOCK_ENTRY * k->data.contents,
	       lz4, lz4_dict, dict_lz4, zstd, zstd_dict, dict_zstd);
	zram_destroy(z);
}

static void print_result(unsigned rounds, const char *no_kernel)
{
	printf("{\"bench\":\"zram\",\"pages\":%zu,\"lz4\":\"%s\",\"kernel\":\"%s\",\"ns\":{", n, LZ4_versionString(),
	       no_kernel != NULL ? no_kernel : "measured");
	for (unsigned m = 0; m < (no_kernel != NULL ? KERNEL_PUT : MEASURES); m++) {
		printf("%s\"%s\":[", m > 0 ? "," : "", measure_names[m]);
		for (unsigned r = 0; r < rounds; r++)
			printf("%s%.1f", r > 0 ? "," : "", result[m][r]);
		putchar(']');
	}
	printf("},\"memory\":[");
	for (unsigned i = 0; i < nr_kinds; i++) {
		if (i > 0)
			putchar(',');
		print_kind(&kinds[i]);
	}
	printf("]}\n");
}

static void read_kinds(char **argv)
{
	for (; *argv != NULL && nr_kinds < MOST_KINDS; argv++) {
		char *path = strchr(*argv, '=');

		if (path == NULL) {
			fputs(usage, stderr);
			exit(2);
		}
		*path++ = '\0';
		kinds[nr_kinds++] = (struct kind){ *argv, dataset_load(path) };
	}
	if (nr_kinds == 0) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "pages", required_argument, NULL, 'p' },
		{ "no-kernel", no_argument, NULL, 'k' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned rounds = 5;
	const char *no_kernel = NULL;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'r') {
			rounds = (unsigned)number("--rounds", optarg, 1, MOST_ROUNDS);
		} else if (o == 'p') {
			n = (size_t)number("--pages", optarg, 16, 1000000);
		} else if (o == 'k') {
			no_kernel = "not asked";
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	read_kinds(argv + optind);
	input = pages(n * PAGE);
	packed = pages(n * BOUND);
	lengths = pages(n * sizeof(*lengths));
	for (size_t i = 0; i < n; i++)
		memcpy(input + i * PAGE, dataset_content(&kinds[i % nr_kinds].data, (uint32_t)(i / nr_kinds)), PAGE);
	if (no_kernel == NULL)
		no_kernel = kernel_device_open((uint64_t)n * PAGE, "lz4");
	run_rounds(rounds, no_kernel == NULL);
	print_result(rounds, no_kernel);
	return 0;
}
