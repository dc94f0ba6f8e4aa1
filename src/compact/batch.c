/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * batch.c - the end of a compaction batch: what the grace period makes free becomes free.
 *
 * Pages behind the last object of a zspage are given back many at a time and without the class's lock, so their zspages
 * stay isolated until that is done.
 */
#include "base/lock.h"
#include "base/rcu.h"
#include "compact/batch.h"
#include "pages/layout.h"
#include "pages/purge.h"
#include "pages/space.h"
#include "pool/class.h"
#include "pool/pool.h"
#include "pool/slot.h"
#include "pool/zspage.h"
#include "pool/zspages.h"

void zsi_batch_push(struct zs_pool *pool, uint32_t *list, struct zsi_zspage *z)
{
	z->next = *list;
	*list = zsi_zspage_ref(pool, z);
}

static struct zsi_zspage *pop(struct zs_pool *pool, uint32_t *list)
{
	struct zsi_zspage *z = zsi_zspage_ptr(pool, *list);

	if (z != NULL)
		*list = z->next;
	return z;
}

/* It is the class's again, or nobody's. */
static void list_or_remove(struct zs_pool *pool, struct zsi_zspage *z)
{
	if (z->inuse > 0) {
		zsi_class_list_locked(pool, z);
		return;
	}
	/* The last of its objects was freed while it was isolated. */
	zsi_class_remove_locked(pool, z);
	zsi_batch_push(pool, &pool->batch.emptied, z);
}

/* Lock the class of the first zspage of a list; NULL: it is empty. Only who has compact_lock changes the list. */
static struct zsi_class *lock_class_of_first(struct zs_pool *pool, const uint32_t *list)
{
	const struct zsi_zspage *z = zsi_zspage_ptr(pool, *list);

	if (z == NULL)
		return NULL;
	zsi_lock(&zsi_class_of(pool, z)->lock, ZSI_RANK_CLASS);
	return zsi_class_of(pool, z);
}

/* No class's lock is held. */
static void give_back_cuts(struct zs_pool *pool)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_class *c;

	zsi_purge_cuts(&pool->space, &b->cuts);
	while ((c = lock_class_of_first(pool, &b->cut)) != NULL) {
		zsi_purge_settle(&pool->space, &b->cuts);
		list_or_remove(pool, pop(pool, &b->cut));
		zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	}
}

/* After the grace period: its limbo slots are free. */
static void settle(struct zs_pool *pool, struct zsi_zspage *z)
{
	struct zsi_compact_batch *b = &pool->batch;
	uint32_t *slots = zsi_zspage_slots(&pool->words, z);
	unsigned cut;

	for (unsigned slot = 0; z->limbo > 0; slot++) {
		if (slots[slot] == ZSI_SLOT_LIMBO) {
			zsi_slot_give_locked(pool, z, slot);
			z->limbo--;
		}
	}
	cut = z->inuse > 0 ? zsi_zspages_trim_locked(pool, z, &b->cuts) : 0;
	b->trimmed += cut;
	if (cut == 0)
		list_or_remove(pool, z);
	else
		zsi_batch_push(pool, &b->cut, z);
}

void zsi_batch_set_aside_pair(struct zs_pool *pool)
{
	struct zsi_compact_batch *b = &pool->batch;

	struct zsi_zspage *dst = zsi_zspage_ptr(pool, b->dst), *src = zsi_zspage_ptr(pool, b->src);

	/*
	 * Others may go on with it at once; but where they are to find what they would in the kernel, after the
	 * source.
	 */
	if (dst != NULL && dst->limbo == 0 && dst->inuse > 0 && pool->lazy_pages)
		zsi_class_list_locked(pool, dst);
	else if (dst != NULL)
		zsi_batch_push(pool, &b->passed, dst);
	if (src != NULL)
		zsi_batch_push(pool, &b->passed, src);
	b->src = b->dst = 0;
}

void zsi_batch_end(struct zs_pool *pool)
{
	struct zsi_compact_batch *b = &pool->batch;
	struct zsi_class *c = &pool->classes[b->position];

	if (b->bytes > 0)
		zsi_rcu_synchronize();
	zsi_lock(&c->lock, ZSI_RANK_CLASS);
	b->bytes = 0;
	zsi_batch_set_aside_pair(pool);
	zsi_unlock(&c->lock, ZSI_RANK_CLASS);
	while ((c = lock_class_of_first(pool, &b->passed)) != NULL) {
		settle(pool, pop(pool, &b->passed));
		zsi_unlock(&c->lock, ZSI_RANK_CLASS);
		if (b->cuts.n == ZSI_CUTS)
			give_back_cuts(pool);
	}
	give_back_cuts(pool);
	while ((c = lock_class_of_first(pool, &b->emptied)) != NULL) {
		struct zsi_zspage *empty = pop(pool, &b->emptied);
		bool callers = pool->space.base == NULL;

		/*
		 * With the lock, so that a child that is forked meanwhile has it; but a caller's function may take its
		 * time.
		 */
		if (!callers)
			zsi_zspages_free(pool, empty);
		zsi_unlock(&c->lock, ZSI_RANK_CLASS);
		if (callers)
			zsi_zspages_free(pool, empty);
	}
	zsi_space_purge(&pool->space, UINT64_MAX);
}
