/* SPDX-License-Identifier: BSD-3-Clause */
/* move.c - holding and moving objects, for compaction. */
#include <string.h>

#include "base/assert.h"
#include "base/bits.h"
#include "compact/move.h"
#include "pages/layout.h"
#include "pool/announce.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/slot.h"
#include "pool/zspage.h"

static void copy_object(const struct zs_pool *pool, uint64_t to, uint64_t from, size_t size)
{
	uint8_t *in[2] = { NULL, NULL }, *out[2] = { NULL, NULL };
	size_t in_split, out_split;

	(void)zsi_space_pieces(&pool->space, from, size, in, &in_split);
	(void)zsi_space_pieces(&pool->space, to, size, out, &out_split);
	for (size_t done = 0; done < size;) {
		const uint8_t *src = done < in_split ? in[0] + done : in[1] + (done - in_split);
		uint8_t *dst = done < out_split ? out[0] + done : out[1] + (done - out_split);
		size_t src_left = (done < in_split ? in_split : size) - done;
		size_t dst_left = (done < out_split ? out_split : size) - done;
		size_t n = zsi_min(src_left, dst_left);

		memcpy(dst, src, n);
		done += n;
	}
}

bool zsi_hold_locked(struct zs_pool *pool, struct zsi_holds *holds, const struct zsi_zspage *src, unsigned from)
{
	uint32_t index = zsi_zspage_slots(&pool->words, src)[from];
	_Atomic uint64_t *at = &pool->handles.entries[index];
	uint64_t entry = atomic_load_explicit(at, memory_order_relaxed);

	if (!zsi_entry_trylock(at, entry, ZSI_CLASS_MOVING))
		return false;
	ZSI_ASSERT(zsi_entry_class(entry) == src->class_position + 1u);
	ZSI_ASSERT(zsi_entry_offset(entry) == zsi_slot_offset(&pool->space, src, zsi_size_class(pool, src), from));
	holds->objects[holds->n++] = (struct zsi_hold){ .entry = entry, .index = index, .slot = from };
	return true;
}

void zsi_hold_drop(struct zs_pool *pool, struct zsi_hold *hold)
{
	/* It fails where who had announced it has freed the object. */
	if (hold->entry != 0)
		(void)zsi_entry_unlock(&pool->handles.entries[hold->index], hold->entry, ZSI_CLASS_MOVING);
	hold->entry = 0;
}

struct held_back {
	struct zs_pool *pool;
	struct zsi_holds *holds;
};

static void let_go(void *arg, uint32_t index)
{
	const struct held_back *b = arg;

	for (unsigned i = 0; i < b->holds->n; i++)
		if (b->holds->objects[i].index == index)
			zsi_hold_drop(b->pool, &b->holds->objects[i]);
}

void zsi_hold_settle(struct zs_pool *pool, struct zsi_holds *holds)
{
	if (holds->n == 0)
		return;
	zsi_cache_announced(pool, let_go, &(struct held_back){ .pool = pool, .holds = holds });
	/* Who had announced it, and has freed it since, stored over the lock before taking the announcement back. */
	for (unsigned i = 0; i < holds->n; i++) {
		struct zsi_hold *hold = &holds->objects[i];

		if (hold->entry != 0 && zsi_entry_class(atomic_load_explicit(&pool->handles.entries[hold->index],
									     memory_order_acquire)) != ZSI_CLASS_MOVING)
			hold->entry = 0;
	}
}

/* From its slot, which is in limbo then, to one that is its own. Unlocks the entry. */
static void move_held(struct zs_pool *pool, struct zsi_zspage *src, struct zsi_hold *hold, struct zsi_zspage *dst,
		      unsigned to)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, src), *dst_sc = zsi_size_class(pool, dst);
	uint64_t offset = zsi_slot_offset(&pool->space, dst, dst_sc, to);
	uint64_t entry = zsi_entry_with_position(zsi_entry_with_offset(hold->entry, offset), dst->class_position);

	copy_object(pool, offset, zsi_entry_offset(hold->entry), sc->size);
	zsi_zspage_slots(&pool->words, dst)[to] = hold->index;
	zsi_zspage_slots(&pool->words, src)[hold->slot] = ZSI_SLOT_LIMBO;
	src->limbo++;
	/* In a larger class's slot there is more slack. */
	if (dst_sc != sc)
		zsi_handle_set_size(&pool->handles, hold->index, dst_sc->size,
				    zsi_handle_size(&pool->handles, hold->index, sc->size));
	zsi_entry_publish_moved(&pool->handles.entries[hold->index], entry);
	hold->entry = 0;
	atomic_fetch_add_explicit(&pool->objs_moved, 1, memory_order_relaxed);
}

enum zsi_moved zsi_move_object_locked(struct zs_pool *pool, struct zsi_zspage *src, struct zsi_hold *hold,
				      struct zsi_zspage *dst)
{
	struct zsi_class *c = zsi_class_of(pool, src), *dst_c = zsi_class_of(pool, dst);

	if (hold->entry == 0)
		return ZSI_MOVE_HELD;
	size_t size = zsi_handle_size(&pool->handles, hold->index, zsi_size_class(pool, src)->size);

	/* It may have come from a cache since the caller looked, smaller than it was. */
	if (pool->handles.slack != NULL && zsi_size_class(pool, dst)->size - size > ZSI_SLACK_MAX) {
		zsi_hold_drop(pool, hold);
		return ZSI_MOVE_HELD;
	}
	unsigned to = zsi_slot_take_locked(pool, dst);

	if (to == ZSI_NO_SLOT)
		return ZSI_MOVE_NO_MEMORY;
	src->inuse--;
	if (c != dst_c) {
		c->used--;
		c->requested -= size;
		dst_c->used++;
		dst_c->requested += size;
	}
	move_held(pool, src, hold, dst, to);
	return ZSI_MOVED;
}

bool zsi_move_within_locked(struct zs_pool *pool, struct zsi_zspage *z, struct zsi_hold *hold, unsigned to)
{
	if (hold->entry == 0)
		return false;
	move_held(pool, z, hold, z, to);
	return true;
}
