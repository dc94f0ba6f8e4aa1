/* SPDX-License-Identifier: BSD-3-Clause */
/* move.c - moving one object to another slot, for compaction. */
#include <string.h>

#include "base/assert.h"
#include "base/bits.h"
#include "compact/move.h"
#include "pages/layout.h"
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

/* Lock the entry of the object in slot `from`. False: a writer or a cache holds it. */
static bool hold(struct zs_pool *pool, const struct zsi_zspage *src, unsigned from, uint64_t *entry)
{
	_Atomic uint64_t *at = &pool->handles.entries[zsi_zspage_slots(&pool->words, src)[from]];

	*entry = atomic_load_explicit(at, memory_order_relaxed);
	if (!zsi_entry_trylock(at, *entry))
		return false;
	ZSI_ASSERT(zsi_entry_live(*entry));
	ZSI_ASSERT(zsi_entry_offset(*entry) == zsi_slot_offset(&pool->space, src, zsi_size_class(pool, src), from));
	return true;
}

/* The object of a locked entry, from its slot, which is in limbo then, to one that is its own. Unlocks the entry. */
static void move_held(struct zs_pool *pool, uint64_t entry, struct zsi_zspage *src, unsigned from,
		      struct zsi_zspage *dst, unsigned to)
{
	const struct zsi_size_class *sc = zsi_size_class(pool, src), *dst_sc = zsi_size_class(pool, dst);
	uint32_t index = zsi_zspage_slots(&pool->words, src)[from];
	uint64_t offset = zsi_slot_offset(&pool->space, dst, dst_sc, to);

	copy_object(pool, offset, zsi_entry_offset(entry), sc->size);
	zsi_zspage_slots(&pool->words, dst)[to] = index;
	zsi_zspage_slots(&pool->words, src)[from] = ZSI_SLOT_LIMBO;
	src->limbo++;
	/* In a larger class's slot there is more slack. */
	if (pool->handles.sizes == NULL)
		entry += (uint64_t)(dst_sc->size - sc->size) << ZSI_SLACK_SHIFT;
	zsi_entry_unlock(&pool->handles.entries[index], zsi_entry_with_offset(entry, offset));
	atomic_fetch_add_explicit(&pool->objs_moved, 1, memory_order_relaxed);
}

enum zsi_moved zsi_move_object_locked(struct zs_pool *pool, struct zsi_zspage *src, unsigned from,
				      struct zsi_zspage *dst)
{
	struct zsi_class *c = zsi_class_of(pool, src), *dst_c = zsi_class_of(pool, dst);
	uint32_t index = zsi_zspage_slots(&pool->words, src)[from];
	uint64_t entry;

	if (!hold(pool, src, from, &entry))
		return ZSI_MOVE_HELD;
	size_t size = zsi_handle_size(&pool->handles, index, entry, zsi_size_class(pool, src)->size);

	/* It may have come from a cache since the caller looked, smaller than it was. */
	if (pool->handles.sizes == NULL && zsi_size_class(pool, dst)->size - size > ZSI_SLACK_MAX) {
		zsi_entry_unlock(&pool->handles.entries[index], entry);
		return ZSI_MOVE_HELD;
	}
	unsigned to = zsi_slot_take_locked(pool, dst);

	if (to == ZSI_NO_SLOT) {
		zsi_entry_unlock(&pool->handles.entries[index], entry);
		return ZSI_MOVE_NO_MEMORY;
	}
	src->inuse--;
	if (c != dst_c) {
		c->used--;
		c->requested -= size;
		dst_c->used++;
		dst_c->requested += size;
	}
	move_held(pool, entry, src, from, dst, to);
	return ZSI_MOVED;
}

bool zsi_move_within_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned from, unsigned to)
{
	uint64_t entry;

	if (!hold(pool, z, from, &entry))
		return false;
	move_held(pool, entry, z, from, z, to);
	return true;
}
