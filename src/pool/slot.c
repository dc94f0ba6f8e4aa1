/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slot.c - a free slot is one of the free list, or else the one at the bump index, which may need another page and a
 * longer array of slot words.
 */
#include "pool/slot.h"

#include <string.h>

#include "base/assert.h"
#include "base/bits.h"
#include "base/probe.h"
#include "pages/space.h"
#include "pages/words.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/room.h"
#include "pool/zspage.h"

int zsi_slot_resize_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned step)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	size_t old_bytes = zsi_slot_words(sc, z->slots_step) * sizeof(uint32_t);
	size_t new_bytes = zsi_slot_words(sc, step) * sizeof(uint32_t);
	uint32_t slots = zsi_words_alloc(&pool->words, new_bytes);

	if (slots == 0)
		return -1;
	memcpy(zsi_words_ptr(&pool->words, slots), zsi_zspage_slots(&pool->words, z), zsi_min(old_bytes, new_bytes));
	zsi_words_free(&pool->words, z->slots, old_bytes);
	z->slots = slots;
	z->slots_step = (uint8_t)step;
	return 0;
}

/* Zspages whose arrays are moved under one hold of the class's lock. */
#define LOWERED_AT_ONCE 32u

bool zsi_slot_lower_words_locked(struct zs_pool *pool, unsigned position, uint32_t target)
{
	const struct zsi_size_class *sc = &pool->geometry.classes[position];
	const struct zsi_class *c = &pool->classes[position];
	unsigned lowered = 0;

	for (unsigned group = 1; group <= ZSI_GROUP_FULL; group++) {
		for (struct zsi_zspage *z = zsi_zspage_ptr(pool, c->heads[group - 1]); z != NULL;
		     z = zsi_zspage_ptr(pool, z->next)) {
			if (z->slots < target)
				continue;
			size_t bytes = zsi_slot_words(sc, z->slots_step) * sizeof(uint32_t);
			uint32_t slots = zsi_words_alloc_below(&pool->words, bytes, target);

			if (slots == 0)
				continue;
			memcpy(zsi_words_ptr(&pool->words, slots), zsi_zspage_slots(&pool->words, z), bytes);
			zsi_words_free(&pool->words, z->slots, bytes);
			z->slots = slots;
			if (++lowered == LOWERED_AT_ONCE)
				return true;
		}
	}
	return false;
}

/* Have a slot word and pages for the slot at bump. 0, or -1 with ENOMEM. */
static int extend(struct zs_pool *pool, struct zsi_zspage *z, const struct zsi_size_class *sc)
{
	unsigned want = zsi_slot_pages(&pool->space, sc, z->bump);

	if (z->bump == zsi_slot_words(sc, z->slots_step) && zsi_slot_resize_locked(pool, z, z->slots_step + 1u) != 0)
		return -1;
	if (want <= z->present)
		return 0;
	if (zsi_run_commit(&pool->space, z->first, z->present, want) != 0)
		return -1;
	if (z->state != ZSI_ZSPAGE_OUTSIDE)
		zsi_class_count_pages_locked(pool, zsi_class_of(pool, z), (int64_t)want - z->present);
	z->present = (uint8_t)want;
	zsi_room_note_hole(&pool->room, z->class_position);
	return 0;
}

unsigned zsi_slot_take_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	unsigned slot = z->free_head;

	ZSI_ASSERT(zsi_zspage_has_slot(z, sc));
	if (slot != ZSI_NO_SLOT) {
		z->free_head = (uint16_t)(zsi_zspage_slots(&pool->words, z)[slot] & ZSI_NO_SLOT);
	} else {
		if (extend(pool, z, sc) != 0)
			return ZSI_NO_SLOT;
		slot = z->bump++;
	}
	z->inuse++;
	return slot;
}

void zsi_slot_give_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned slot)
{
	zsi_zspage_slots(&pool->words, z)[slot] = ZSI_SLOT_FREE | z->free_head;
	z->free_head = (uint16_t)slot;
}

void zsi_slot_relist_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);

	z->free_head = ZSI_NO_SLOT;
	for (unsigned slot = z->bump; slot-- > 0;)
		if ((slots[slot] & ZSI_SLOT_FREE) != 0 && slots[slot] != ZSI_SLOT_LIMBO)
			zsi_slot_give_locked(pool, z, slot);
}

zs_handle zsi_slot_publish_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned slot, uint32_t index,
				  size_t size)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	struct zsi_class *c = zsi_class_of(pool, z);

	zsi_zspage_slots(&pool->words, z)[slot] = index;
	c->used++;
	c->requested += size;
	uint64_t offset = zsi_slot_offset(&pool->space, z, sc, slot);
	zs_handle h = zsi_handle_publish(&pool->handles, index, offset, z->class_position, sc->size, size);

	ZSI_PROBE(malloc, zsi_pool_name(pool), size, h);
	return h;
}
