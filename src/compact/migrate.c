/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * migrate.c - zs_page_migrate: another page of the caller's behind a page number.
 *
 * Objects keep their places in the linear space, so no entry changes. Every object that touches the page is locked for
 * the time of the copy, which keeps writers out; readers go on, on the old page or on the new one, which are equal
 * until a grace period has passed and the old one is the caller's.
 */
#include <errno.h>
#include <string.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/rcu.h"
#include "compact/batch.h"
#include "pages/layout.h"
#include "pages/source.h"
#include "pool/cache.h"
#include "pool/announce.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/zspage.h"

/* Rounds of trying to lock a page's objects: with zsi_backoff() about 50 milliseconds. */
#define TRIES 1000u

static void look_at_class(const void *record, void *arg)
{
	*(unsigned *)arg = ((const struct zsi_zspage *)record)->class_position;
}

/* With the class of `position` locked: whether the zspage is one of its, and not being made or released. */
struct second_look {
	unsigned position;
	bool settled;
};

static void look_again(const void *record, void *arg)
{
	const struct zsi_zspage *z = record;
	struct second_look *look = arg;

	/* Of a zspage of another class nothing but its class may be read here. */
	look->settled = z->class_position == look->position && z->state != ZSI_ZSPAGE_OUTSIDE;
}

struct slot_range {
	unsigned from, to; /* slots [from, to) have bytes on the page */
};

static struct slot_range slots_on_page(const struct zs_pool *pool, const struct zsi_zspage *z, uint32_t page)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);
	uint64_t start = (uint64_t)(page - z->first) << pool->space.page_shift;
	uint64_t end = start + zsi_space_page_size(&pool->space);

	return (struct slot_range){ .from = (unsigned)(start / sc->size),
				    .to = (unsigned)zsi_min(zsi_div_up(end, sc->size), z->bump) };
}

static void unlock_slots(struct zs_pool *pool, const struct zsi_zspage *z, unsigned from, unsigned to)
{
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);

	for (unsigned slot = from; slot < to; slot++) {
		if ((slots[slot] & ZSI_SLOT_FREE) != 0)
			continue;
		_Atomic uint64_t *at = &pool->handles.entries[slots[slot]];
		uint64_t entry = atomic_load_explicit(at, memory_order_relaxed);

		/* It fails where who had announced it has freed the object. */
		(void)zsi_entry_unlock(at, zsi_entry_with_position(entry, z->class_position), ZSI_CLASS_MOVING);
	}
}

struct search {
	const uint32_t *slots;
	struct slot_range range;
	bool found;
};

static void look_for(void *arg, uint32_t index)
{
	struct search *s = arg;

	for (unsigned slot = s->range.from; slot < s->range.to; slot++)
		s->found |= s->slots[slot] == index;
}

/* Lock the objects of the range, all or none, and none that a thread has announced. */
static bool lock_slots(struct zs_pool *pool, const struct zsi_zspage *z, struct slot_range range)
{
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);
	struct search search = { .slots = slots, .range = range, .found = false };

	for (unsigned slot = range.from; slot < range.to; slot++) {
		if ((slots[slot] & ZSI_SLOT_FREE) != 0)
			continue;
		_Atomic uint64_t *at = &pool->handles.entries[slots[slot]];

		if (!zsi_entry_trylock(at, atomic_load_explicit(at, memory_order_relaxed), ZSI_CLASS_MOVING)) {
			unlock_slots(pool, z, range.from, slot);
			return false;
		}
	}
	zsi_cache_announced(pool, look_for, &search);
	if (search.found)
		unlock_slots(pool, z, range.from, range.to);
	return !search.found;
}

/* With the class locked. 0, or an errno value; EAGAIN: not now. */
static int migrate_locked(struct zs_pool *pool, struct zsi_zspage *z, uint32_t page, void *new_page)
{
	struct slot_range range = slots_on_page(pool, z, page);
	int error = 0;

	if (!lock_slots(pool, z, range))
		return EAGAIN;
	memcpy(new_page, zsi_space_page(&pool->space, page), zsi_space_page_size(&pool->space));
	if (zsi_source_replace(&pool->space, page, new_page) != 0)
		error = errno;
	unlock_slots(pool, z, range.from, range.to);
	return error;
}

static int migrate_once(struct zs_pool *pool, void *new_page, void *old_page)
{
	unsigned position;
	uint32_t page = zsi_source_find(&pool->space, old_page, look_at_class, &position);
	int error = EAGAIN;

	if (page == ZSI_NO_PAGE)
		return EINVAL;
	struct zsi_class *c = &pool->classes[position];

	struct second_look look = { .position = position, .settled = false };

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	/* Before the lock was ours the zspage may have gone, and its page to another. */
	if (zsi_source_find(&pool->space, old_page, look_again, &look) == page && look.settled)
		error = migrate_locked(pool, zsi_space_record(&pool->space, page), page, new_page);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	return error;
}

int zs_page_migrate(struct zs_pool *pool, void *new_page, void *old_page)
{
	int error = EINVAL;

	if (pool->space.base != NULL) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (new_page == NULL || old_page == NULL || new_page == old_page ||
	    ((uintptr_t)new_page & (zsi_space_page_size(&pool->space) - 1)) != 0 ||
	    zsi_source_find(&pool->space, new_page, look_at_class, &(unsigned){ 0 }) != ZSI_NO_PAGE) {
		errno = EINVAL;
		return -1;
	}
	if (zsi_rcu_read_ongoing()) {
		errno = EDEADLK;
		return -1;
	}
	zsi_lock(&pool->compact_lock, ZSI_RANK_COMPACT);
	zsi_batch_end(pool);
	for (unsigned round = 0; round < TRIES; round++) {
		error = migrate_once(pool, new_page, old_page);
		if (error != EAGAIN)
			break;
		/* An object in a cache is as one that a writer holds; threads may put others there meanwhile. */
		if (!zsi_caches_drain(pool, NULL))
			zsi_backoff(round);
	}
	if (error == 0)
		zsi_rcu_synchronize();
	zsi_unlock(&pool->compact_lock, ZSI_RANK_COMPACT);
	if (error == 0)
		return 0;
	errno = error == EAGAIN ? EBUSY : error;
	return -1;
}
