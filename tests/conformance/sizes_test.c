/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sizes_test.c - page by page, the kernel's zram and libzram compress to the same size, and libzram gives every page
 * back.
 *
 *   conformance_sizes SEED ALGORITHM
 *
 * ALGORITHM is lzo-rle, or lz4 or lzo with kernel=1. Pages are made ones (made_pages.h) and real ones of five kinds
 * (real_pages.h): some thousands, and many more when soaking, then also each count of random bytes and each length of a
 * run of zeros. Exits with 77 where there is no idle zram device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "kernel_zram.h"
#include "made_pages.h"
#include "real_pages.h"
#include "rng.h"

#define MIXTURES 700u
#define RANDOMS 150u
#define RUNS 300u
#define REAL_OF_A_KIND 240u
#define REAL_SOAK 12000u /* the same when soaking: some 50,000 pages of five kinds */

static struct zram *store;
static struct rng rng;
static uint64_t compared;

/* So that the page can be looked at. */
static void print_page(const uint8_t *page)
{
	for (size_t i = 0; i < ZRAM_PAGE; i++)
		printf("%02x%s", page[i], i % 64 == 63 ? "\n" : "");
}

/* The two devices have this one page. */
static void compare(const char *kind, const uint8_t *page)
{
	struct zram_block_info info = ZRAM_BLOCK_INFO_INIT;
	uint8_t back[ZRAM_PAGE];
	uint64_t kernel;

	check_step(++compared);
	kernel_zram_write(0, page);
	kernel = kernel_zram_numbers().compr_data_size;
	CHECK_MSG(zram_pwrite(store, page, ZRAM_PAGE, 0) == 0, "%s", zram_strerror());
	CHECK(zram_get_block_info(store, 0, &info) == 0);
	if (info.stored_bytes != kernel) {
		print_page(page);
		CHECK_MSG(info.stored_bytes == kernel, "%s: the kernel has %zu bytes, ours are %zu", kind, (size_t)kernel,
			  info.stored_bytes);
	}
	CHECK_MSG(zram_pread(store, back, ZRAM_PAGE, 0) == 0, "%s: %s", kind, zram_strerror());
	CHECK_MSG(memcmp(page, back, ZRAM_PAGE) == 0, "%s: a page reads otherwise", kind);
}

static void compare_made(uint64_t factor)
{
	static _Alignas(ZRAM_PAGE) uint8_t page[ZRAM_PAGE];
	const size_t every = factor > 1 ? 1 : ZRAM_PAGE / RANDOMS;

	for (size_t n = 1 + (size_t)rng_below(&rng, every); n <= ZRAM_PAGE; n += every) {
		made_random(&rng, page, n);
		compare("random bytes and zeros", page);
	}
	for (uint64_t i = 0; i < RUNS * factor; i++) {
		/* When soaking each length is had once at least, else any. */
		size_t n = 1 + (size_t)(factor > 1 && i < ZRAM_PAGE ? i : rng_below(&rng, ZRAM_PAGE));

		made_run(&rng, page, (size_t)rng_below(&rng, ZRAM_PAGE - n + 1), n);
		compare("a run of zeros", page);
	}
	for (uint64_t i = 0; i < MIXTURES * factor; i++) {
		made_mixture(&rng, page);
		compare("a mixture", page);
	}
}

static void compare_real(uint64_t factor)
{
	const size_t most = factor > 1 ? REAL_SOAK : REAL_OF_A_KIND;
	uint8_t *pages = aligned_alloc(ZRAM_PAGE, most * ZRAM_PAGE);

	CHECK(pages != NULL);
	for (unsigned kind = 0; kind < REAL_KINDS; kind++) {
		size_t count = real_pages((enum real_kind)kind, &rng, pages, most);

		for (size_t i = 0; i < count; i++)
			compare(real_kind_names[kind], pages + i * ZRAM_PAGE);
		printf("%s: %zu pages\n", real_kind_names[kind], count);
	}
	free(pages);
}

int main(int argc, char **argv)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	const char *reason;

	CHECK(argc == 3);
	rng.state = strtoull(argv[1], NULL, 0);
	reason = kernel_zram_open_with(16 * ZRAM_PAGE, argv[2]);
	if (reason != NULL) {
		printf("skipped: %s\n", reason);
		return 77;
	}
	check_context("conformance_sizes %s %s", argv[1], argv[2]);
	o.disksize = ZRAM_PAGE;
	o.comp_algorithm = argv[2];
	o.algorithm_params = "kernel=1";
	o.pool.geometry = ZS_GEOMETRY_LINUX;
	store = zram_create("sizes", &o);
	CHECK_MSG(store != NULL, "%s", zram_strerror());
	compare_made(check_soak_factor());
	compare_real(check_soak_factor());
	kernel_zram_close();
	zram_destroy(store);
	printf("%s: %zu pages agreed\n", argv[2], (size_t)compared);
	return 0;
}
