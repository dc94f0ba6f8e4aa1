/* SPDX-License-Identifier: BSD-3-Clause */
/* class.c - a size class's lists of zspages, their slots, and the making and unmaking of zspages. */
#include "pool/class.h"

#include "base/assert.h"
#include "base/bits.h"
#include "base/probe.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/room.h"
#include "pool/zspage.h"

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

unsigned zsi_class_next_lender(const struct zs_pool *pool, unsigned position)
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

void zsi_class_count_pages_locked(struct zs_pool *pool, struct zsi_class *c, int64_t pages)
{
	c->pages += (uint64_t)pages;
	atomic_fetch_add_explicit(&pool->pages, (uint64_t)pages, memory_order_relaxed);
}

void zsi_class_add_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	struct zsi_class *c = zsi_class_of(pool, z);

	z->group = (uint8_t)zsi_fullness_group(z->inuse, zsi_size_class(pool, z)->objs);
	c->zspages++;
	c->counts[z->group - 1]++;
	zsi_class_count_pages_locked(pool, c, z->present);
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
	zsi_class_count_pages_locked(pool, c, -(int64_t)z->present);
	z->state = ZSI_ZSPAGE_OUTSIDE;
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
