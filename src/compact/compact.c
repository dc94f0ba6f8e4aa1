/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compact.c - moving objects out of sparse zspages into full ones.
 *
 * A few classes at a time, from the largest down. The fullest zspage that is not full is the destination, the sparsest
 * the source; objects move from source to destination until the source is empty or the destination full, as long as
 * the class has a whole zspage's worth of free slots. That is the kernel's order, so that with the kernel's geometry
 * the same zspages are freed and the lists look the same afterwards.
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
 * A grace period ends a batch: a few hundred kilobytes moved, in a large pool more, of several classes. The class's
 * lock is held for a few objects at a time, dropped in between, and never held while waiting or while pages are given
 * back to the system. An object whose entry is locked by a writer is passed over; its zspage is set aside.
 */
#include "compact/compact.h"

#include <errno.h>

#include "base/lock.h"
#include "base/pace.h"
#include "base/probe.h"
#include "base/rcu.h"
#include "compact/batch.h"
#include "compact/budget.h"
#include "compact/empty.h"
#include "compact/fold.h"
#include "compact/pack.h"
#include "pages/space.h"
#include "pages/words.h"
#include "pool/cache.h"
#include "pool/class.h"
#include "pool/pool.h"
#include "pool/slot.h"

/* Classes that share their grace periods, and the calls that give pages back. */
#define CLASSES_TOGETHER 32u

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
 * What a class with anything to free has on average, in pages: pages that go back together cost little more than one,
 * so that those with less are better left until it is more, or all have as little.
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
		freed += zsi_empty_class(pool, some->position[i], budget);
	zsi_batch_end(pool);
	for (unsigned i = 0; pool->lazy_pages && i < some->n && !zsi_budget_exhausted(budget); i++)
		freed += zsi_pack_class(pool, some->position[i], budget);
	zsi_batch_end(pool);
	for (unsigned i = 0; pool->lazy_pages && !budget->brief && i < some->n && !zsi_budget_exhausted(budget); i++)
		freed += zsi_fold_class(pool, some->position[i], budget);
	zsi_batch_end(pool);
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
	zsi_batch_end(pool);
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
		while (zsi_slot_lower_words_locked(pool, position, target))
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

	zsi_batch_end(pool);
	/*
	 * What one class leaves free in its last page another may fold into: until nothing comes of it any more.
	 */
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
