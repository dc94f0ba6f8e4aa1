/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_store_test.c - the kernel's zram and libzram with ZS_GEOMETRY_LINUX are given the same writes, overwrites,
 * discards, zeroes and compactions: mm_stat, io_stat and debug_stat must be the same text at each step, and every block
 * must read the same.
 *
 *   conformance_store SEED made|real ALGORITHM
 *
 *   made        pages as in made_pages.h
 *   real        pages of this machine, of five kinds, as in real_pages.h
 *   ALGORITHM   lzo-rle, or lz4 or lzo with kernel=1; or liblz4, which is lz4 without: whose sums of sizes must agree
 *               within LIBRARY_TOLERANCE, and the counts of blocks exactly
 *
 * Where memory is short the kernel compacts its pool by itself, at a moment of its own. Then both devices are emptied, and
 * the test goes on.
 *
 * Exits with 77 where there is no idle zram device.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "kernel_zram.h"
#include "made_pages.h"
#include "real_pages.h"
#include "rng.h"

#define PAGES 8192u
#define DISKSIZE ((uint64_t)PAGES * ZRAM_PAGE)
#define MOST_PAGES 32u /* of one request */
#define STEPS 6000u
#define REAL_STEPS 2000u
#define REAL_OF_A_KIND 400u
#define EACH_STEP 500u /* the first steps, after each of which all is compared; mm_stat is always */
#define BATCH 16u      /* later */

/* liblz4 1.9.4 and the kernel's LZ4 (1.8.3 with changes): parts of a thousand of the compressed bytes. */
#define LIBRARY_TOLERANCE 1u

#define MOST_NEW_STARTS 50u
#define END_OF_COMPACTION 500u /* hundredths of a second */

/* mm_stat, by position. */
enum { ORIG, COMPR, USED, LIMIT, USED_MAX, SAME, COMPACTED, HUGE, HUGE_SINCE, NUMBERS };

static struct zram *store;
static struct rng rng;
static uint64_t steps, written;
static bool library;
static double worst; /* difference of a sum of sizes, relative */
static uint64_t alone; /* pages that the kernel has compacted by itself */
static unsigned new_starts;

/* Where not made: pages to choose from. */
static uint8_t *real;
static size_t real_count;

static void ours(const char *attr, char text[256])
{
	CHECK_MSG(zram_attr_get(store, attr, text, 256) >= 0, "%s", zram_strerror());
}

static void numbers(const char *text, uint64_t n[NUMBERS])
{
	char *end;

	for (unsigned i = 0; i < NUMBERS; i++) {
		n[i] = strtoull(text, &end, 10);
		CHECK_MSG(end != text, "mm_stat: %s", text);
		text = end;
	}
}

/* Whether b is within the tolerance of a, or within a few objects where there are few; the worst is told at the end. */
static bool near(uint64_t a, uint64_t b, uint64_t slack)
{
	uint64_t difference = a > b ? a - b : b - a;
	double relative = a > 1000 * slack ? (double)difference / (double)a : 0;

	if (relative > worst)
		worst = relative;
	return difference * 1000 <= a * LIBRARY_TOLERANCE + 1000 * slack;
}

/* All of it; or with liblz4 the counts of blocks, and sums nearly: a block at the watermark may be huge in one only. */
static bool agree(const uint64_t k[NUMBERS], const uint64_t o[NUMBERS])
{
	if (!library)
		return memcmp(k, o, NUMBERS * sizeof(*k)) == 0;
	return k[ORIG] == o[ORIG] && k[SAME] == o[SAME] && near(k[COMPR], o[COMPR], 64) &&
	       near(k[USED], o[USED], ZRAM_PAGE * 64);
}

/* Whether they agree but for what a compaction changes. */
static bool agree_but_for_pages(const uint64_t k[NUMBERS], const uint64_t o[NUMBERS])
{
	uint64_t same[NUMBERS];

	memcpy(same, k, sizeof(same));
	same[USED] = o[USED];
	same[USED_MAX] = o[USED_MAX];
	same[COMPACTED] = o[COMPACTED];
	return agree(same, o);
}

static void compare_text(const char *what, const char *attr)
{
	char kernel[256], text[256];

	kernel_zram_attr(attr, kernel, sizeof(kernel));
	ours(attr, text);
	CHECK_MSG(strcmp(kernel, text) == 0, "%s after a %s\n  kernel %s  ours   %s", attr, what, kernel, text);
}

static void empty_both(void);

/* The kernel's, without what it has compacted by itself; and ours. Whether they agree. */
static bool read_both(uint64_t k[NUMBERS], uint64_t o[NUMBERS])
{
	char kernel[256], text[256];

	kernel_zram_attr("mm_stat", kernel, sizeof(kernel));
	ours("mm_stat", text);
	numbers(kernel, k);
	numbers(text, o);
	k[COMPACTED] -= alone;
	return agree(k, o);
}

static void print(const char *whose, const uint64_t n[NUMBERS])
{
	printf("%s", whose);
	for (unsigned i = 0; i < NUMBERS; i++)
		printf(" %" PRIu64, n[i]);
	printf("\n");
}

static void compare_mm_stat(const char *what)
{
	const struct timespec pause = { 0, 10000000 };
	uint64_t k[NUMBERS], o[NUMBERS];

	if (read_both(k, o))
		return;
	/* A compaction counts its pages when it has come to its end. */
	for (unsigned i = 0; i < END_OF_COMPACTION && k[USED] < o[USED] && k[COMPACTED] == o[COMPACTED]; i++) {
		nanosleep(&pause, NULL);
		(void)read_both(k, o);
	}
	if (!agree_but_for_pages(k, o) || k[COMPACTED] <= o[COMPACTED]) {
		print("kernel", k);
		print("ours  ", o);
		CHECK_MSG(false, "mm_stat differs after a %s", what);
	}
	if (++new_starts > MOST_NEW_STARTS) {
		printf("skipped: memory is so short that the kernel compacts all the time\n");
		exit(77);
	}
	empty_both();
	(void)read_both(k, o);
	alone += k[COMPACTED] - o[COMPACTED];
	compare_mm_stat("new start");
}

static void compare(const char *what)
{
	check_step(++steps);
	compare_mm_stat(what);
	if (steps > EACH_STEP && steps % BATCH != 0)
		return;
	compare_text(what, "io_stat");
	compare_text(what, "debug_stat");
}

static void collect_real(void)
{
	const size_t each = (size_t)(REAL_OF_A_KIND * check_soak_factor());

	real = malloc(REAL_KINDS * each * ZRAM_PAGE);
	CHECK(real != NULL);
	for (unsigned kind = 0; kind < REAL_KINDS; kind++)
		real_count += real_pages((enum real_kind)kind, &rng, real + real_count * ZRAM_PAGE, each);
}

static void fill_page(uint8_t *page)
{
	if (real_count == 0 || rng_one_in(&rng, 20))
		made_any(&rng, page);
	else
		memcpy(page, real + rng_below(&rng, real_count) * ZRAM_PAGE, ZRAM_PAGE);
}

static size_t some_pages(size_t *index)
{
	size_t n = rng_one_in(&rng, 4) ? (size_t)rng_range(&rng, 1, MOST_PAGES) : 1;

	*index = (size_t)rng_below(&rng, PAGES - n + 1);
	return n;
}

static void write_some(void)
{
	static _Alignas(4096) uint8_t pages[MOST_PAGES * ZRAM_PAGE];
	size_t index, n = some_pages(&index);

	for (size_t i = 0; i < n; i++)
		fill_page(pages + i * ZRAM_PAGE);
	kernel_zram_write_range(index, pages, n);
	CHECK_MSG(zram_pwrite(store, pages, n * ZRAM_PAGE, index * ZRAM_PAGE) == 0, "%s", zram_strerror());
	written += n;
	compare("write");
}

static void read_all(void)
{
	static _Alignas(4096) uint8_t kernel[ZRAM_PAGE], text[ZRAM_PAGE];

	for (size_t i = 0; i < PAGES; i++) {
		kernel_zram_read(i, kernel);
		CHECK(zram_pread(store, text, ZRAM_PAGE, i * ZRAM_PAGE) == 0);
		CHECK_MSG(memcmp(kernel, text, ZRAM_PAGE) == 0, "block %zu differs", i);
	}
}

static void discard_both(size_t index, size_t n)
{
	kernel_zram_discard(index, n);
	CHECK(zram_discard(store, index * ZRAM_PAGE, n * ZRAM_PAGE) == 0);
}

static void discard_some(size_t index, size_t n)
{
	discard_both(index, n);
	compare("discard");
}

static void zero_some(size_t index, size_t n)
{
	kernel_zram_zero(index, n);
	CHECK(zram_zero(store, index * ZRAM_PAGE, n * ZRAM_PAGE) == 0);
	compare("zeroing");
}

static void set_both(const char *attr, const char *value)
{
	kernel_zram_set(attr, value);
	CHECK_MSG(zram_attr_set(store, attr, value) == 0, "%s", zram_strerror());
}

static void empty_both(void)
{
	discard_both(0, PAGES);
	set_both("mem_used_max", "0");
}

static void step(void)
{
	uint64_t choice = rng_below(&rng, 100);
	size_t index, n;

	if (choice < 78) {
		write_some();
	} else if (choice < 90) {
		n = some_pages(&index);
		discard_some(index, n);
	} else if (choice < 97) {
		n = some_pages(&index);
		zero_some(index, n);
	} else if (choice < 98) {
		set_both("mem_used_max", "0");
		compare("mem_used_max");
	} else if (rng_one_in(&rng, 8)) {
		set_both("compact", "1");
		compare("compaction");
	}
}

/* The device with an algorithm. */
static void create(const char *algorithm)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.disksize = DISKSIZE;
	o.comp_algorithm = algorithm;
	o.algorithm_params = library ? NULL : "kernel=1";
	o.pool.geometry = ZS_GEOMETRY_LINUX;
	store = zram_create("conformance", &o);
	CHECK_MSG(store != NULL, "%s", zram_strerror());
}

int main(int argc, char **argv)
{
	const char *algorithm, *reason;
	bool made;

	CHECK(argc == 4);
	rng.state = strtoull(argv[1], NULL, 0);
	made = strcmp(argv[2], "made") == 0;
	library = strcmp(argv[3], "liblz4") == 0;
	algorithm = library ? "lz4" : argv[3];
	reason = kernel_zram_open_with(DISKSIZE, algorithm);
	if (reason != NULL) {
		printf("skipped: %s\n", reason);
		return 77;
	}
	check_context("conformance_store %s %s %s", argv[1], argv[2], argv[3]);
	if (!made)
		collect_real();
	create(algorithm);
	compare("creation");
	for (uint64_t i = 0; i < (made ? STEPS : REAL_STEPS) * check_soak_factor(); i++)
		step();
	read_all();
	set_both("compact", "1");
	compare("compaction");
	discard_some(0, PAGES);
	kernel_zram_close();
	zram_destroy(store);
	free(real);
	printf("%zu pages written, %zu steps: ", (size_t)written, (size_t)steps);
	if (new_starts > 0)
		printf("%u new starts, ", new_starts);
	if (library)
		printf("sums of sizes within %.3f %%\n", worst * 100);
	else
		printf("agreed\n");
	return 0;
}
