/* SPDX-License-Identifier: BSD-3-Clause */
/* histogram.c - values are counted in buckets of a sixteenth, and the shares printed. */
#include "histogram.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>

static uint64_t top_of(unsigned bucket)
{
	if (bucket < 64)
		return bucket;

	unsigned shift = (bucket - 64) / 32 + 1;

	return ((uint64_t)((bucket - 64) % 32 + 33) << shift) - 1;
}

uint64_t histogram_quantile(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)h->total);
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->count[i];
		if (seen >= wanted && seen > 0)
			return top_of(i) < h->longest ? top_of(i) : h->longest;
	}
	return h->longest;
}

void histogram_print(const struct histogram *h)
{
	static const struct {
		const char *name;
		double share;
	} points[] = { { "p50", 0.5 },     { "p90", 0.9 },       { "p99", 0.99 },
		       { "p99_9", 0.999 }, { "p99_99", 0.9999 }, { "p99_999", 0.99999 } };

	printf("{\"count\":%" PRIu64, h->total);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		printf(",\"%s\":%" PRIu64, points[i].name, histogram_quantile(h, points[i].share));
	printf(",\"max\":%" PRIu64 "}", h->longest);
}
