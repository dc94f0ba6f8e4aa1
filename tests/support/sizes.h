/* SPDX-License-Identifier: BSD-3-Clause */
/* sizes.h - request sizes that meet the edges: tiny, ends of classes, around the huge watermark, a whole page. */
#ifndef TEST_SIZES_H
#define TEST_SIZES_H

#include <zsmalloc/zsmalloc.h>

/* A source of choices: a number in 0..n-1. Random numbers, or the bytes of a fuzzer. */
struct chooser {
	uint64_t (*below)(void *ctx, uint64_t n);
	void *ctx;
};

static inline uint64_t choose(const struct chooser *c, uint64_t n)
{
	return c->below(c->ctx, n);
}

static inline uint64_t choose_range(const struct chooser *c, uint64_t low, uint64_t high)
{
	return low + choose(c, high - low + 1);
}

/* 1..page_size */
size_t choose_size(const struct chooser *c, struct zs_pool *pool, size_t page_size);

struct rng;

/* Choices from random numbers. */
struct chooser chooser_of_rng(struct rng *rng);

#endif
