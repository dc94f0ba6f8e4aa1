/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pick.c - the fullest zspage, as in the kernel, but rather one whose page is there than one that needs a new page: one
 * zspage is filled at a time.
 */
#include "pool/pick.h"

#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/zspage.h"

/* Zspages of a group to look at for a slot whose page is there: seldom more than one at a time is being filled. */
#define HEADS 3u

/* When a new page would be needed: a zspage with a slot whose page is there. */
static struct zsi_zspage *find_present_slot(struct zs_pool *pool, unsigned position, const struct zsi_zspage *fullest)
{
	const struct zsi_class *c = &pool->classes[position];

	for (unsigned group = fullest->group; group > 0; group--) {
		struct zsi_zspage *z = zsi_zspage_ptr(pool, c->heads[group - 1]);

		for (unsigned i = 0; i < HEADS && z != NULL; i++, z = zsi_zspage_ptr(pool, z->next))
			if (z->free_head != ZSI_NO_SLOT)
				return z;
	}
	return NULL;
}

struct zsi_zspage *zsi_pick_any_locked(struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];

	for (unsigned group = ZSI_GROUP_FULL - 1; group > 0; group--)
		for (struct zsi_zspage *z = zsi_zspage_ptr(pool, c->heads[group - 1]); z != NULL;
		     z = zsi_zspage_ptr(pool, z->next))
			if (z->free_head != ZSI_NO_SLOT)
				return z;
	return NULL;
}

bool zsi_pick_needs_page(const struct zs_pool *pool, const struct zsi_zspage *z)
{
	return z->free_head == ZSI_NO_SLOT &&
	       zsi_slot_pages(&pool->space, zsi_size_class(pool, z), z->bump) > z->present;
}

struct zsi_zspage *zsi_pick_locked(struct zs_pool *pool, unsigned position)
{
	struct zsi_zspage *z = zsi_class_fullest_locked(pool, position);

	if (z == NULL || !zsi_pick_needs_page(pool, z))
		return z;
	struct zsi_zspage *other = find_present_slot(pool, position, z);

	return other != NULL ? other : z;
}

struct zsi_zspage *zsi_pick_costless_locked(struct zs_pool *pool, unsigned position)
{
	struct zsi_zspage *z = zsi_pick_locked(pool, position);

	if (z == NULL || zsi_pick_needs_page(pool, z) ||
	    (z->free_head == ZSI_NO_SLOT && z->bump == zsi_slot_words(zsi_size_class(pool, z), z->slots_step)))
		return NULL;
	return z;
}
