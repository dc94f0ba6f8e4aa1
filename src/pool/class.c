/* SPDX-License-Identifier: BSD-3-Clause */
/* class.c - a size class's lists of zspages, their slots, and the making and unmaking of zspages. */
#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/probe.h"
#include "pool/pool.h"

static void link_head(struct zs_pool *pool, struct zsi_class *c, struct zsi_zspage *z)
{
	uint32_t *head = &c->heads[z->group - 1];
	uint32_t self = zsi_zspage_ref(pool, z);

	z->prev = 0;
	z->next = *head;
	if (*head != 0)
		zsi_zspage_ptr(pool, *head)->prev = self;
	*head = self;
	c->nonempty = (uint16_t)(c->nonempty | 1u << z->group);
}

static void unlink_zspage(struct zs_pool *pool, struct zsi_class *c, struct zsi_zspage *z)
{
	if (z->prev != 0)
		zsi_zspage_ptr(pool, z->prev)->next = z->next;
	else
		c->heads[z->group - 1] = z->next;
	if (z->next != 0)
		zsi_zspage_ptr(pool, z->next)->prev = z->prev;
	if (c->heads[z->group - 1] == 0)
		c->nonempty = (uint16_t)(c->nonempty & ~(1u << z->group));
	z->next = z->prev = 0;
}

void zsi_class_list_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	ZSI_ASSERT(z->state != ZSI_ZSPAGE_LISTED && z->group > 0);
	link_head(pool, zsi_class_of(pool, z), z);
	z->state = ZSI_ZSPAGE_LISTED;
	zsi_room_note_hole(&pool->room, z->class_position);
}

void zsi_class_unlist_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	ZSI_ASSERT(z->state == ZSI_ZSPAGE_LISTED);
	unlink_zspage(pool, zsi_class_of(pool, z), z);
	z->state = ZSI_ZSPAGE_ISOLATED;
}

/* Pages' worth of free slots that are plenty. */
#define PLENTY_PAGES 3u

bool zsi_class_has_plenty_locked(const struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];
	uint64_t live = c->used * pool->geometry.classes[position].size;

	return c->pages << pool->space.page_shift > live + ((uint64_t)PLENTY_PAGES << pool->space.page_shift);
}

static void note_lender(struct zs_pool *pool, unsigned position)
{
	_Atomic uint64_t *word = &pool->lenders[position / 64];
	uint64_t bit = 1ull << (position % 64);
	bool plenty = zsi_class_has_plenty_locked(pool, position);

	if (plenty == ((atomic_load_explicit(word, memory_order_relaxed) & bit) != 0))
		return;
	if (plenty)
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(word, ~bit, memory_order_relaxed);
}

unsigned zsi_next_lender(const struct zs_pool *pool, unsigned position)
{
	uint64_t rest = 0;

	for (unsigned word = position / 64; word < ZSI_MAX_CLASSES / 64; word++) {
		rest = atomic_load_explicit(&pool->lenders[word], memory_order_relaxed);
		if (word == position / 64)
			rest &= ~0ull << (position % 64);
		if (rest != 0)
			return word * 64 + (unsigned)__builtin_ctzll(rest);
	}
	return pool->geometry.nr_classes;
}

void zsi_class_regroup_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	struct zsi_class *c = zsi_class_of(pool, z);
	unsigned group = zsi_fullness_group(z->inuse, zsi_size_class(pool, z)->objs);

	/* An empty one is about to be removed, from the group it was last in. */
	if (group == z->group || group == 0)
		return;
	if (z->state == ZSI_ZSPAGE_LISTED)
		unlink_zspage(pool, c, z);
	c->counts[z->group - 1]--;
	c->counts[group - 1]++;
	z->group = (uint8_t)group;
	if (z->state == ZSI_ZSPAGE_LISTED)
		link_head(pool, c, z);
	if (pool->lazy_pages)
		note_lender(pool, z->class_position);
}

struct zsi_zspage *zsi_class_fullest_locked(struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];
	unsigned partial = c->nonempty & ((1u << ZSI_GROUP_FULL) - 1);

	return partial == 0 ? NULL : zsi_zspage_ptr(pool, c->heads[zsi_log2_floor(partial) - 1]);
}

struct zsi_zspage *zsi_class_sparsest_locked(struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];
	unsigned partial = c->nonempty & ((1u << ZSI_GROUP_FULL) - 1);

	return partial == 0 ? NULL : zsi_zspage_ptr(pool, c->heads[__builtin_ctz(partial) - 1]);
}

static void count_pages(struct zs_pool *pool, struct zsi_class *c, int64_t pages)
{
	c->pages += (uint64_t)pages;
	atomic_fetch_add_explicit(&pool->pages, (uint64_t)pages, memory_order_relaxed);
}

/* Another array of slot words in place of the zspage's, as far as both reach a copy. 0, or -1 with ENOMEM. */
static int resize_slots(struct zs_pool *pool, struct zsi_zspage *z, unsigned step)
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

bool zsi_class_lower_words_locked(struct zs_pool *pool, unsigned position, uint32_t target)
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

	if (z->bump == zsi_slot_words(sc, z->slots_step) && resize_slots(pool, z, z->slots_step + 1u) != 0)
		return -1;
	if (want <= z->present)
		return 0;
	if (zsi_run_commit(&pool->space, z->first, z->present, want) != 0)
		return -1;
	if (z->state != ZSI_ZSPAGE_OUTSIDE)
		count_pages(pool, zsi_class_of(pool, z), (int64_t)want - z->present);
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

void zsi_class_add_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	struct zsi_class *c = zsi_class_of(pool, z);

	z->group = (uint8_t)zsi_fullness_group(z->inuse, zsi_size_class(pool, z)->objs);
	c->zspages++;
	c->counts[z->group - 1]++;
	count_pages(pool, c, z->present);
	ZSI_PROBE(class_grow, zsi_pool_name(pool), zsi_size_class(pool, z)->size, zsi_size_class(pool, z)->pages);
	zsi_class_list_locked(pool, z);
}

void zsi_class_remove_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	struct zsi_class *c = zsi_class_of(pool, z);

	ZSI_ASSERT(z->inuse == 0);
	if (z->state == ZSI_ZSPAGE_LISTED)
		unlink_zspage(pool, c, z);
	c->zspages--;
	c->counts[z->group - 1]--;
	count_pages(pool, c, -(int64_t)z->present);
	z->state = ZSI_ZSPAGE_OUTSIDE;
}

void zsi_zspage_relist_slots_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);

	z->free_head = ZSI_NO_SLOT;
	for (unsigned slot = z->bump; slot-- > 0;)
		if ((slots[slot] & ZSI_SLOT_FREE) != 0 && slots[slot] != ZSI_SLOT_LIMBO)
			zsi_slot_give_locked(pool, z, slot);
}

unsigned zsi_zspage_trim_locked(struct zs_pool *pool, struct zsi_zspage *z, struct zsi_cuts *cuts)
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
	zsi_zspage_relist_slots_locked(pool, z);
	keep = zsi_slot_pages(&pool->space, sc, top - 1);
	if (keep >= z->present)
		return 0;
	while (zsi_slot_words(sc, step) < top)
		step++;
	/* Smaller is better, but without memory for the smaller one the larger one does. */
	if (step < z->slots_step)
		(void)resize_slots(pool, z, step);
	dropped = z->present - keep;
	bool noted = zsi_cuts_add(cuts, z->first + keep, dropped);

	ZSI_ASSERT(noted);
	(void)noted;
	count_pages(pool, zsi_class_of(pool, z), -(int64_t)dropped);
	z->present = (uint8_t)keep;
	return dropped;
}

/*
 * With all pages of a zspage present from the start, the kernel's (allocated - used) / objs_per_zspage *
 * pages_per_zspage. Else compaction packs what is left over down to the page, but for one, where free slots of several
 * zspages don't add up to one.
 */
uint64_t zsi_class_freeable_locked(const struct zs_pool *pool, unsigned position, uint64_t cached)
{
	const struct zsi_size_class *sc = &pool->geometry.classes[position];
	const struct zsi_class *c = &pool->classes[position];
	uint64_t used = c->used - cached;
	uint64_t spare = c->zspages * (uint64_t)sc->objs - used;
	uint64_t partial = c->zspages - c->counts[ZSI_GROUP_FULL - 1];
	uint64_t needed = used / sc->objs * sc->pages;

	if (!pool->lazy_pages)
		return spare / sc->objs * sc->pages;
	if (used % sc->objs != 0)
		needed += zsi_slot_pages(&pool->space, sc, (unsigned)(used % sc->objs) - 1);
	if (spare < sc->objs && partial > 1)
		needed++;
	return c->pages > needed ? c->pages - needed : 0;
}

struct zsi_zspage *zsi_zspage_create(struct zs_pool *pool, unsigned position)
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
			zsi_zspage_release(pool, z);
			errno = ENOMEM;
			return NULL;
		}
		z->present = (uint8_t)sc->pages;
	}
	return z;
}

/* Pages given back by one free at most: others that free do their share. */
#define PURGE_AT_ONCE 64u

void zsi_zspage_free(struct zs_pool *pool, struct zsi_zspage *z)
{
	zsi_words_free(&pool->words, z->slots,
		       zsi_slot_words(zsi_size_class(pool, z), z->slots_step) * sizeof(uint32_t));
	zsi_run_free(&pool->space, z->first, z->present);
}

void zsi_zspage_release(struct zs_pool *pool, struct zsi_zspage *z)
{
	zsi_zspage_free(pool, z);
	zsi_space_purge(&pool->space, PURGE_AT_ONCE);
}
