/* SPDX-License-Identifier: BSD-3-Clause */
/* compact.h - the parts of bench_compact; each file says what it measures. */
#ifndef BENCH_COMPACT_H
#define BENCH_COMPACT_H

#include <stdint.h>

#include "companion.h"
#include "histogram.h"
#include "supply.h"

/* How fast zs_compact() moves, against memcpy(). */
struct compact_rate {
	uint64_t live;
	uint64_t moved; /* objects */
	uint64_t moved_bytes;
	uint64_t pages; /* freed */
	uint64_t compact_ns;
	uint64_t memcpy_ns;  /* of the same bytes */
	uint64_t release_ns; /* of as many pages to the system */
};

struct compact_rate compact_rate(const struct supply *s, uint32_t objects);

/* Operations a second of one thread by what the companion does, and the objects moved a second. */
struct compact_beside {
	double per_second[BESIDES];
	double moved_per_second;
};

struct compact_beside compact_beside(const struct supply *s, uint32_t objects, uint32_t slice_ms);

/* Times of single operations, without compaction [0] and with [1]. */
enum timed { TIMED_EMPTY, TIMED_MALLOC, TIMED_FREE, TIMED_READ, TIMEDS };

struct compact_latency {
	struct histogram ns[2][TIMEDS];
	uint64_t moved[2];    /* objects */
	uint64_t switches[2]; /* how often the thread was interrupted by others */
};

void compact_latency(struct compact_latency *l, const struct supply *s, uint32_t mebibytes);

#endif
