/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * validate.c - zs_pool_validate: every equation of pool.h, zspage.h and space.h, checked.
 *
 * All classes are locked and all caches stopped, so nothing is allocated, freed or moved meanwhile; readers and
 * writers of objects go on. A free may have retired its object and be waiting: its slot is used by nobody, and it is
 * in no cache.
 */
#include <errno.h>

#include "base/lock.h"
#include "pages/layout.h"
#include "pages/meta.h"
#include "pages/space_validate.h"
#include "pages/words.h"
#include "pool/cache.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/zspage.h"

struct totals {
	uint64_t meta_top; /* ends of metadata memory when the walk began */
	uint64_t words_top;
	uint64_t zspages;
	uint64_t used;
	uint64_t retired;   /* used slots without a live object: cached, or being freed */
	uint64_t requested; /* by live objects */
	uint64_t pages;
	uint64_t limbo;
	uint32_t counts[ZSI_GROUPS - 1];
};

/* A slots_step beyond this reaches more words than a zspage can have slots. */
#define MAX_SLOTS_STEP 24u

/*
 * What descriptors refer to is looked at only after the references themselves are known to stay inside the pool's
 * memory: the damage may be anywhere.
 */
static bool block_inside(const struct totals *t, uint32_t ref, size_t bytes)
{
	uint64_t start = (uint64_t)ref << ZSI_META_UNIT_SHIFT;

	return ref != 0 && start + bytes <= t->meta_top;
}

static bool zspage_inside(const struct totals *t, uint32_t ref)
{
	return block_inside(t, ref, sizeof(struct zsi_zspage));
}

/* Whether the zspage's page number is one of a run of its class's length, and the run's record is the zspage. */
static bool is_its_runs_record(const struct zs_pool *pool, const struct zsi_zspage *z)
{
	const struct zsi_space *s = &pool->space;
	const struct zsi_chunk *c = zsi_space_chunk(s, z->first);

	return (z->first >> ZSI_CHUNK_SHIFT) < atomic_load_explicit(&s->nr_chunks, memory_order_relaxed) &&
	       c->run_pages == zsi_size_class(pool, z)->pages && (const void *)z == zsi_space_record(s, z->first);
}

/* Whether the array of slot words is as long as it has to be, no longer, and inside metadata memory. */
static bool slots_inside(const struct zs_pool *pool, const struct zsi_zspage *z, const struct totals *t)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);

	if (z->slots_step > MAX_SLOTS_STEP || z->bump > zsi_slot_words(sc, z->slots_step))
		return false;
	if (z->slots_step > 0 && zsi_slot_words(sc, z->slots_step - 1u) >= sc->objs)
		return false;
	uint64_t start = (uint64_t)z->slots << ZSI_WORDS_UNIT_SHIFT;

	return start != 0 && start + zsi_slot_words(sc, z->slots_step) * sizeof(uint32_t) <= t->words_top;
}

/* The entry of a used slot: live, or retired and locked, and pointing back at it. */
static bool entry_valid(const struct zs_pool *pool, const struct zsi_zspage *z, unsigned slot, uint32_t index,
			struct totals *t)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, z);

	if (index >= atomic_load_explicit(&pool->handles.bound, memory_order_acquire))
		return false;
	uint64_t entry = atomic_load_explicit(&pool->handles.entries[index], memory_order_acquire);
	if (zsi_entry_offset(entry) != zsi_slot_offset(&pool->space, z, sc, slot))
		return false;
	if (zsi_entry_class(entry) != z->class_position + 1u && !(zsi_entry_live(entry) && zsi_entry_locked(entry)))
		return false;
	if (!zsi_entry_live(entry)) {
		t->retired++;
		return true;
	}
	size_t size = zsi_handle_size(&pool->handles, index, sc->size);

	t->requested += size;
	return size <= sc->max_request && (pool->lazy_pages || size >= sc->min_request);
}

static bool free_list_valid(const struct zs_pool *pool, const struct zsi_zspage *z, unsigned length)
{
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);
	unsigned slot = z->free_head;

	for (unsigned i = 0; i < length; i++) {
		if (slot >= z->bump || (slots[slot] & ~ZSI_NO_SLOT) != ZSI_SLOT_FREE)
			return false;
		slot = slots[slot] & ZSI_NO_SLOT;
	}
	return slot == ZSI_NO_SLOT;
}

static bool zspage_valid(const struct zs_pool *pool, const struct zsi_zspage *z, unsigned position, struct totals *t)
{
	const struct zsi_size_class *sc = &pool->geometry.classes[position];
	unsigned inuse = 0, limbo = 0;

	if (z->class_position != position || z->bump > sc->objs || z->present > sc->pages)
		return false;
	if (z->bump > 0 && zsi_slot_pages(&pool->space, sc, z->bump - 1u) > z->present)
		return false;
	if (!slots_inside(pool, z, t) || !is_its_runs_record(pool, z))
		return false;
	const uint32_t *slots = zsi_zspage_slots(&pool->words, z);

	for (unsigned slot = 0; slot < z->bump; slot++) {
		if ((slots[slot] & ZSI_SLOT_FREE) == 0) {
			inuse++;
			if (!entry_valid(pool, z, slot, slots[slot], t))
				return false;
		} else if (slots[slot] == ZSI_SLOT_LIMBO) {
			limbo++;
		}
	}
	if (inuse != z->inuse || limbo != z->limbo || !free_list_valid(pool, z, z->bump - inuse - limbo))
		return false;
	if (inuse > 0 && z->group != zsi_fullness_group(inuse, sc->objs))
		return false;
	if (z->group == 0 || z->group > ZSI_GROUP_FULL)
		return false;
	t->zspages++;
	t->counts[z->group - 1]++;
	t->used += inuse;
	t->limbo += limbo;
	t->pages += z->present;
	return true;
}

static bool list_valid(const struct zs_pool *pool, unsigned position, unsigned group, struct totals *t)
{
	const struct zsi_class *c = &pool->classes[position];
	uint32_t prev = 0;

	if ((c->nonempty >> group & 1) != (c->heads[group - 1] != 0))
		return false;
	for (uint32_t ref = c->heads[group - 1]; ref != 0;) {
		if (!zspage_inside(t, ref))
			return false;
		const struct zsi_zspage *z = zsi_zspage_ptr(pool, ref);

		if (z->state != ZSI_ZSPAGE_LISTED || z->prev != prev || z->group != group || z->inuse == 0 ||
		    z->limbo != 0 || t->zspages >= c->zspages || !zspage_valid(pool, z, position, t))
			return false;
		prev = ref;
		ref = z->next;
	}
	return true;
}

/* One that compaction has in its hands, if it is of the class; 0 is none. */
static bool isolated_valid(const struct zs_pool *pool, uint32_t ref, unsigned position, struct totals *t)
{
	if (ref == 0)
		return true;
	if (!zspage_inside(t, ref))
		return false;
	const struct zsi_zspage *z = zsi_zspage_ptr(pool, ref);

	return z->state == ZSI_ZSPAGE_ISOLATED && (z->class_position != position || zspage_valid(pool, z, position, t));
}

static bool isolated_list_valid(const struct zs_pool *pool, uint32_t ref, unsigned position, struct totals *t)
{
	/* A list that goes round in a circle is longer than there can be zspages. */
	for (uint64_t left = t->meta_top / sizeof(struct zsi_zspage); ref != 0; ref = zsi_zspage_ptr(pool, ref)->next)
		if (left-- == 0 || !isolated_valid(pool, ref, position, t))
			return false;
	return true;
}

/* What compaction has in its hands, counted with the class it belongs to. */
static bool batch_valid(const struct zs_pool *pool, unsigned position, struct totals *t)
{
	const struct zsi_compact_batch *b = &pool->batch;

	return isolated_valid(pool, b->src, position, t) && isolated_valid(pool, b->dst, position, t) &&
	       isolated_list_valid(pool, b->passed, position, t) && isolated_list_valid(pool, b->cut, position, t);
}

static bool class_valid(const struct zs_pool *pool, unsigned position, struct totals *all)
{
	const struct zsi_class *c = &pool->classes[position];
	struct totals t = { .meta_top = all->meta_top, .words_top = all->words_top };

	for (unsigned group = 1; group <= ZSI_GROUP_FULL; group++)
		if (!list_valid(pool, position, group, &t))
			return false;
	if (!batch_valid(pool, position, &t))
		return false;
	for (unsigned g = 0; g < ZSI_GROUPS - 1; g++)
		if (t.counts[g] != c->counts[g])
			return false;
	uint64_t cached;
	int64_t requested;

	zsi_caches_count_locked(pool, position, &cached, &requested);
	all->used += t.used;
	all->pages += t.pages;
	/* What a free that is on its way still counts as requested can't be told from here. */
	return t.zspages == c->zspages && t.used == c->used && t.pages == c->pages && t.retired >= cached &&
	       (t.retired > cached || t.requested == c->requested + (uint64_t)requested);
}

/* Everything in the caches: retired, locked, in a slot of its bin's class, and within the budget. */
static bool caches_valid(const struct zs_pool *pool)
{
	uint64_t granted = 0;

	for (const struct zsi_cache *cache = pool->caches; cache != NULL; cache = cache->pool_next) {
		uint64_t bytes = 0;

		for (unsigned position = 0; position < pool->geometry.nr_classes; position++) {
			const struct zsi_cache_bin *bin = &cache->bins[position];
			unsigned n = zsi_bin_count(bin);

			if (n > ZSI_CACHE_ITEMS || (uint32_t)bin->size != pool->geometry.classes[position].size ||
			    (cache->filled[position + 1] == 0 && n > 0))
				return false;
			for (unsigned i = 0; i < n; i++) {
				if (bin->items[i] >= atomic_load_explicit(&pool->handles.bound, memory_order_acquire))
					return false;
				uint64_t entry = atomic_load_explicit(&pool->handles.entries[bin->items[i]],
								      memory_order_acquire);

				if (!zsi_entry_retired_in(entry, position + 1) ||
				    zsi_zspage_at(&pool->space, zsi_entry_offset(entry))->class_position != position)
					return false;
			}
			bytes += (uint64_t)n * (uint32_t)bin->size;
		}
		if (cache->left < 0 || bytes != (uint64_t)(cache->budget - cache->left))
			return false;
		granted += (uint64_t)cache->budget;
	}
	/* A grant is taken before it is in its cache's budget. */
	return granted <= atomic_load_explicit(&pool->cache_granted, memory_order_relaxed);
}

/* Entries that have a slot: live ones and retired ones. A free may turn one into the other at any moment. */
static bool handles_valid(const struct zs_pool *pool, uint64_t used)
{
	uint32_t bound = atomic_load_explicit(&pool->handles.bound, memory_order_acquire);
	uint64_t with_slot = 0;

	for (uint32_t i = 0; i < bound; i++) {
		uint64_t entry = atomic_load_explicit(&pool->handles.entries[i], memory_order_relaxed);

		with_slot += zsi_entry_live(entry) || zsi_entry_retired(entry);
	}
	return with_slot == used;
}

static bool all_valid(struct zs_pool *pool)
{
	struct totals t = { 0 };

	zsi_lock(&pool->meta.lock, ZSI_RANK_META);
	t.meta_top = pool->meta.top;
	zsi_unlock(&pool->meta.lock, ZSI_RANK_META);
	zsi_lock(&pool->words.lock, ZSI_RANK_META);
	t.words_top = pool->words.top;
	zsi_unlock(&pool->words.lock, ZSI_RANK_META);

	for (unsigned i = 0; i < pool->geometry.nr_classes; i++)
		if (!class_valid(pool, i, &t))
			return false;
	/* Pages were counted under class locks, all of which are held. */
	return t.pages == atomic_load_explicit(&pool->pages, memory_order_relaxed) && handles_valid(pool, t.used) &&
	       caches_valid(pool);
}

int zs_pool_validate(struct zs_pool *pool)
{
	unsigned n = pool->geometry.nr_classes;
	uint64_t limit = atomic_load_explicit(&pool->account.limit, memory_order_relaxed);
	bool ok;

	zsi_caches_lock();
	zsi_rank_enter(ZSI_RANK_CLASS);
	for (unsigned i = 0; i < n; i++)
		zsi_lock_unranked(&pool->classes[i].lock);
	zsi_caches_stop(pool);
	ok = all_valid(pool) && zsi_space_validate(&pool->space) && zsi_words_validate(&pool->words);
	zsi_caches_resume(pool);
	for (unsigned i = n; i-- > 0;)
		zsi_unlock_unranked(&pool->classes[i].lock);
	zsi_rank_leave(ZSI_RANK_CLASS);
	zsi_caches_unlock();
	if (ok && (limit == 0 || atomic_load_explicit(&pool->account.used, memory_order_relaxed) <= limit ||
		   atomic_load_explicit(&pool->account.lowered, memory_order_relaxed)))
		return 0;
	errno = EUCLEAN;
	return -1;
}
