/* SPDX-License-Identifier: BSD-3-Clause */
/* alloc.c - zs_malloc and zs_free, one at a time and in batches. */
#include <errno.h>

#include "base/assert.h"
#include "base/probe.h"
#include "zsmalloc/misuse.h"
#include "zsmalloc/pool.h"

/*
 * Borrowing: in a class of u objects, all of them in slots d bytes too large cost u * d bytes, and a partly filled page
 * that the class doesn't have saves half a page, and the metadata of a zspage. So while u * d is below that, an object
 * that would need a new page rather takes a slot of a slightly larger class whose page is there already. Of the objects
 * only some find such a slot, which is why a bit more than half a page is the best bound.
 */
#define BORROW_WORTH(page_size) ((page_size) / 4 * 3)

/* Objects of a batch allocated under one hold of the class's lock. */
#define HOLD_OBJECTS 256u

/* How often a failed allocation is tried again after room was made. */
#define ROOM_TRIES 4

/* When a new page would be needed: heads to look at for a slot whose page is there. One zspage is filled at a time. */
static struct zsi_zspage *find_present_slot(struct zs_pool *pool, unsigned position, const struct zsi_zspage *fullest)
{
	const struct zsi_class *c = &pool->classes[position];

	for (unsigned group = fullest->group; group > 0; group--) {
		struct zsi_zspage *z = zsi_zspage_ptr(pool, c->heads[group - 1]);

		if (z == fullest)
			z = zsi_zspage_ptr(pool, z->next);
		if (z != NULL && z->free_head != ZSI_NO_SLOT)
			return z;
	}
	return NULL;
}

/* Every zspage of the class, when there is no memory for a new page. */
static struct zsi_zspage *find_any_free_slot(struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];

	for (unsigned group = ZSI_GROUP_FULL - 1; group > 0; group--)
		for (struct zsi_zspage *z = zsi_zspage_ptr(pool, c->heads[group - 1]); z != NULL;
		     z = zsi_zspage_ptr(pool, z->next))
			if (z->free_head != ZSI_NO_SLOT)
				return z;
	return NULL;
}

/* Whether the next slot of z would need a page that isn't there. */
static bool needs_page(const struct zs_pool *pool, const struct zsi_zspage *z)
{
	return z->free_head == ZSI_NO_SLOT &&
	       zsi_slot_pages(&pool->space, zsi_size_class(pool, z), z->bump) > z->present;
}

/* The zspage to allocate from: the fullest, but rather one that needs no new page. NULL: all are full. */
static struct zsi_zspage *pick_zspage(struct zs_pool *pool, unsigned position)
{
	struct zsi_zspage *z = zsi_class_fullest_locked(pool, position);

	if (z == NULL || !needs_page(pool, z))
		return z;
	struct zsi_zspage *other = find_present_slot(pool, position, z);

	return other != NULL ? other : z;
}

/* Turn a slot that was taken into the object of entry `index`. */
static zs_handle publish_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned slot, uint32_t index, size_t size)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	struct zsi_class *c = zsi_class_of(pool, z);

	zsi_zspage_slots(&pool->meta, z)[slot] = index;
	c->used++;
	c->requested += size;
	uint64_t offset = zsi_slot_offset(&pool->space, z, sc, slot);
	zs_handle h = zsi_handle_publish(&pool->handles, index, offset, sc->size, size);

	ZSI_PROBE(malloc, zsi_pool_name(pool), size, h);
	return h;
}

/* A slot of a larger class that needs no new page and is worth taking, in the name of entry `index`; 0: none. */
static zs_handle borrow_locked(struct zs_pool *pool, unsigned position, uint32_t index, size_t size)
{
	const struct zsi_geometry *g = &pool->geometry;
	uint64_t used = pool->classes[position].used + 1;
	zs_handle h = 0;

	for (unsigned p = position + 1; p < g->nr_classes && h == 0; p++) {
		uint32_t extra = g->classes[p].size - g->classes[position].size;

		if (used * extra >= BORROW_WORTH(g->page_size) || g->classes[p].size - size > ZSI_SLACK_MAX)
			break;
		/* Two class locks, so the second is only tried. */
		if (!zsi_trylock_word(&pool->classes[p].lock))
			continue;
		struct zsi_zspage *z = pick_zspage(pool, p);

		if (z != NULL && !needs_page(pool, z)) {
			unsigned slot = zsi_slot_take_locked(pool, z);

			if (slot != ZSI_NO_SLOT) {
				zsi_class_regroup_locked(pool, z);
				h = publish_locked(pool, z, slot, index, size);
			}
		}
		zsi_unlock_unranked(&pool->classes[p].lock);
	}
	return h;
}

/*
 * Allocate from a zspage that the class has. 0 where a new one is needed, or, with errno ENOMEM and *refused set, where
 * a page was.
 */
static zs_handle alloc_listed_locked(struct zs_pool *pool, unsigned position, uint32_t index, size_t size,
				     bool *refused)
{
	struct zsi_zspage *z = pick_zspage(pool, position);
	unsigned slot;

	if (pool->lazy_pages && (z == NULL || needs_page(pool, z))) {
		zs_handle h = borrow_locked(pool, position, index, size);

		if (h != 0)
			return h;
	}
	if (z == NULL)
		return 0;
	slot = zsi_slot_take_locked(pool, z);
	if (slot == ZSI_NO_SLOT) {
		z = find_any_free_slot(pool, position);
		if (z == NULL) {
			*refused = true;
			return 0;
		}
		slot = zsi_slot_take_locked(pool, z);
	}
	zsi_class_regroup_locked(pool, z);
	return publish_locked(pool, z, slot, index, size);
}

/* Allocate from a zspage that was just made. It is the class's from then on, or released. */
static zs_handle alloc_fresh_locked(struct zs_pool *pool, struct zsi_zspage *z, uint32_t index, size_t size)
{
	unsigned slot = zsi_slot_take_locked(pool, z);

	if (slot == ZSI_NO_SLOT)
		return 0;
	zsi_class_add_locked(pool, z);
	return publish_locked(pool, z, slot, index, size);
}

/* Up to n objects of one class with the class's lock taken once, but for new zspages. Returns how many; else ENOMEM. */
static size_t alloc_some(struct zs_pool *pool, unsigned position, size_t size, zs_handle *out, size_t n)
{
	struct zsi_class *c = &pool->classes[position];
	size_t done = 0;
	uint32_t index = ZSI_NO_INDEX;
	bool refused = false;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	while (done < n && !refused) {
		if (index == ZSI_NO_INDEX)
			index = zsi_handle_alloc(&pool->handles, position);
		if (index == ZSI_NO_INDEX)
			break;
		zs_handle h = alloc_listed_locked(pool, position, index, size, &refused);

		if (h == 0 && !refused) {
			/* The page source may be slow: others of the class go on meanwhile. */
			zsi_unlock(&c->lock, ZSI_RANK_CLASS);
			struct zsi_zspage *z = zsi_zspage_create(pool, position);

			zsi_lock(&c->lock, ZSI_RANK_CLASS);
			h = z != NULL ? alloc_fresh_locked(pool, z, index, size) : 0;
			if (h == 0) {
				zsi_unlock(&c->lock, ZSI_RANK_CLASS);
				if (z != NULL)
					zsi_zspage_release(pool, z);
				zsi_handle_release(&pool->handles, index, position);
				errno = ENOMEM;
				return done;
			}
		}
		if (h != 0) {
			out[done++] = h;
			index = ZSI_NO_INDEX;
			if (done % HOLD_OBJECTS == 0) {
				zsi_unlock(&c->lock, ZSI_RANK_CLASS);
				zsi_lock(&c->lock, ZSI_RANK_CLASS);
			}
		}
	}
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	if (index != ZSI_NO_INDEX)
		zsi_handle_release(&pool->handles, index, position);
	return done;
}

size_t zs_malloc_batch(struct zs_pool *pool, size_t size, unsigned flags, zs_handle *out, size_t n)
{
	int saved = errno;
	size_t done = 0;

	if (size == 0 || (flags & ~ZS_NOWAIT) != 0) {
		errno = EINVAL;
		return 0;
	}
	if (size > pool->geometry.page_size) {
		errno = ENOSPC;
		return 0;
	}
	unsigned position = pool->lookup[zsi_lookup_entry(size)];

	for (unsigned tries = 0; done < n; tries++) {
		done += alloc_some(pool, position, size, out + done, n - done);
		if (done == n)
			break;
		if (tries == ROOM_TRIES || !zsi_make_room(pool, (flags & ZS_NOWAIT) == 0)) {
			errno = ENOMEM;
			return done;
		}
	}
	errno = saved;
	return done;
}

zs_handle zs_malloc(struct zs_pool *pool, size_t size, unsigned flags)
{
	zs_handle h = 0;

	return zs_malloc_batch(pool, size, flags, &h, 1) == 1 ? h : 0;
}

static void free_one(struct zs_pool *pool, zs_handle handle, const char *call)
{
	uint64_t entry;

	if (zsi_unlikely(zsi_mapped_here(pool, handle, false))) {
		zsi_misuse(pool, handle, call, ZS_MISUSE_MAPPED);
		return;
	}
	entry = zsi_entry_lock(pool, handle, call);
	if (entry == 0)
		return;
	uint32_t index = zsi_handle_index(handle);
	uint64_t offset = zsi_entry_offset(entry);
	/* The entry is locked: the object stays where it is, and its zspage with it. */
	struct zsi_zspage *z = zsi_zspage_at(&pool->space, offset);
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	unsigned position = z->class_position;
	struct zsi_class *c = &pool->classes[position];
	bool release = false;

	ZSI_PROBE(free, zsi_pool_name(pool), handle);
	zsi_rank_enter(ZSI_RANK_ENTRY);
	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	c->used--;
	c->requested -= zsi_handle_size(&pool->handles, index, entry, sc->size);
	zsi_slot_give_locked(pool, z, zsi_slot_at(&pool->space, z, sc, offset));
	z->inuse--;
	zsi_class_regroup_locked(pool, z);
	if (z->inuse == 0 && z->state == ZSI_ZSPAGE_LISTED) {
		zsi_class_remove_locked(pool, z);
		release = true;
	}
	zsi_handle_retire(&pool->handles, index, entry);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	zsi_rank_leave(ZSI_RANK_ENTRY);
	zsi_handle_release(&pool->handles, index, position);
	if (release)
		zsi_zspage_release(pool, z);
}

/* In a child after fork: what is freed is what the background thread is for. */
static inline void revive_shrinker(struct zs_pool *pool)
{
	if (zsi_unlikely(atomic_load_explicit(&pool->shrinker.lost, memory_order_relaxed)))
		zsi_shrinker_revive(pool);
}

void zs_free(struct zs_pool *pool, zs_handle handle)
{
	int saved = errno;

	if (handle != 0)
		free_one(pool, handle, "zs_free");
	revive_shrinker(pool);
	errno = saved;
}

void zs_free_batch(struct zs_pool *pool, const zs_handle *handles, size_t n)
{
	int saved = errno;

	for (size_t i = 0; i < n; i++)
		if (handles[i] != 0)
			free_one(pool, handles[i], "zs_free_batch");
	revive_shrinker(pool);
	errno = saved;
}
