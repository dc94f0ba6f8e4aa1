/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec_speed.c - bench_codecs: one algorithm of the page store against the kernel's zram with the same, and against
 * liblzo2 or liblz4 in a bare loop. One thread, real pages; in turn within each round, and what is printed are medians
 * of the ratios within the rounds.
 *
 *   bench_codecs [--rounds N] [--pages N] [--no-kernel] lzo-rle|lzo|lz4 DATASET...
 *
 *   write   pages are overwritten, in order, by others
 *   read    all of them are read, in order
 *   bare    the same pages, compressed one behind the other, decompressed in a loop: lzo1x for both of LZO
 *
 * The kernel's figures have a system call in them, ours don't, which is what using one or the other costs.
 */
#include <getopt.h>
#include <lz4.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zram.h>

#ifdef HAVE_LZO2
#include <lzo/lzo1x.h>
#endif

#include "common.h"
#include "dataset.h"
#include "kernel_device.h"

#define PAGE DATASET_PAGE
#define MOST_PACKED (PAGE + PAGE / 16 + 67) /* LZO's bound, the longer one */
#define MOST_ROUNDS 99u

enum measure { WRITE, READ, KERNEL_WRITE, KERNEL_READ, BARE_READ, MEASURES };

static const char *algorithm;
static size_t n = 8192;
static uint8_t *input, *packed;
static uint16_t *lengths;
static double ns[MEASURES][MOST_ROUNDS]; /* a page */

/* Page i of a round: never the one that is there already. */
static const uint8_t *page_of(size_t i, unsigned round)
{
	return input + (i + (round + 1) * 7) % n * PAGE;
}

static void keep(enum measure m, unsigned round, uint64_t started)
{
	ns[m][round] = (double)(now_ns() - started) / (double)n;
}

static bool is_lz4(void)
{
	return strcmp(algorithm, "lz4") == 0;
}

/* False: there is no library. */
static bool pack(void)
{
	if (is_lz4()) {
		for (size_t i = 0; i < n; i++)
			lengths[i] = (uint16_t)LZ4_compress_default((const char *)page_of(i, 0),
								    (char *)packed + i * MOST_PACKED, (int)PAGE,
								    (int)MOST_PACKED);
		return true;
	}
#ifdef HAVE_LZO2
	static _Alignas(64) uint8_t memory[LZO1X_1_MEM_COMPRESS];

	for (size_t i = 0; i < n; i++) {
		lzo_uint len;

		if (lzo1x_1_compress(page_of(i, 0), PAGE, packed + i * MOST_PACKED, &len, memory) != LZO_E_OK)
			fail(0, "LZO failed");
		lengths[i] = (uint16_t)len;
	}
	return true;
#else
	return false;
#endif
}

static void bare_read(unsigned round)
{
	static uint8_t page[PAGE];
	uint64_t started = now_ns();
	size_t right = 0;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *from = packed + i * MOST_PACKED;

		if (is_lz4()) {
			right += LZ4_decompress_safe((const char *)from, (char *)page, lengths[i], (int)PAGE) == (int)PAGE;
			continue;
		}
#ifdef HAVE_LZO2
		lzo_uint len = PAGE;

		right += lzo1x_decompress_safe(from, lengths[i], page, &len, NULL) == LZO_E_OK && len == PAGE;
#endif
	}
	keep(BARE_READ, round, started);
	if (right != n)
		fail(0, "the library did not give a page back");
}

static void store_round(struct zram *z, unsigned round)
{
	static uint8_t page[PAGE];
	uint64_t started = now_ns();

	for (size_t i = 0; i < n; i++)
		if (zram_pwrite(z, page_of(i, round), PAGE, i * PAGE) != 0)
			fail(0, "%s", zram_strerror());
	keep(WRITE, round, started);
	started = now_ns();
	for (size_t i = 0; i < n; i++)
		if (zram_pread(z, page, PAGE, i * PAGE) != 0)
			fail(0, "%s", zram_strerror());
	keep(READ, round, started);
	if (memcmp(page, page_of(n - 1, round), PAGE) != 0)
		fail(0, "the store gave another page back");
}

static void kernel_round(unsigned round)
{
	static _Alignas(4096) uint8_t page[PAGE];
	uint64_t started = now_ns();

	for (size_t i = 0; i < n; i++)
		kernel_device_put(i, page_of(i, round));
	keep(KERNEL_WRITE, round, started);
	started = now_ns();
	for (size_t i = 0; i < n; i++)
		kernel_device_get(i, page);
	keep(KERNEL_READ, round, started);
}

/* The median of one by the other, times what there is of it. */
static void print_ratio(const char *name, enum measure theirs, enum measure ours, unsigned rounds)
{
	double ratio[MOST_ROUNDS];

	for (unsigned i = 0; i < rounds; i++)
		ratio[i] = ns[theirs][i] / ns[ours][i];
	printf(", \"%s\": %.3f", name, median(ratio, rounds));
}

static void print_result(unsigned rounds, const char *no_kernel, bool bare)
{
	printf("{\"algorithm\": \"%s\", \"pages\": %zu, \"rounds\": %u", algorithm, n, rounds);
	if (no_kernel == NULL) {
		print_ratio("write_by_kernel", KERNEL_WRITE, WRITE, rounds);
		print_ratio("read_by_kernel", KERNEL_READ, READ, rounds);
	} else {
		printf(", \"no_kernel\": \"%s\"", no_kernel);
	}
	if (bare)
		print_ratio("read_by_bare_library", BARE_READ, READ, rounds);
	printf(", \"write_ns\": %.0f", median(ns[WRITE], rounds));
	printf(", \"read_ns\": %.0f}\n", median(ns[READ], rounds));
}

static void take_pages(char **names, int count)
{
	struct dataset data[8];

	if (count < 1 || count > 8) {
		fputs("usage: bench_codecs [--rounds N] [--pages N] [--no-kernel] lzo-rle|lzo|lz4 DATASET...\n", stderr);
		exit(2);
	}
	for (int i = 0; i < count; i++)
		data[i] = dataset_load(names[i]);
	input = pages(n * PAGE);
	packed = pages(n * MOST_PACKED);
	lengths = pages(n * sizeof(*lengths));
	for (size_t i = 0; i < n; i++)
		memcpy(input + i * PAGE, dataset_content(&data[i % (size_t)count], (uint32_t)(i / (size_t)count)), PAGE);
}

static struct zram *make(void)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	o.disksize = (uint64_t)n * PAGE;
	o.comp_algorithm = algorithm;
	z = zram_create("bench", &o);
	if (z == NULL)
		fail(0, "%s", zram_strerror());
	return z;
}

static void run(unsigned rounds, bool with_kernel, bool bare)
{
	struct zram *z = make();

	/* The first is for memory that is there already. */
	for (unsigned i = 0; i <= rounds; i++) {
		const unsigned round = i == 0 ? 0 : i - 1;

		store_round(z, round);
		if (with_kernel)
			kernel_round(round);
		if (bare)
			bare_read(round);
	}
	zram_destroy(z);
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
	bool bare;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'r')
			rounds = (unsigned)number("--rounds", optarg, 1, MOST_ROUNDS);
		else if (o == 'p')
			n = (size_t)number("--pages", optarg, 16, 1000000);
		else if (o == 'k')
			no_kernel = "not asked";
		else
			return 2;
	}
	take_pages(argv + optind + 1, argc - optind - 1);
	algorithm = argv[optind];
	if (no_kernel == NULL)
		no_kernel = kernel_device_open((uint64_t)n * PAGE, algorithm);
	bare = pack();
	run(rounds, no_kernel == NULL, bare);
	print_result(rounds, no_kernel, bare);
	return 0;
}
