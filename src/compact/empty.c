/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * empty.c - the kernel's compaction: the fullest zspage that is not full is the destination, the sparsest the source,
 * as long as the class has a whole zspage's worth of free slots.
 */
#include "compact/empty.h"

#include "base/lock.h"
#include "compact/batch.h"
#include "compact/budget.h"
#include "compact/pair.h"
#include "pool/class.h"
#include "pool/pool.h"
#include "pool/zspage.h"

/* Whether the free slots of the class add up to a zspage. */
static bool worth_it(const struct zs_pool *pool, unsigned position)
{
	const struct zsi_class *c = &pool->classes[position];
	uint64_t objs = pool->geometry.classes[position].objs;

	return c->zspages * objs - c->used >= objs;
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
		b->dst = zsi_zspage_ref(pool, zsi_pair_isolate_locked(pool, fullest));
	}
	if (src == NULL) {
		src = zsi_pair_isolate_locked(pool, zsi_class_sparsest_locked(pool, b->position));
		if (src == NULL)
			return false;
		b->src = zsi_zspage_ref(pool, src);
		b->src_done = 0;
	}
	return true;
}

uint64_t zsi_empty_class(struct zs_pool *pool, unsigned position, struct zsi_compact_budget *budget)
{
	struct zsi_class *c = &pool->classes[position];
	struct zsi_compact_batch *b = &pool->batch;
	uint64_t freed = 0;
	bool memory = true;

	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	uint64_t rounds = zsi_pair_enough_rounds(pool, position);

	b->position = position;
	while (memory && worth_it(pool, position) && !zsi_budget_exhausted(budget) && rounds-- > 0) {
		bool end = false;

		if (!choose_pair(pool, &end))
			break;
		if (!end) {
			memory = zsi_pair_move(pool, budget, false);
			uint64_t pages = zsi_pair_sort_out(pool, false);

			freed += pages;
			zsi_budget_spend(&budget->pages, pages);
		}
		if (end || b->bytes >= zsi_pair_batch_bytes(pool))
			zsi_pair_end_batch_between(pool, c);
		else
			zsi_lock_breathe(&c->lock, ZSI_RANK_CLASS);
	}
	zsi_batch_set_aside_pair(pool);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	return freed;
}
