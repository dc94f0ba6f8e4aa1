/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * handle.h - handles, and the table of entries behind them.
 *
 *   handle   | generation 17 | 00 | cookie 14 | index 31        |
 *   entry    | generation 17 | location 38           | class 9 |     live: generation is odd
 *            | generation 17 | location 38           | class 9 |     retired: generation is even; has a slot
 *            | generation 17 | next free index + 1   | 0       |     free: generation is even
 *
 * index       of the entry; the table grows and never moves
 * cookie      the pool's, never 0 and unique among the pools that exist: tells another pool's handles
 * generation  counts up when the entry is allocated and again when it is freed, so that a handle, which always has an
 *             odd one, matches only the life it was made for, until the counter has gone round once
 * location    byte offset in the pool's linear space, divided by 8
 * class       position of the slot's class in the geometry, plus 1. Of a live object that somebody has locked it is
 *             ZSI_CLASS_MOVING or ZSI_CLASS_HELD instead: the descriptor of the zspage knows it too
 *
 * Reading an object is: load the entry, compare the generation, add the location to the arena's base. A free or a write
 * by one who has announced it (cache.h) needs no more than that either. Others, and the mover, lock: docs/locking.md.
 *
 * The size that an object was asked for is beside the entries: a byte of slack, slot size less that size, where the
 * geometry keeps it below 256, else 16 bits of size.
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
#include "base/rcu.h"

#define ZSI_INDEX_BITS 31
#define ZSI_COOKIE_BITS 14
#define ZSI_GENERATION_SHIFT 47
#define ZSI_LOCATION_SHIFT 9
#define ZSI_LOCATION_BITS 38
#define ZSI_SLACK_MAX 255u
#define ZSI_CLASS_MASK ((uint64_t)511)
#define ZSI_CLASS_MOVING 511u /* by compaction or page migration, which found nobody announced */
#define ZSI_CLASS_HELD 510u   /* by a mapping, or a writer without a cache */
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
	uint64_t tag;              /* the cookie in place and an odd generation; immutable after init */
	_Atomic uint64_t reach;    /* bound << ZSI_KEY_SHIFT; written under lock, release; readers acquire */
	_Atomic uint64_t flat_reach;  /* the same where objects are in one piece, else 0 */
	_Atomic uint64_t light_reach; /* the same where readers need no barrier either, else 0 */
	uint64_t cookie;           /* in place, without the generation; immutable after init */
	/*
	 * Constants too long for an instruction, as operands: ZSI_GENERATION_ONE, _MASK, and what tells a retired
	 * entry.
	 */
	uint64_t generation_one, generation_mask, retired_mask;
	_Atomic uint8_t *slack;    /* of each entry, or NULL; changes with the location of its entry */
	_Atomic uint16_t *sizes;   /* requested size less 1 of each entry, or NULL: one of the two is there */
	uint32_t capacity;         /* entries reserved; immutable after init */
	bool flat, light;          /* whether there is one of these two; immutable after init */
	_Atomic uint32_t bound;    /* entries that ever existed; as reach */
	struct zsi_account *account;
	struct zsi_lock lock;   /* rank META */
	uint64_t committed;     /* entries that are accessible; Guarded by lock */
	uint64_t beside;        /* entries for which what is beside them is; Guarded by lock */
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

/*
 * A handle less the tag, with the generation shifted out: the index, and above it zeros if the handle is one of this
 * pool's. So one comparison with reach tells foreign and forged handles.
 */
#define ZSI_KEY_SHIFT (63 - ZSI_GENERATION_SHIFT)

static inline uint64_t zsi_handle_key(const struct zsi_handles *h, uint64_t handle)
{
	return (handle ^ h->tag) << ZSI_KEY_SHIFT;
}

static inline uint64_t zsi_entry_offset(uint64_t entry)
{
	/* Two shifts need no mask. */
	return entry << (64 - ZSI_GENERATION_SHIFT) >> (64 - ZSI_LOCATION_BITS) << ZSI_LOCATION_UNIT_SHIFT;
}

static inline uint64_t zsi_entry_with_offset(uint64_t entry, uint64_t offset)
{
	return (entry & ~ZSI_LOCATION_MASK) | offset << (ZSI_LOCATION_SHIFT - ZSI_LOCATION_UNIT_SHIFT);
}

static inline unsigned zsi_entry_class(uint64_t entry)
{
	return (unsigned)(entry & ZSI_CLASS_MASK);
}

/* The same entry in a slot of the class at `position`, and unlocked. */
static inline uint64_t zsi_entry_with_position(uint64_t entry, unsigned position)
{
	return (entry & ~ZSI_CLASS_MASK) | (position + 1);
}

static inline bool zsi_entry_live(uint64_t entry)
{
	return (entry & ZSI_GENERATION_ONE) != 0;
}

/* Of a live entry: somebody has it locked. */
static inline bool zsi_entry_locked(uint64_t entry)
{
	return zsi_entry_class(entry) >= ZSI_CLASS_HELD;
}

/* No object, but a slot: in a cache, or on its way to or from one. */
static inline bool zsi_entry_retired(uint64_t entry)
{
	return !zsi_entry_live(entry) && zsi_entry_class(entry) != 0;
}

static inline uint64_t zsi_entry_handle(const struct zsi_handles *h, uint64_t index, uint64_t entry)
{
	return (entry & h->generation_mask) | h->cookie | index;
}

static inline void zsi_handle_set_size(struct zsi_handles *h, uint64_t index, size_t slot_size, size_t size)
{
	if (zsi_likely(h->slack != NULL))
		atomic_store_explicit(&h->slack[index], (uint8_t)(slot_size - size), memory_order_relaxed);
	else
		atomic_store_explicit(&h->sizes[index], (uint16_t)(size - 1), memory_order_relaxed);
}

/* ThreadSanitizer does not know fences, and complains of them. */
static inline void zsi_release_fence(void)
{
#ifndef ZSI_TSAN
	atomic_thread_fence(memory_order_release);
#endif
}

/* Make an allocated entry a live object's, in a slot of the class at `position`. Returns its handle. */
static inline uint64_t zsi_handle_publish(struct zsi_handles *h, uint32_t index, uint64_t offset, unsigned position,
					  size_t slot_size, size_t size)
{
	_Atomic uint64_t *entry = &h->entries[index];
	uint64_t generation = atomic_load_explicit(entry, memory_order_relaxed) & ZSI_GENERATION_MASK;
	uint64_t e = zsi_entry_with_offset(generation + ZSI_GENERATION_ONE, offset) | (position + 1);

	zsi_handle_set_size(h, index, slot_size, size);
	/* release: pairs with the acquire loads of readers and zsi_entry_trylock() */
	atomic_store_explicit(entry, e, memory_order_release);
	zsi_release_fence();
	return zsi_entry_handle(h, index, e);
}

/* The size a live object was asked for. Its entry is locked or announced; or else it is a guess. */
static inline size_t zsi_handle_size(const struct zsi_handles *h, uint64_t index, size_t slot_size)
{
	if (zsi_likely(h->slack != NULL))
		return slot_size - atomic_load_explicit(&h->slack[index], memory_order_relaxed);
	return (size_t)atomic_load_explicit(&h->sizes[index], memory_order_relaxed) + 1;
}

/* Make an allocated entry one with a slot but without an object, as those are that were retired. */
static inline void zsi_handle_reserve(struct zsi_handles *h, uint32_t index, uint64_t offset, unsigned position)
{
	_Atomic uint64_t *entry = &h->entries[index];
	uint64_t generation = atomic_load_explicit(entry, memory_order_relaxed) & ZSI_GENERATION_MASK;

	/* release: pairs with the acquire loads of readers and zsi_entry_trylock() */
	atomic_store_explicit(entry, zsi_entry_with_offset(generation, offset) | (position + 1), memory_order_release);
}

/* Whether the entry is a retired one with a slot of the class, position + 1: it may come out of a cache's bin. */
static inline bool zsi_entry_retired_in(uint64_t entry, unsigned class)
{
	return ((entry ^ class) & (ZSI_GENERATION_ONE | ZSI_CLASS_MASK)) == 0;
}

/* Make a retired entry, as it was read, a live object's in the same slot. Returns its handle. */
static inline uint64_t zsi_handle_revive(struct zsi_handles *h, uint64_t index, uint64_t entry, uint32_t slot_size,
					 size_t size)
{
	entry += h->generation_one;
	zsi_handle_set_size(h, index, slot_size, size);
	/* release: pairs with the acquire loads of readers and zsi_entry_trylock() */
	atomic_store_explicit(&h->entries[index], entry, memory_order_release);
	/* release: what the new owner writes is seen after it, by who looks a handle up again after reading */
	zsi_release_fence();
	return zsi_entry_handle(h, index, entry);
}

/*
 * End the life of an object that is `expected`, live and unlocked, and that the caller has announced: every copy of its
 * handle is stale from here on, and its slot the caller's.
 */
static inline void zsi_entry_retire_announced(const struct zsi_handles *h, _Atomic uint64_t *entry, uint64_t expected)
{
	/* release: a reader that sees it sees what its thread did before */
	atomic_store_explicit(entry, expected + h->generation_one, memory_order_release);
}

/* The same without an announcement. False: it is locked, or no longer `expected`. */
static inline bool zsi_entry_retire(_Atomic uint64_t *entry, uint64_t expected)
{
	/* acquire: pairs with the release of zsi_entry_unlock() and zsi_handle_publish() */
	return !zsi_entry_locked(expected) &&
	       atomic_compare_exchange_strong_explicit(entry, &expected, expected + ZSI_GENERATION_ONE,
						       memory_order_acq_rel, memory_order_relaxed);
}

/* Lock a live entry if it is `expected`, and not locked. `lock` is one of the two values of the class. */
static inline bool zsi_entry_trylock(_Atomic uint64_t *entry, uint64_t expected, unsigned lock)
{
	/*
	 * seq_cst: who announces himself later sees it; acquire: pairs with the release of those below and of
	 * publishing
	 */
	return zsi_entry_live(expected) && !zsi_entry_locked(expected) &&
	       atomic_compare_exchange_strong_explicit(entry, &expected, (expected & ~ZSI_CLASS_MASK) | lock,
						       memory_order_seq_cst,
						       memory_order_relaxed);
}

/* By who moved the object: nobody else changes the entry meanwhile. value: with its new place, and unlocked. */
static inline void zsi_entry_publish_moved(_Atomic uint64_t *entry, uint64_t value)
{
	/* release: pairs with the acquire of readers and of zsi_entry_trylock() */
	atomic_store_explicit(entry, value, memory_order_release);
}

/*
 * Take back a lock. value: the entry as it was before. False: the object was freed meanwhile, by one who had announced
 * that before it was locked; the entry is not the caller's any more.
 */
static inline bool zsi_entry_unlock(_Atomic uint64_t *entry, uint64_t value, unsigned lock)
{
	uint64_t locked = (value & ~ZSI_CLASS_MASK) | lock;

	/* release: pairs with the acquire of readers and of zsi_entry_trylock() */
	return atomic_compare_exchange_strong_explicit(entry, &locked, value, memory_order_release,
						       memory_order_relaxed);
}

#endif
