/* SPDX-License-Identifier: BSD-3-Clause */
/* budget.h - how much a compaction may move, free and take. */
#ifndef ZSI_COMPACT_BUDGET_H
#define ZSI_COMPACT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zsi_compact_budget {
	uint64_t bytes;       /* still to move */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX: none */
	uint64_t pages;       /* still to free */
	bool skip_little;  /* classes that have less to free than the others are passed over */
	bool brief;        /* each class once, and nothing is folded: what there is no time for */
	bool keep_caches;  /* those of the threads are not emptied */
	bool keep_reserve; /* what the space keeps for reuse stays: more is to be done soon, or others allocate */
};

/* Bytes moved under one hold of the class's lock: about ten microseconds of copying. */
#define ZSI_HOLD_BYTES ((uint64_t)24 << 10)

/* Objects moved between two looks at the clock. */
#define ZSI_CLOCK_EVERY 16u

bool zsi_budget_exhausted(const struct zsi_compact_budget *budget);

static inline void zsi_budget_spend(uint64_t *budget, uint64_t amount)
{
	*budget = amount < *budget ? *budget - amount : 0;
}

#endif
