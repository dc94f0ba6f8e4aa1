/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_store_test.c - the kernel's zram and libzram with lz4 and ZS_GEOMETRY_LINUX are given the same writes, overwrites,
 * discards, zeroes and compactions: mm_stat, io_stat and debug_stat must be the same text at each step, and every block
 * must read the same.
 *
 *   conformance_store SEED        pages of r random bytes followed by zeros, which both LZ4 compress to the same size
 *   conformance_store SEED real   pages of this machine's files, whose sizes differ between the two versions of LZ4: the
 *                                 sums must agree within REAL_TOLERANCE, the counts of blocks exactly
 *
 * Exits with 77 where there is no idle zram device.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "kernel_zram.h"
#include "rng.h"

#define PAGES 8192u
#define DISKSIZE ((uint64_t)PAGES * ZRAM_PAGE)
#define MOST_PAGES 32u /* of one request */
#define STEPS 12000u
#define REAL_STEPS 1500u
#define EACH_STEP 500u /* the first steps, after each of which the numbers are compared */
#define BATCH 16u      /* later */

/* liblz4 1.9.4 and the kernel's LZ4 (1.8.3 with changes): parts of a thousand of the compressed bytes. */
#define REAL_TOLERANCE 1u

static struct zram *store;
static struct rng rng;
static uint64_t steps;
static bool real;
static double worst; /* difference of a sum of sizes, relative */

static void ours(const char *attr, char text[256])
{
	CHECK_MSG(zram_attr_get(store, attr, text, 256) >= 0, "%s", zram_strerror());
}

static void numbers(const char *text, uint64_t n[9])
{
	char *end;

	for (unsigned i = 0; i < 9; i++) {
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
	return difference * 1000 <= a * REAL_TOLERANCE + 1000 * slack;
}

static void compare_real(const char *what, const char *kernel, const char *text)
{
	uint64_t k[9], o[9];

	numbers(kernel, k);
	numbers(text, o);
	/* orig_data_size and same_pages exactly, sums of sizes nearly. A block at the watermark may be huge in one only. */
	CHECK_MSG(k[0] == o[0] && k[5] == o[5] && near(k[1], o[1], 64) && near(k[2], o[2], ZRAM_PAGE * 64),
		  "after a %s\n  kernel %s  ours   %s", what, kernel, text);
}

static void compare_text(const char *what, const char *attr)
{
	char kernel[256], text[256];

	kernel_zram_attr(attr, kernel, sizeof(kernel));
	ours(attr, text);
	if (real && strcmp(attr, "mm_stat") == 0)
		compare_real(what, kernel, text);
	else
		CHECK_MSG(strcmp(kernel, text) == 0, "%s after a %s\n  kernel %s  ours   %s", attr, what, kernel, text);
}

static void compare(const char *what)
{
	check_step(++steps);
	if (steps > EACH_STEP && steps % BATCH != 0)
		return;
	compare_text(what, "mm_stat");
	compare_text(what, "io_stat");
	compare_text(what, "debug_stat");
}

/* Any page of a few large files; zeros where they end. */
static void real_page(uint8_t *page)
{
	static const char *const names[] = { "/proc/self/exe", "/usr/bin/perl",  "/usr/bin/bash",
					     "/usr/bin/gcc",   "/usr/bin/cmake", "/usr/lib/git-core/git" };
	static int fds[6];
	static bool opened;
	size_t which = (size_t)rng_below(&rng, 6);

	for (unsigned i = 0; !opened && i < 6; i++)
		fds[i] = open(names[i], O_RDONLY | O_CLOEXEC);
	opened = true;
	if (fds[which] < 0 ||
	    pread(fds[which], page, ZRAM_PAGE, (off_t)(rng_below(&rng, 256) * ZRAM_PAGE)) != ZRAM_PAGE)
		for (unsigned i = 0; i < ZRAM_PAGE; i++)
			page[i] = (uint8_t)(i < 1000 ? rng_next(&rng) : 0);
}

static void fill_page(uint8_t *page)
{
	size_t random_bytes = (size_t)rng_range(&rng, 1, ZRAM_PAGE);

	memset(page, 0, ZRAM_PAGE);
	if (rng_one_in(&rng, 20)) {
		uint64_t word = rng_one_in(&rng, 2) ? 0 : rng_next(&rng);

		for (size_t i = 0; i < ZRAM_PAGE; i += sizeof(word))
			memcpy(page + i, &word, sizeof(word));
	} else if (real) {
		real_page(page);
	} else {
		for (size_t i = 0; i < random_bytes; i++)
			page[i] = (uint8_t)rng_next(&rng);
	}
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

static void discard_some(size_t index, size_t n)
{
	kernel_zram_discard(index, n);
	CHECK(zram_discard(store, index * ZRAM_PAGE, n * ZRAM_PAGE) == 0);
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
	compare(attr);
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
	} else if (rng_one_in(&rng, 8)) {
		set_both("compact", "1");
	}
}

int main(int argc, char **argv)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	const char *reason;

	CHECK(argc == 2 || argc == 3);
	rng.state = strtoull(argv[1], NULL, 0);
	real = argc == 3 && strcmp(argv[2], "real") == 0;
	reason = kernel_zram_open(DISKSIZE);
	if (reason != NULL) {
		printf("skipped: %s\n", reason);
		return 77;
	}
	check_context("conformance_store %s%s", argv[1], real ? " real" : "");
	o.disksize = DISKSIZE;
	o.pool.geometry = ZS_GEOMETRY_LINUX;
	store = zram_create("conformance", &o);
	CHECK_MSG(store != NULL, "%s", zram_strerror());
	compare("creation");
	for (uint64_t i = 0; i < (real ? REAL_STEPS : STEPS) * check_soak_factor(); i++)
		step();
	read_all();
	set_both("compact", "1");
	discard_some(0, PAGES);
	steps = 0; /* so that it is compared */
	compare("discard of everything");
	kernel_zram_close();
	zram_destroy(store);
	if (real)
		printf("real pages: sums of sizes within %.3f %%\n", worst * 100);
	else
		printf("made pages: agreed\n");
	return 0;
}
