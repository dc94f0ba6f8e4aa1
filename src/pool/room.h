/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * room.h - what an allocation does that was refused memory: how much it may do is decided here.
 *
 * A full cache is refused all the time: it evicts a value for each that it stores. So a refusal has to cost what it
 * gains. Cheap things are done each time: any slot that is large enough (borrow.c), pages that were kept for reuse.
 * Dear ones, emptying other threads' caches and compaction, are done when there is something to win and when it was
 * paid for:
 *
 *   freed     bytes of slots given back to classes since memory was first refused
 *   asked     bytes asked for in vain since then: who insists is heard too
 *   a look    counts what compaction could free; the next one is due when freed + asked reaches next_look
 *   credit    bytes that may be moved: two for each byte freed, and at first the pool twice
 *
 * Until memory is refused for the first time nothing is counted, so that pools that are not full pay nothing.
 *
 * Locks: none. One thread looks at a time; others are refused meanwhile, or wait where much is to be had.
 */
#ifndef ZSI_POOL_ROOM_H
#define ZSI_POOL_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"
#include "pool/geometry.h"

struct zsi_room {
	/* Read by every free that reaches a class. */
	_Alignas(ZSI_CACHE_LINE) _Atomic bool tight; /* memory was refused at least once */
	/* Bit: the class may have a free slot whose page is there. A hint; set under the class's lock, while tight. */
	_Atomic uint64_t holes[ZSI_MAX_CLASSES / 64];
	_Alignas(ZSI_CACHE_LINE) _Atomic uint64_t freed; /* bytes */
	_Atomic uint64_t asked;                          /* bytes */
	_Atomic uint64_t next_look[2]; /* freed + asked from which on it is worth looking; with compaction at 1 */
	_Atomic uint32_t looking;      /* 1: a thread is at it */
	_Atomic bool much;             /* the last look found so much that it is worth waiting for */
	_Atomic uint64_t looks;        /* so far */
	_Atomic uint64_t limit_refusals, other_refusals; /* failed allocations */
	/* Who looks has these to itself. */
	uint64_t next_drain; /* freed + asked from which on the caches are emptied */
	uint64_t next_trim;  /* the same, of pages behind last objects, where no reader may be waited for */
	uint64_t credit;     /* bytes */
	uint64_t counted;    /* of freed, in credit */
};

/* Slots of so many bytes went back to a class. */
static inline void zsi_room_note_freed(struct zsi_room *r, uint64_t bytes)
{
	if (zsi_unlikely(atomic_load_explicit(&r->tight, memory_order_relaxed)))
		atomic_fetch_add_explicit(&r->freed, bytes, memory_order_relaxed);
}

/* Class `position` has a free slot, or may have. And: it has none. The class's lock is held. */
static inline void zsi_room_note_hole(struct zsi_room *r, unsigned position)
{
	_Atomic uint64_t *word = &r->holes[position / 64];
	uint64_t bit = 1ull << (position % 64);

	if (zsi_unlikely(atomic_load_explicit(&r->tight, memory_order_relaxed)) &&
	    (atomic_load_explicit(word, memory_order_relaxed) & bit) == 0)
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
}

static inline void zsi_room_no_hole_locked(struct zsi_room *r, unsigned position)
{
	atomic_fetch_and_explicit(&r->holes[position / 64], ~(1ull << (position % 64)), memory_order_relaxed);
}

#endif
