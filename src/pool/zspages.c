/* SPDX-License-Identifier: BSD-3-Clause */
/* zspages.c - a zspage is a run of pages, its record in the space, and an array of slot words: made and unmade here. */
#include "pool/zspages.h"

#include <errno.h>

#include "base/assert.h"
#include "pages/cuts.h"
#include "pages/layout.h"
#include "pages/space.h"
#include "pages/words.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/slot.h"
#include "pool/zspage.h"

unsigned zsi_zspages_trim_locked(struct zs_pool *pool, struct zsi_zspage *z, struct zsi_cuts *cuts)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);
	unsigned top = z->bump, step = 0;
	unsigned keep, dropped;

	ZSI_ASSERT(z->inuse > 0 && z->limbo == 0);
	while ((slots[top - 1] & ZSI_SLOT_FREE) != 0)
		top--;
	if (!pool->lazy_pages)
		return 0;
	z->bump = (uint16_t)top;
	zsi_slot_relist_locked(pool, z);
	keep = zsi_slot_pages(&pool->space, sc, top - 1);
	if (keep >= z->present)
		return 0;
	while (zsi_slot_words(sc, step) < top)
		step++;
	/* Smaller is better, but without memory for the smaller one the larger one does. */
	if (step < z->slots_step)
		(void)zsi_slot_resize_locked(pool, z, step);
	dropped = z->present - keep;
	bool noted = zsi_cuts_add(cuts, z->first + keep, dropped);

	ZSI_ASSERT(noted);
	(void)noted;
	zsi_class_count_pages_locked(pool, zsi_class_of(pool, z), -(int64_t)dropped);
	z->present = (uint8_t)keep;
	return dropped;
}

struct zsi_zspage *zsi_zspages_create(struct zs_pool *pool, unsigned position)
{
	const struct zsi_size_class *sc = &pool->geometry.classes[position];
	size_t slots_bytes = zsi_slot_words(sc, 0) * sizeof(uint32_t);
	uint32_t slots = zsi_words_alloc(&pool->words, slots_bytes);
	unsigned present;
	uint32_t first;

	if (slots == 0)
		return NULL;
	first = zsi_run_alloc(&pool->space, sc->pages, &present);
	if (first == ZSI_NO_PAGE) {
		zsi_words_free(&pool->words, slots, slots_bytes);
		return NULL;
	}
	struct zsi_zspage *z = zsi_space_record(&pool->space, first);

	*z = (struct zsi_zspage){
		.slots = slots,
		.first = first,
		.class_position = (uint16_t)position,
		.free_head = ZSI_NO_SLOT,
		.present = (uint8_t)present,
		.state = ZSI_ZSPAGE_OUTSIDE,
	};
	if (!pool->lazy_pages) {
		if (zsi_run_commit(&pool->space, first, present, sc->pages) != 0) {
			zsi_zspages_release(pool, z);
			errno = ENOMEM;
			return NULL;
		}
		z->present = (uint8_t)sc->pages;
	}
	return z;
}

/* Pages given back by one free at most: others that free do their share. */
#define PURGE_AT_ONCE 64u

void zsi_zspages_free(struct zs_pool *pool, struct zsi_zspage *z)
{
	zsi_words_free(&pool->words, z->slots,
		       zsi_slot_words(zsi_size_class(pool, z), z->slots_step) * sizeof(uint32_t));
	zsi_run_free(&pool->space, z->first, z->present);
}

void zsi_zspages_release(struct zs_pool *pool, struct zsi_zspage *z)
{
	zsi_zspages_free(pool, z);
	zsi_space_purge(&pool->space, PURGE_AT_ONCE);
}
