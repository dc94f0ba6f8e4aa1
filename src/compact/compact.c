/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compact.c - moving objects out of sparse zspages into full ones.
 *
 * A few classes at a time, from the largest down. The fullest zspage that is not full is the destination, the sparsest the
 * source; objects move from source to destination until the source is empty or the destination full, as long as the
 * class has a whole zspage's worth of free slots. That is the kernel's order, so that with the kernel's geometry the
 * same zspages are freed and the lists look the same afterwards.
 *
 * A moved object's old slot is in limbo until a grace period has passed, because a reader may still look at it. The
 * kernel frees it at once, so what follows from its being free is worked out without it:
 *
 *   - an emptied source leaves the class's counts at once, and is released after the grace period;
 *   - a source that is not empty when the destination is full stays isolated, where the kernel puts it back and then
 *     picks it again. Only where it would have picked it as the next destination is it really put back, after a
 *     grace period of its own.
 *
 * Where pages come as slots are used (the dense geometry), pack.c then gathers what is left over in one zspage a class.
 *
 * A grace period ends a batch: a few hundred kilobytes moved, in a large pool more, of several classes. The class's lock
 * is held for a few objects at a time, dropped in between, and never held while waiting or while pages are given back to
 * the system. An object whose entry is locked by a writer is passed over; its zspage is set aside.
 */
#include <errno.h>

#include "base/pace.h"
#include "base/probe.h"
#include "base/rcu.h"
#include "pool/cache.h"
#include "compact/compact.h"

/*
 * Bytes moved between two grace periods: a share of the pool, since the old places of a batch are held meanwhile, and
 * enough for the price of a grace period to be small against the copying.
 */
#define BATCH_MIN_BYTES ((uint64_t)256 << 10)
#define BATCH_MAX_BYTES ((uint64_t)2 << 20)
#define BATCH_SHIFT 8

/* How far ahead of the copying entries and objects are fetched, in slots. */
#define FETCH_ENTRIES 8u
#define FETCH_OBJECTS 2u

/* Classes that share their grace periods, and the calls that give pages back. */
#define CLASSES_TOGETHER 32u

bool zsi_budget_exhausted(const struct zsi_compact_budget *budget)
{
	return budget->bytes == 0 || budget->pages == 0 ||
	       (budget->deadline_ns != UINT64_MAX && zsi_now_ns() >= budget->deadline_ns);
}

uint64_t zsi_batch_bytes(const struct zs_pool *pool)
{
	uint64_t share =
		atomic_load_explicit(&pool->pages, memory_order_relaxed) << pool->space.page_shift >> BATCH_SHIFT;

	return zsi_min(zsi_max(share, BATCH_MIN_BYTES), BATCH_MAX_BYTES);
}

/* Whether the free slots of the class add up to a zspage. */
static bool worth_it(const struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];
	uint64_t objs = pool->geometry.classes[position].objs;

	return c->zspages * objs - c->used >= objs;
}

struct zsi_zspage *zsi_isolate_locked(struct zs_pool *pool, struct zsi_zspage *z)
{
	if (z != NULL)
		zsi_class_unlist_locked(pool, z);
	return z;
}

/*
 * The slot of the source that is looked at after `done` others. Where the pages behind the last object go back, from the
 * last one down.
 */
static unsigned source_slot(const struct zs_pool *pool, const struct zsi_zspage *src, unsigned done)
{
	return pool->lazy_pages ? src->bump - 1u - done : done;
}

/* The objects are in no cache, nor are their entries: have them on their way while the ones before are copied. */
static void fetch_ahead(const struct zs_pool *pool, const struct zsi_zspage *src, const uint32_t *slots, unsigned done)
{
	if (done + FETCH_ENTRIES < src->bump) {
		uint32_t index = slots[source_slot(pool, src, done + FETCH_ENTRIES)];

		if ((index & ZSI_SLOT_FREE) == 0)
			__builtin_prefetch(&pool->handles.entries[index], 1);
	}
	if (pool->space.base == NULL || done + FETCH_OBJECTS >= src->bump)
		return;
	unsigned slot = source_slot(pool, src, done + FETCH_OBJECTS);

	if ((slots[slot] & ZSI_SLOT_FREE) != 0)
		return;
	const uint8_t *at = pool->space.base + zsi_slot_offset(&pool->space, src, zsi_size_class(pool, src), slot);

	for (unsigned line = 0; line < 4; line++)
		__builtin_prefetch(at + line * ZSI_CACHE_LINE);
}

bool zsi_batch_move(struct zs_pool *pool, struct zsi_compact_budget *budget, bool only_holes)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_zspage *src = zsi_zspage_ptr(pool, b->src);
	struct zsi_zspage *dst = zsi_zspage_ptr(pool, b->dst);
	const struct zsi_size_class *sc = zsi_size_class(pool, src);
	const uint32_t *slots = zsi_zspage_slots(&pool->words, src);
	unsigned before = dst->present;
	unsigned moves = 0;
	uint64_t most = zsi_min(zsi_batch_bytes(pool), b->bytes + ZSI_HOLD_BYTES);
	bool memory = true;

	for (; b->src_done < src->bump && src->inuse > 0 && memory; b->src_done++) {
		unsigned slot = source_slot(pool, src, b->src_done);

		fetch_ahead(pool, src, slots, b->src_done);
		if ((slots[slot] & ZSI_SLOT_FREE) != 0)
			continue;
		if (!zsi_zspage_has_slot(dst, sc) || (only_holes && dst->free_head == ZSI_NO_SLOT) || b->bytes >= most)
			break;
		if (budget->bytes == 0 || (++moves % ZSI_CLOCK_EVERY == 0 && zsi_budget_exhausted(budget)))
			break;
		enum zsi_moved moved = zsi_object_move_locked(pool, src, slot, dst, ZSI_NO_SLOT);

		if (moved == ZSI_MOVE_NO_MEMORY) {
			memory = false;
			break;
		}
		if (moved == ZSI_MOVED) {
			b->bytes += sc->size;
			zsi_spend(&budget->bytes, sc->size);
		}
	}
	b->grown += dst->present - before;
	zsi_class_regroup_locked(pool, src);
	zsi_class_regroup_locked(pool, dst);
	return memory;
}

/*
 * Have a source and a destination. False: there is nothing to pair. *end is set when the batch has to end first,
 * because the source is what the kernel would fill next.
 */
static bool choose_pair(struct zs_pool *pool, bool *end)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_zspage *src = zsi_zspage_ptr(pool, b->src);

	if (b->dst == 0) {
		struct zsi_zspage *fullest = zsi_class_fullest_locked(pool, b->position);

		if (fullest == NULL)
			return false;
		if (src != NULL && src->group >= fullest->group) {
			*end = true;
			return true;
		}
		b->dst = zsi_zspage_ref(pool, zsi_isolate_locked(pool, fullest));
	}
	if (src == NULL) {
		src = zsi_isolate_locked(pool, zsi_class_sparsest_locked(pool, b->position));
		if (src == NULL)
			return false;
		b->src = zsi_zspage_ref(pool, src);
		b->src_done = 0;
	}
	return true;
}

uint64_t zsi_batch_sort_out(struct zs_pool *pool, bool only_holes)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_zspage *src = zsi_zspage_ptr(pool, b->src);
	struct zsi_zspage *dst = zsi_zspage_ptr(pool, b->dst);
	uint64_t freed = 0;

	if (src->inuse == 0) {
		freed = src->present;
		zsi_class_remove_locked(pool, src);
		zsi_batch_push(pool, &b->emptied, src);
		b->src = 0;
	} else if (b->src_done >= src->bump) {
		/* What is left is held by writers. */
		zsi_batch_push(pool, &b->passed, src);
		b->src = 0;
	}
	if (!zsi_zspage_has_slot(dst, zsi_size_class(pool, dst)) || (only_holes && dst->free_head == ZSI_NO_SLOT)) {
		zsi_class_list_locked(pool, dst);
		b->dst = 0;
	}
	return freed;
}

void zsi_batch_end_between(struct zs_pool *pool, struct zsi_class *c)
{
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	zsi_compact_end_batch(pool);
	zsi_lock(&c->lock, ZSI_RANK_CLASS);
}

uint64_t zsi_enough_rounds(const struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];

	return 2 * (uint64_t)c->zspages + c->used * pool->geometry.classes[position].size / ZSI_HOLD_BYTES + 2;
}

/* Empty the sparse zspages of a class into the fuller ones. Returns the pages of those that are empty now. */
static uint64_t empty_sparse(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget)
{
	struct zsi_class *c = &pool->classes[position];
	struct zsi_compact_batch *b = &pool->batch;
	uint64_t freed = 0;
	bool memory = true;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	uint64_t rounds = zsi_enough_rounds(pool, position);

	b->position = position;
	while (memory && worth_it(pool, position) && !zsi_budget_exhausted(budget) && rounds-- > 0) {
		bool end = false;

		if (!choose_pair(pool, &end))
			break;
		if (!end) {
			memory = zsi_batch_move(pool, budget, false);
			uint64_t pages = zsi_batch_sort_out(pool, false);

			freed += pages;
			zsi_spend(&budget->pages, pages);
		}
		if (end || b->bytes >= zsi_batch_bytes(pool))
			zsi_batch_end_between(pool, c);
		else
			zsi_lock_breathe(&c->lock, ZSI_RANK_CLASS);
	}
	zsi_batch_set_aside_pair(pool);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	return freed;
}

/* The last page of a class, into larger classes. Returns the pages of a zspage that is empty now. */
static uint64_t fold(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget)
{
	struct zsi_class *c = &pool->classes[position];
	struct zsi_compact_batch *b = &pool->batch;
	uint64_t freed = 0, before = b->bytes;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	struct zsi_zspage *folded = zsi_class_fold_locked(pool, position, &b->bytes);

	zsi_spend(&budget->bytes, b->bytes - before);
	if (folded != NULL && folded->inuse == 0) {
		freed = folded->present;
		zsi_class_remove_locked(pool, folded);
		zsi_batch_push(pool, &b->emptied, folded);
	} else if (folded != NULL) {
		zsi_batch_push(pool, &b->passed, folded);
	}
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	return freed;
}

/* Classes that are compacted together. */
struct some_classes {
	unsigned position[CLASSES_TOGETHER];
	unsigned n;
	unsigned visited; /* with those that were passed over */
};

static uint64_t freeable(struct zs_pool *pool, unsigned position)
{
	struct zsi_class *c = &pool->classes[position];

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	uint64_t pages = zsi_class_freeable_locked(pool, position, 0);

	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	return pages;
}

/*
 * What a class with anything to free has on average, in pages: pages that go back together cost little more than one, so
 * that those with less are better left until it is more, or all have as little.
 */
static uint64_t mean_freeable(struct zs_pool *pool)
{
	uint64_t sum = 0, classes = 0;

	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		uint64_t pages = freeable(pool, i);

		sum += pages;
		classes += pages > 0;
	}
	return classes > 0 ? sum / classes : 0;
}

/* The next ones from the cursor down, of at most `left`. */
static struct some_classes choose_classes(struct zs_pool *pool, unsigned left, uint64_t least_pages)
{
	struct some_classes some = { .n = 0 };

	while (some.visited < left && some.visited <= pool->compact_cursor && some.n < CLASSES_TOGETHER) {
		unsigned position = pool->compact_cursor - some.visited++;

		if (least_pages == 0 || freeable(pool, position) >= least_pages)
			some.position[some.n++] = position;
	}
	return some;
}

/*
 * Each step on all of them before the next, since it begins with what the grace period after the one before made free.
 * Returns pages of zspages that are empty now.
 */
static uint64_t compact_classes(struct zs_pool *pool, const struct some_classes *some,
				struct zsi_compact_budget *budget)
{
	uint64_t freed = 0;

	for (unsigned i = 0; i < some->n && !zsi_budget_exhausted(budget); i++)
		freed += empty_sparse(pool, some->position[i], budget);
	zsi_compact_end_batch(pool);
	for (unsigned i = 0; pool->lazy_pages && i < some->n && !zsi_budget_exhausted(budget); i++)
		freed += zsi_class_pack(pool, some->position[i], budget);
	zsi_compact_end_batch(pool);
	for (unsigned i = 0; pool->lazy_pages && !budget->brief && i < some->n && !zsi_budget_exhausted(budget); i++)
		freed += fold(pool, some->position[i], budget);
	zsi_compact_end_batch(pool);
	return freed;
}

/* All classes once, as far as the budget goes. Returns pages freed. */
static uint64_t compact_all(struct zs_pool *pool, uint64_t least_pages, struct zsi_compact_budget *budget)
{
	struct zsi_compact_batch *b = &pool->batch;
	unsigned n = pool->geometry.nr_classes;
	uint64_t freed = 0;

	for (unsigned visited = 0; visited < n;) {
		struct some_classes some = choose_classes(pool, n - visited, least_pages);

		freed += compact_classes(pool, &some, budget);
		if (zsi_budget_exhausted(budget))
			break;
		pool->compact_cursor = (pool->compact_cursor + n - some.visited) % n;
		visited += some.visited;
	}
	zsi_compact_end_batch(pool);
	freed += b->trimmed;
	/* What a destination took on the way was not freed. */
	freed = freed > b->grown ? freed - b->grown : 0;
	b->trimmed = b->grown = 0;
	return freed;
}

/* Move the arrays of slot words together, and give back what that leaves free. False: not all yet. */
static bool lower_words(struct zs_pool *pool, const struct zsi_compact_budget *budget)
{
	uint32_t target = zsi_words_target(&pool->words);

	for (unsigned position = 0; target != 0 && position < pool->geometry.nr_classes; position++) {
		struct zsi_class *c = &pool->classes[position];

		if (zsi_budget_exhausted(budget))
			return false;
		zsi_lock(&c->lock, ZSI_RANK_CLASS);
		while (zsi_class_lower_words_locked(pool, position, target))
			zsi_lock_breathe(&c->lock, ZSI_RANK_CLASS);
		zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	}
	zsi_words_trim(&pool->words);
	return true;
}

bool zsi_compact_words(struct zs_pool *pool, uint64_t deadline_ns)
{
	const struct zsi_compact_budget budget = { .bytes = 1, .deadline_ns = deadline_ns, .pages = 1 };

	zsi_lock(&pool->compact_lock, ZSI_RANK_COMPACT);
	bool done = lower_words(pool, &budget);

	zsi_unlock(&pool->compact_lock, ZSI_RANK_COMPACT);
	return done;
}

uint64_t zsi_compact_locked(struct zs_pool *pool, struct zsi_compact_budget *budget)
{
	uint64_t start_ns = zsi_now_ns(), bytes = budget->bytes;
	uint64_t least_pages = budget->skip_little ? mean_freeable(pool) : 0;
	uint64_t freed = 0;

	zsi_compact_end_batch(pool);
	/* What one class leaves free in its last page another may fold into: until nothing comes of it any more. */
	for (uint64_t before = UINT64_MAX; before != freed && !zsi_budget_exhausted(budget);) {
		before = freed;
		freed += compact_all(pool, least_pages, budget);
		if (budget->brief)
			break;
	}
	if (!zsi_budget_exhausted(budget))
		(void)lower_words(pool, budget);
	atomic_fetch_add_explicit(&pool->pages_compacted, freed, memory_order_relaxed);
	if (!budget->keep_reserve)
		(void)zsi_space_trim(&pool->space);
	ZSI_PROBE(compact_slice, zsi_pool_name(pool), bytes - budget->bytes, freed, zsi_now_ns() - start_ns);
	return freed;
}

unsigned long zsi_compact(struct zs_pool *pool, struct zsi_compact_budget *budget)
{
	int saved = errno;
	uint64_t freed, drained = 0;

	if (zsi_rcu_read_ongoing()) {
		errno = EDEADLK;
		return 0;
	}
	if (!budget->keep_caches)
		(void)zsi_caches_drain(pool, &drained);
	atomic_fetch_add_explicit(&pool->pages_compacted, drained, memory_order_relaxed);
	zsi_lock(&pool->compact_lock, ZSI_RANK_COMPACT);
	freed = drained + zsi_compact_locked(pool, budget);
	zsi_unlock(&pool->compact_lock, ZSI_RANK_COMPACT);
	/* 0 pages is no error: what was tried on the way and refused is not to look like one. */
	errno = saved;
	return (unsigned long)freed;
}

unsigned long zs_compact(struct zs_pool *pool)
{
	return zs_compact_budget(pool, 0, 0);
}

unsigned long zs_compact_budget(struct zs_pool *pool, uint64_t max_bytes_moved, uint64_t max_ns)
{
	uint64_t now = zsi_now_ns();
	struct zsi_compact_budget budget = {
		.bytes = max_bytes_moved != 0 ? max_bytes_moved : UINT64_MAX,
		.deadline_ns = max_ns != 0 && max_ns < UINT64_MAX - now ? now + max_ns : UINT64_MAX,
		.pages = UINT64_MAX,
	};

	return zsi_compact(pool, &budget);
}

unsigned long zs_shrinker_scan(struct zs_pool *pool, unsigned long nr_pages)
{
	struct zsi_compact_budget budget = { .bytes = UINT64_MAX, .deadline_ns = UINT64_MAX, .pages = nr_pages };

	return nr_pages == 0 ? 0 : zsi_compact(pool, &budget);
}
