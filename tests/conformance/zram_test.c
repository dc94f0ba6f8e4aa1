/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_test.c - the kernel's zram and a store on ZS_GEOMETRY_LINUX are given the same writes, overwrites, discards and
 * compactions: the numbers of mm_stat must be the same at each step.
 *
 *   conformance_zram SEED [TRY]
 *
 * Contents are r random bytes followed by zeros, which both versions of LZ4 compress to the same size; now and then a
 * page of one repeated word. Where memory is short the kernel compacts its pool by itself, at a moment of its own: then the test
 * begins again. Exits with 77 where there is no idle zram device, or that goes on.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "kernel_zram.h"
#include "rng.h"
#include "zram_model.h"

#define PAGES 24576u
#define DISKSIZE ((uint64_t)PAGES * 4096 * 2)
#define EACH_STEP 400u /* the first steps, after each of which the numbers are compared */
#define BATCH 64u      /* later */
#define FILL 20000u
#define OVERWRITE 45000u
#define MOST_TRIES 5u
#define END_OF_COMPACTION 500u /* hundredths of a second */

static struct zram_model *model;
static struct rng rng;
static uint64_t steps;
static char **arguments;
static unsigned tries;

/* Both; whether they are the same. */
static bool read_both(struct zram_numbers *kernel, struct zram_numbers *ours)
{
	*kernel = kernel_zram_numbers();
	*ours = zram_model_numbers(model);
	if (kernel->huge_pages_since == UINT64_MAX)
		ours->huge_pages_since = UINT64_MAX;
	return memcmp(kernel, ours, sizeof(*kernel)) == 0;
}

/* In a new program, which knows nothing of this one. */
static _Noreturn void begin_again(void)
{
	char text[16];

	kernel_zram_close();
	if (tries == MOST_TRIES) {
		printf("skipped: memory is so short that the kernel compacts all the time\n");
		exit(77);
	}
	snprintf(text, sizeof(text), "%u", tries + 1);
	execl("/proc/self/exe", arguments[0], arguments[1], text, (char *)NULL);
	CHECK(false);
}

static void compare(const char *what)
{
	const struct timespec pause = { 0, 10000000 };
	struct zram_numbers kernel, ours;

	if (read_both(&kernel, &ours))
		return;
	/* A compaction counts its pages when it has come to its end. */
	for (unsigned i = 0; i < END_OF_COMPACTION && kernel.mem_used_total < ours.mem_used_total &&
			     kernel.pages_compacted == ours.pages_compacted;
	     i++) {
		nanosleep(&pause, NULL);
		(void)read_both(&kernel, &ours);
	}
	if (kernel.pages_compacted > ours.pages_compacted && kernel.compr_data_size == ours.compr_data_size)
		begin_again();
	CHECK_MSG(false,
		  "after a %s\n"
		  "          compr_data_size mem_used_total same_pages huge_pages huge_pages_since pages_compacted\n"
		  "  kernel  %15" PRIu64 " %14" PRIu64 " %10" PRIu64 " %10" PRIu64 " %16" PRIu64 " %15" PRIu64 "\n"
		  "  ours    %15" PRIu64 " %14" PRIu64 " %10" PRIu64 " %10" PRIu64 " %16" PRIu64 " %15" PRIu64,
		  what, kernel.compr_data_size, kernel.mem_used_total, kernel.same_pages, kernel.huge_pages,
		  kernel.huge_pages_since, kernel.pages_compacted, ours.compr_data_size, ours.mem_used_total,
		  ours.same_pages, ours.huge_pages, ours.huge_pages_since, ours.pages_compacted);
}

static void step(const char *what)
{
	check_step(++steps);
	if (steps <= EACH_STEP || steps % BATCH == 0)
		compare(what);
}

static void fill_page(uint8_t *page)
{
	size_t random_bytes = (size_t)rng_range(&rng, 1, ZRAM_PAGE);

	memset(page, 0, ZRAM_PAGE);
	if (rng_one_in(&rng, 20)) {
		uint64_t word = rng_one_in(&rng, 2) ? 0 : rng_next(&rng);

		for (size_t i = 0; i < ZRAM_PAGE; i += 8)
			memcpy(page + i, &word, 8);
		return;
	}
	for (size_t i = 0; i < random_bytes; i++)
		page[i] = (uint8_t)rng_next(&rng);
}

static void write_one(size_t index)
{
	static _Alignas(4096) uint8_t page[ZRAM_PAGE], back[ZRAM_PAGE];

	fill_page(page);
	kernel_zram_write(index, page);
	zram_model_write(model, index, page);
	step("write");
	/* That it is the device that was written: now and then it is read back. */
	if (rng_one_in(&rng, 500)) {
		kernel_zram_read(index, back);
		CHECK(memcmp(page, back, ZRAM_PAGE) == 0);
	}
}

static void discard_some(unsigned one_in)
{
	for (size_t i = 0; i < PAGES; i++) {
		if (rng_one_in(&rng, one_in)) {
			kernel_zram_discard(i, 1);
			zram_model_discard(model, i);
			step("discard");
		}
	}
}

static void compact(void)
{
	kernel_zram_compact();
	zram_model_compact(model);
	check_step(++steps);
	compare("compaction");
}

int main(int argc, char **argv)
{
	const char *reason;

	CHECK(argc == 2 || argc == 3);
	arguments = argv;
	tries = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	rng.state = strtoull(argv[1], NULL, 0);
	reason = kernel_zram_open(DISKSIZE);
	if (reason != NULL) {
		printf("skipped: %s\n", reason);
		return 77;
	}
	check_context("conformance_zram %s", argv[1]);
	model = zram_model_create(PAGES);
	compare("reset");
	for (unsigned i = 0; i < FILL * check_soak_factor(); i++)
		write_one((size_t)rng_below(&rng, PAGES));
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < OVERWRITE / 3 * check_soak_factor(); i++)
			write_one((size_t)rng_below(&rng, PAGES / 2));
		discard_some(round == 0 ? 5 : 2);
		/* What comes after a compaction tells whether it left the same zspages behind. */
		compact();
	}
	for (unsigned i = 0; i < 500; i++)
		write_one((size_t)rng_below(&rng, PAGES));
	discard_some(2);
	compact();
	kernel_zram_discard(0, PAGES);
	for (size_t i = 0; i < PAGES; i++)
		zram_model_discard(model, i);
	compare("discard of everything");
	CHECK(zram_model_numbers(model).mem_used_total == 0);
	kernel_zram_close();
	zram_model_destroy(model);
	printf("%" PRIu64 " steps agreed\n", steps);
	return 0;
}
