/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handback.c - what it costs to give pages back from inside a zspage, and to move the objects beside them instead: one
 * line of JSON, nanoseconds a page, medians over rounds.
 *
 *   run        pages that are given back by one call of madvise(MADV_DONTNEED), one beside the other
 *   give_back  the call, for each page of the run
 *   together   the same for 64 such runs in one process_madvise(), as compaction does; null where the kernel can't
 *   touch      using such a page again, which makes a page fault
 *   move       copying two objects of 2 KiB from one random page to another, both in no cache: what compaction does to
 *              empty an average page instead
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common.h"

#define PAGE 4096u
#define PAGES 65536u /* 256 MiB, more than any cache */
#define SAMPLE 4096u
#define ROUNDS 5u
#define TOGETHER 64u
#ifndef PIDFD_SELF_THREAD_GROUP
#define PIDFD_SELF_THREAD_GROUP (-10001)
#endif

static const uint32_t runs[] = { 1, 4, 16, 64 };

enum { NR_RUNS = sizeof(runs) / sizeof(runs[0]) };

static uint8_t *memory;

static void touch_all(void)
{
	for (uint32_t i = 0; i < PAGES; i++)
		memory[(size_t)i * PAGE] = 1;
}

/* Runs spread evenly, so that none is beside another. */
static double give_back(uint32_t run)
{
	uint32_t count = SAMPLE / run, step = PAGES / count;
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i++)
		if (madvise(memory + (size_t)i * step * PAGE, (size_t)run * PAGE, MADV_DONTNEED) != 0)
			fail(errno, "madvise");
	return (double)(now_ns() - start) / (double)(count * run);
}

/* Below 0: the kernel can't. */
static double give_back_together(uint32_t run)
{
	uint32_t count = SAMPLE / run, step = PAGES / count;
	struct iovec ranges[TOGETHER];
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i += TOGETHER) {
		for (uint32_t k = 0; k < TOGETHER; k++)
			ranges[k] = (struct iovec){ .iov_base = memory + (size_t)(i + k) * step * PAGE,
						    .iov_len = (size_t)run * PAGE };
		if (syscall(SYS_process_madvise, PIDFD_SELF_THREAD_GROUP, ranges, TOGETHER, MADV_DONTNEED, 0) !=
		    (long)TOGETHER * run * PAGE)
			return -1;
	}
	return (double)(now_ns() - start) / (double)(count * run);
}

static double touch(uint32_t run)
{
	uint32_t count = SAMPLE / run, step = PAGES / count;
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < run; k++)
			memory[((size_t)i * step + k) * PAGE] = 1;
	return (double)(now_ns() - start) / (double)(count * run);
}

static double move(struct rng *r)
{
	uint64_t start = now_ns();

	for (uint32_t i = 0; i < SAMPLE; i++) {
		uint8_t *from = memory + rng_below(r, PAGES / 2) * PAGE,
			*to = memory + (PAGES / 2 + rng_below(r, PAGES / 2)) * PAGE;

		memcpy(to, from, 2048);
		memcpy(to + 2048, from + 2048, 2048);
	}
	return (double)(now_ns() - start) / SAMPLE;
}

int main(void)
{
	double give[NR_RUNS][ROUNDS], all[NR_RUNS][ROUNDS], again[NR_RUNS][ROUNDS], moved[ROUNDS];
	struct rng r = { 1 };

	memory = pages((size_t)PAGES * PAGE);
	touch_all();
	for (uint32_t round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < NR_RUNS; i++) {
			give[i][round] = give_back(runs[i]);
			again[i][round] = touch(runs[i]);
			all[i][round] = give_back_together(runs[i]);
			(void)touch(runs[i]);
		}
		moved[round] = move(&r);
	}
	printf("{\"bench\":\"handback\",\"move\":%.0f,\"runs\":[", median(moved, ROUNDS));
	for (uint32_t i = 0; i < NR_RUNS; i++) {
		double together = median(all[i], ROUNDS);

		printf("%s{\"run\":%u,\"give_back\":%.0f,\"together\":", i > 0 ? "," : "", runs[i],
		       median(give[i], ROUNDS));
		if (together >= 0)
			printf("%.0f", together);
		else
			printf("null");
		printf(",\"touch\":%.0f}", median(again[i], ROUNDS));
	}
	printf("]}\n");
	return 0;
}
