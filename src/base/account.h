/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * account.h - what a pool holds, against what it may hold.
 *
 * Everything resident is charged before it is touched and uncharged after it was given back, so that
 *
 *   used <= limit                   at all times, where limit is not 0
 *   used  = data pages + metadata   when no call is running
 *
 * One shared line, written once a page and never once an object.
 */
#ifndef ZSI_BASE_ACCOUNT_H
#define ZSI_BASE_ACCOUNT_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/probe.h"

struct zsi_account {
	uint64_t limit;            /* bytes; 0 = none; immutable after create */
	_Atomic uint64_t used;     /* bytes */
	_Atomic uint64_t metadata; /* bytes of used that are metadata */
	_Atomic uint64_t hits;     /* charges refused */
};

/*
 * While it is set nothing can be charged by this thread: what it does, it does with what the pool already holds. Such a
 * refusal is not a hit of the limit.
 */
extern _Thread_local bool zsi_charge_frozen;

/* 0, or -1 with ENOMEM and nothing charged. */
static inline int zsi_charge(struct zsi_account *a, uint64_t bytes)
{
	uint64_t used = atomic_load_explicit(&a->used, memory_order_relaxed);

	if (zsi_charge_frozen) {
		errno = ENOMEM;
		return -1;
	}
	do {
		if (a->limit != 0 && (bytes > a->limit || used > a->limit - bytes)) {
			atomic_fetch_add_explicit(&a->hits, 1, memory_order_relaxed);
			ZSI_PROBE(limit_hit, bytes, a->limit);
			errno = ENOMEM;
			return -1;
		}
	} while (!atomic_compare_exchange_weak_explicit(&a->used, &used, used + bytes, memory_order_relaxed,
							memory_order_relaxed));
	return 0;
}

static inline void zsi_uncharge(struct zsi_account *a, uint64_t bytes)
{
	atomic_fetch_sub_explicit(&a->used, bytes, memory_order_relaxed);
}

static inline int zsi_charge_metadata(struct zsi_account *a, uint64_t bytes)
{
	if (zsi_charge(a, bytes) != 0)
		return -1;
	atomic_fetch_add_explicit(&a->metadata, bytes, memory_order_relaxed);
	return 0;
}

static inline void zsi_uncharge_metadata(struct zsi_account *a, uint64_t bytes)
{
	atomic_fetch_sub_explicit(&a->metadata, bytes, memory_order_relaxed);
	zsi_uncharge(a, bytes);
}

#endif
