/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * histogram.h - how often a time was measured, in buckets of 1/32 of their value: 12 KB for any number of times, and a
 * few instructions for one.
 *
 *   below 64 ns one bucket a nanosecond; above, 32 for each power of two
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS (64u + 32u * 42u)

struct histogram {
	uint64_t count[HISTOGRAM_BUCKETS];
	uint64_t total;
	uint64_t longest; /* exact */
};

static inline void histogram_add(struct histogram *h, uint64_t ns)
{
	uint64_t bucket = ns;

	if (ns >= 64) {
		unsigned shift = 58u - (unsigned)__builtin_clzll(ns); /* leaves 32..63 */

		bucket = 64 + (shift - 1) * 32u + (ns >> shift) - 32;
		if (bucket >= HISTOGRAM_BUCKETS)
			bucket = HISTOGRAM_BUCKETS - 1;
	}
	h->count[bucket]++;
	h->total++;
	if (ns > h->longest)
		h->longest = ns;
}

/* The time that a share of all was not above, nanoseconds: the top of its bucket, at most 1/32 too long. */
uint64_t histogram_quantile(const struct histogram *h, double share);

/* Print {"count":N,"p50":..,"p90":..,"p99":..,"p99_9":..,"p99_99":..,"p99_999":..,"max":..}. */
void histogram_print(const struct histogram *h);

#endif
