/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zspage.h - the descriptor of a zspage, and its slot words.
 *
 * Both live in metadata memory, away from what callers write. The descriptor is the record of the zspage's run; the
 * slot words are an array beside it:
 *
 *   in use   0 | index of the handle's entry (31 bits)
 *   free     10 | next free slot, or ZSI_NO_SLOT
 *   limbo    11 | 0                                       the object was moved away, readers may still be there
 *
 * A fresh zspage is filled from slot 0 on: slots from `bump` on were never used, have no valid word, and need no pages.
 *
 *   inuse + limbo + length of the free list + (objs - bump) = objs
 *   present pages reach over slot bump - 1, and so does the array of slot words, which grows as slots are used
 *   group = fullness group of inuse
 *
 * A listed zspage is in its class's list of its group. An isolated one is in the hands of compaction: it is in no
 * list, no slot of it is given out but by compaction, and it isn't released when its last object is freed.
 *
 * Everything here is guarded by the lock of the zspage's class, except first and class_position, which are immutable
 * while the zspage exists.
 */
#ifndef ZSI_POOL_ZSPAGE_H
#define ZSI_POOL_ZSPAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "pages/layout.h"
#include "pages/words.h"
#include "pool/geometry.h"

#define ZSI_NO_SLOT 0xffffu
#define ZSI_SLOT_WORDS 16u
#define ZSI_LINEAR_STEPS 8u
#define ZSI_SLOT_FREE 0x80000000u
#define ZSI_SLOT_LIMBO 0xc0000000u

enum zsi_zspage_state {
	ZSI_ZSPAGE_OUTSIDE, /* being made, or being released */
	ZSI_ZSPAGE_LISTED,
	ZSI_ZSPAGE_ISOLATED,
};

struct zsi_zspage {
	uint32_t next, prev;     /* metadata references, 0 = none */
	uint32_t slots;          /* reference of zsi_slot_words() slot words, in pool->words */
	uint32_t first;          /* page number */
	uint16_t class_position; /* in the geometry's classes[] */
	uint16_t inuse;
	uint16_t limbo;
	uint16_t free_head;
	uint16_t bump;
	uint8_t present; /* pages */
	uint8_t group;
	uint8_t state;      /* enum zsi_zspage_state */
	uint8_t slots_step; /* how often the array of slot words has grown */
	uint8_t unused_[2];
};

_Static_assert(sizeof(struct zsi_zspage) == 32, "two descriptors a cache line");

static inline uint32_t *zsi_zspage_slots(const struct zsi_words *w, const struct zsi_zspage *z)
{
	return zsi_words_ptr(w, z->slots);
}

/* The zspage that holds the byte at offset of the linear space. It exists and is not released meanwhile. */
static inline struct zsi_zspage *zsi_zspage_at(const struct zsi_space *s, uint64_t offset)
{
	return zsi_space_record(s, (uint32_t)(offset >> s->page_shift));
}

/* Byte offset of a slot in the linear space. */
static inline uint64_t zsi_slot_offset(const struct zsi_space *s, const struct zsi_zspage *z,
				       const struct zsi_size_class *sc, unsigned slot)
{
	return ((uint64_t)z->first << s->page_shift) + (uint64_t)slot * sc->size;
}

static inline unsigned zsi_slot_at(const struct zsi_space *s, const struct zsi_zspage *z,
				   const struct zsi_size_class *sc, uint64_t offset)
{
	return zsi_reciprocal_divide(offset - ((uint64_t)z->first << s->page_shift), sc->reciprocal);
}

/* Pages that must be present before the slot can be used. */
static inline unsigned zsi_slot_pages(const struct zsi_space *s, const struct zsi_size_class *sc, unsigned slot)
{
	uint64_t bytes = (uint64_t)(slot + 1) * sc->size;

	return (unsigned)((bytes + zsi_space_page_size(s) - 1) >> s->page_shift);
}

/* Slot words that the zspage has room for after it grew `step` times: by a cache line at first, then by doubling. */
static inline unsigned zsi_slot_words(const struct zsi_size_class *sc, unsigned step)
{
	unsigned words = step < ZSI_LINEAR_STEPS ? (step + 1) * ZSI_SLOT_WORDS
						 : ZSI_LINEAR_STEPS * ZSI_SLOT_WORDS << (step + 1 - ZSI_LINEAR_STEPS);

	return words < sc->objs ? words : sc->objs;
}

/* Whether a slot of the zspage can be given out. */
static inline bool zsi_zspage_has_slot(const struct zsi_zspage *z, const struct zsi_size_class *sc)
{
	return z->free_head != ZSI_NO_SLOT || z->bump < sc->objs;
}

#endif
