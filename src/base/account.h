/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * account.h - what a pool holds, against what it may hold.
 *
 * Everything resident is charged before it is touched and uncharged after it was given back, so that
 *
 *   used <= limit                   where limit is not 0, and was not set below what was used then
 *   used <= limit - headroom        the same, for charges of those who may not use the headroom
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
	_Atomic uint64_t limit;    /* bytes; 0 = none */
	_Atomic uint64_t headroom; /* bytes below the limit for those only who may use them */
	_Atomic bool lowered;      /* the limit was once set below what was used */
	_Atomic uint64_t used;     /* bytes */
	_Atomic uint64_t metadata; /* bytes of used that are metadata */
	_Atomic uint64_t hits;     /* charges refused */
};

/*
 * While it is set nothing can be charged by this thread: what it does, it does with what the pool already holds. Such a
 * refusal is not a hit of the limit.
 */
extern _Thread_local bool zsi_charge_frozen;

/* While it is set this thread's charges may use the headroom. */
extern _Thread_local bool zsi_charge_headroom;

/* Up to where this thread may charge; 0: no limit. */
static inline uint64_t zsi_charge_limit(const struct zsi_account *a)
{
	uint64_t limit = atomic_load_explicit(&a->limit, memory_order_relaxed);
	uint64_t headroom = atomic_load_explicit(&a->headroom, memory_order_relaxed);

	if (limit == 0 || headroom == 0 || zsi_charge_headroom)
		return limit;
	/* 0 would be none. */
	return limit > headroom ? limit - headroom : 1;
}

/* Set where the limit refuses this thread something: not the system. */
extern _Thread_local bool zsi_limit_refused;

static inline void zsi_account_hit(struct zsi_account *a, uint64_t bytes, uint64_t limit)
{
	atomic_fetch_add_explicit(&a->hits, 1, memory_order_relaxed);
	zsi_limit_refused = true;
	ZSI_PROBE(limit_hit, bytes, limit);
	(void)bytes;
	(void)limit;
}

/* 0, or -1 with ENOMEM and nothing charged. */
static inline int zsi_charge(struct zsi_account *a, uint64_t bytes)
{
	uint64_t used = atomic_load_explicit(&a->used, memory_order_relaxed);

	if (zsi_charge_frozen) {
		errno = ENOMEM;
		return -1;
	}
	do {
		uint64_t limit = zsi_charge_limit(a);

		if (limit != 0 && (bytes > limit || used > limit - bytes)) {
			zsi_account_hit(a, bytes, limit);
			errno = ENOMEM;
			return -1;
		}
	} while (!atomic_compare_exchange_weak(&a->used, &used, used + bytes));
	/*
	 * Once more, for a limit that came meanwhile. seq_cst, as the exchange: pairs with zsi_account_set_limit(), so
	 * that either the limit is seen here or the bytes are seen by whoever set it and looks at used next.
	 */
	uint64_t limit = atomic_load(&a->limit);

	if (limit == 0 || used + bytes <= limit)
		return 0;
	atomic_fetch_sub_explicit(&a->used, bytes, memory_order_relaxed);
	zsi_account_hit(a, bytes, limit);
	errno = ENOMEM;
	return -1;
}

/* Whether the limit would refuse so many bytes: that counts as a refusal. */
static inline bool zsi_account_full(struct zsi_account *a, uint64_t bytes)
{
	uint64_t limit = zsi_charge_limit(a);

	if (limit == 0 || (bytes <= limit && atomic_load_explicit(&a->used, memory_order_relaxed) <= limit - bytes))
		return false;
	zsi_account_hit(a, bytes, limit);
	return true;
}

/* As much as compaction makes free at a time in a pool of some size: within that share of it the limit is near. */
#define ZSI_SHORT_SHIFT 7

static inline bool zsi_account_short(const struct zsi_account *a)
{
	uint64_t limit = zsi_charge_limit(a);

	return limit != 0 && atomic_load_explicit(&a->used, memory_order_relaxed) > limit - (limit >> ZSI_SHORT_SHIFT);
}

/* Below what is used now: nothing more is had until enough was given back. Setters are one at a time. */
static inline void zsi_account_set_limit(struct zsi_account *a, uint64_t limit)
{
	atomic_store(&a->limit, limit);
	if (limit != 0 && atomic_load(&a->used) > limit)
		atomic_store_explicit(&a->lowered, true, memory_order_relaxed);
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
