/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handle.h - handles, and the table of entries behind them.
 *
 *   handle   | generation 17 | 00 | cookie 14 | index 31             |
 *   entry    | generation 17 | location 38           | slack 8 | lock 1 |     live: generation is odd
 *            | generation 17 | location 38           | slack 8 | 1      |     retired: generation is even; has a slot
 *            | generation 17 | next free index + 1   | 0       | 0      |     free: generation is even
 *
 * index       of the entry; the table grows and never moves
 * cookie      the pool's, never 0 and unique among the pools that exist: tells another pool's handles
 * generation  counts up when the entry is allocated and again when it is freed, so that a handle, which always has an
 *             odd one, matches only the life it was made for, until the counter has gone round once
 * location    byte offset in the pool's linear space, divided by 8
 * slack       slot size less requested size, where the geometry keeps it below 256; else the pool has a table of
 *             sizes beside the entries
 * lock        held by a writer, by the mover, by a free, and as long as an object is in a cache; see docs/locking.md
 *
 * Reading an object is: load the entry, compare the generation, add the location to the arena's base.
 *
 * Free entries are in one of a few lock-free stacks, chosen by thread: threads seldom meet there, and the entries of
 * one cache line, of which a new one is pushed whole, mostly stay with one thread, since a thread whose stack is empty
 * takes from others only where they have many. A stack's head has a tag that changes with every operation, which makes
 * a pop that raced with others fail. A pop may read the entry of someone else's live object: the table is never
 * unmapped, so that is only a wrong next, and the tag catches it.
 */
#ifndef ZSI_POOL_HANDLE_H
#define ZSI_POOL_HANDLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/account.h"
#include "base/bits.h"
#include "base/lock.h"

#define ZSI_INDEX_BITS 31
#define ZSI_COOKIE_BITS 14
#define ZSI_GENERATION_SHIFT 47
#define ZSI_LOCATION_SHIFT 9
#define ZSI_LOCATION_BITS 38
#define ZSI_SLACK_SHIFT 1
#define ZSI_SLACK_MAX 255u
#define ZSI_ENTRY_LOCK ((uint64_t)1)
#define ZSI_COOKIE_MASK ((((uint64_t)1 << ZSI_COOKIE_BITS) - 1) << ZSI_INDEX_BITS)
#define ZSI_INDEX_MASK (((uint64_t)1 << ZSI_INDEX_BITS) - 1)
#define ZSI_LOCATION_MASK ((((uint64_t)1 << ZSI_LOCATION_BITS) - 1) << ZSI_LOCATION_SHIFT)
#define ZSI_GENERATION_ONE ((uint64_t)1 << ZSI_GENERATION_SHIFT)
#define ZSI_GENERATION_MASK (~(uint64_t)0 << ZSI_GENERATION_SHIFT)

/* The bits of a handle that are the same for every handle of a pool: its cookie, zeros, and an odd generation. */
#define ZSI_TAG_MASK (((ZSI_GENERATION_ONE << 1) - 1) & ~ZSI_INDEX_MASK)

/* Locations are in units of 8 bytes: the largest linear space. */
#define ZSI_LOCATION_UNIT_SHIFT 3
#define ZSI_MAX_SPACE_BYTES ((uint64_t)1 << (ZSI_LOCATION_BITS + ZSI_LOCATION_UNIT_SHIFT))

#define ZSI_NO_INDEX UINT32_MAX
#define ZSI_HANDLE_STACKS 16u

struct zsi_handle_stack {
	_Alignas(ZSI_CACHE_LINE) _Atomic uint64_t head; /* index + 1 in the low half, tag in the high half */
	_Atomic uint32_t about; /* entries in it, give or take those that others pushed and popped at the same moment */
};

struct zsi_handles {
	_Atomic uint64_t *entries; /* immutable after init */
	uint16_t *sizes;           /* requested size less 1 of each entry, or NULL; as the location of its entry */
	uint64_t tag;              /* the cookie in place and an odd generation; immutable after init */
	uint32_t capacity;         /* entries reserved; immutable after init */
	struct zsi_account *account;
	_Atomic uint32_t bound; /* entries that ever existed; written under lock, release; readers acquire */
	struct zsi_lock lock;   /* rank META */
	uint64_t committed;     /* entries that are accessible; Guarded by lock */
	struct zsi_handle_stack stacks[ZSI_HANDLE_STACKS];
};

/* 0, or -1 with ENOMEM and nothing to undo. with_sizes: the geometry's slack does not fit into entries. */
int zsi_handles_init(struct zsi_handles *h, struct zsi_account *account, uint32_t cookie, uint64_t capacity,
		     bool with_sizes);
void zsi_handles_fini(struct zsi_handles *h);

/* A free entry for the caller, or ZSI_NO_INDEX with ENOMEM. `hint` picks the stack. */
uint32_t zsi_handle_alloc(struct zsi_handles *h, unsigned hint);

/* The same without making new entries, and without waiting. ZSI_NO_INDEX: there is none. */
uint32_t zsi_handle_reuse(struct zsi_handles *h, unsigned hint);

/* Give back an entry that was allocated and not published since, or was retired: its lock is free then. */
void zsi_handle_release(struct zsi_handles *h, uint32_t index, unsigned hint);

/* Free entries; exact only while nothing else runs. */
uint64_t zsi_handles_free_count(const struct zsi_handles *h);

/* This thread's stack, as the hint for the functions above. */
extern _Thread_local unsigned zsi_handle_stack_plus_one;
unsigned zsi_handle_choose_stack(void);

static inline unsigned zsi_handle_own_stack(void)
{
	return zsi_likely(zsi_handle_stack_plus_one != 0) ? zsi_handle_stack_plus_one - 1 : zsi_handle_choose_stack();
}

static inline uint32_t zsi_handle_index(uint64_t handle)
{
	return (uint32_t)(handle & ZSI_INDEX_MASK);
}

static inline uint64_t zsi_entry_offset(uint64_t entry)
{
	return (entry & ZSI_LOCATION_MASK) >> (ZSI_LOCATION_SHIFT - ZSI_LOCATION_UNIT_SHIFT);
}

static inline uint64_t zsi_entry_with_offset(uint64_t entry, uint64_t offset)
{
	return (entry & ~ZSI_LOCATION_MASK) | offset << (ZSI_LOCATION_SHIFT - ZSI_LOCATION_UNIT_SHIFT);
}

static inline bool zsi_entry_live(uint64_t entry)
{
	return (entry & ZSI_GENERATION_ONE) != 0;
}

/* Make an allocated entry a live object's. Returns its handle. slot_size - size is the slack. */
static inline uint64_t zsi_handle_publish(struct zsi_handles *h, uint32_t index, uint64_t offset, size_t slot_size,
					  size_t size)
{
	_Atomic uint64_t *entry = &h->entries[index];
	uint64_t generation = atomic_load_explicit(entry, memory_order_relaxed) & ZSI_GENERATION_MASK;
	uint64_t e = zsi_entry_with_offset(generation + ZSI_GENERATION_ONE, offset);

	if (h->sizes != NULL)
		h->sizes[index] = (uint16_t)(size - 1);
	else
		e |= (uint64_t)(slot_size - size) << ZSI_SLACK_SHIFT;
	/* release: pairs with the acquire loads of readers and zsi_entry_trylock() */
	atomic_store_explicit(entry, e, memory_order_release);
	return (e & ZSI_GENERATION_MASK) | (h->tag & ~ZSI_GENERATION_MASK) | index;
}

/* The size a live object was asked for. The caller holds the entry's lock, or the class's. */
static inline size_t zsi_handle_size(const struct zsi_handles *h, uint32_t index, uint64_t entry, size_t slot_size)
{
	if (h->sizes != NULL)
		return (size_t)h->sizes[index] + 1;
	return slot_size - (entry >> ZSI_SLACK_SHIFT & ZSI_SLACK_MAX);
}

/*
 * End the life of an object and take its entry's lock, in one step: every copy of its handle is stale from here on.
 * False: the entry is locked, or no longer `expected`.
 */
static inline bool zsi_entry_retire(_Atomic uint64_t *entry, uint64_t expected)
{
	/* acquire: pairs with the release of zsi_entry_unlock() and zsi_handle_publish() */
	return (expected & ZSI_ENTRY_LOCK) == 0 &&
	       atomic_compare_exchange_strong_explicit(entry, &expected,
						       (expected + ZSI_GENERATION_ONE) | ZSI_ENTRY_LOCK,
						       memory_order_acquire, memory_order_relaxed);
}

/* Make an allocated entry one with a slot but without an object, as those are that were retired. */
static inline void zsi_handle_reserve(struct zsi_handles *h, uint32_t index, uint64_t offset)
{
	_Atomic uint64_t *entry = &h->entries[index];
	uint64_t generation = atomic_load_explicit(entry, memory_order_relaxed) & ZSI_GENERATION_MASK;

	/* release: pairs with the acquire loads of readers and zsi_entry_trylock() */
	atomic_store_explicit(entry, zsi_entry_with_offset(generation, offset) | ZSI_ENTRY_LOCK, memory_order_release);
}

/* Make a retired, still locked entry a live object's in the same slot. Returns its handle. */
static inline uint64_t zsi_handle_revive(struct zsi_handles *h, uint32_t index, size_t slot_size, size_t size)
{
	_Atomic uint64_t *entry = &h->entries[index];
	uint64_t e = atomic_load_explicit(entry, memory_order_relaxed);

	e = ((e & ZSI_GENERATION_MASK) + ZSI_GENERATION_ONE) | (e & ZSI_LOCATION_MASK);
	if (zsi_unlikely(h->sizes != NULL))
		h->sizes[index] = (uint16_t)(size - 1);
	else
		e |= (uint64_t)(slot_size - size) << ZSI_SLACK_SHIFT;
	/* release: pairs with the acquire loads of readers and zsi_entry_trylock() */
	atomic_store_explicit(entry, e, memory_order_release);
	return (e & ZSI_GENERATION_MASK) | (h->tag & ~ZSI_GENERATION_MASK) | index;
}

/* Take the lock bit if it is free and the entry is still `expected`. */
static inline bool zsi_entry_trylock(_Atomic uint64_t *entry, uint64_t expected)
{
	/* acquire: pairs with the release of zsi_entry_unlock() and zsi_handle_publish() */
	return (expected & ZSI_ENTRY_LOCK) == 0 &&
	       atomic_compare_exchange_strong_explicit(entry, &expected, expected | ZSI_ENTRY_LOCK,
						       memory_order_acquire, memory_order_relaxed);
}

/* value: the entry without its lock bit, with a new location if the object was moved. */
static inline void zsi_entry_unlock(_Atomic uint64_t *entry, uint64_t value)
{
	/* release: pairs with the acquire of readers and of zsi_entry_trylock() */
	atomic_store_explicit(entry, value & ~ZSI_ENTRY_LOCK, memory_order_release);
}

#endif
