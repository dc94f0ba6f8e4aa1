/* SPDX-License-Identifier: BSD-3-Clause */
/* stock.c - the way of a slot from its class to a cache and back, with the class's lock held. */
#include "pool/stock.h"

#include "base/assert.h"
#include "pool/bell.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pick.h"
#include "pool/pool.h"
#include "pool/room.h"
#include "pool/slot.h"
#include "pool/zspage.h"
#include "pool/zspages.h"

uint32_t zsi_stock_take_locked(struct zs_pool *pool, unsigned position)
{
	const struct zsi_size_class *sc = &pool->geometry.classes[position];
	/* Nothing that waits: no page, no longer array of slot words, no new entries. */
	struct zsi_zspage *z = zsi_pick_costless_locked(pool, position);

	if (z == NULL)
		return ZSI_NO_INDEX;
	uint32_t index = zsi_handle_reuse(&pool->handles, zsi_handle_own_stack());

	if (index == ZSI_NO_INDEX)
		return ZSI_NO_INDEX;
	unsigned slot = zsi_slot_take_locked(pool, z);

	zsi_class_regroup_locked(pool, z);
	zsi_zspage_slots(&pool->words, z)[slot] = index;
	pool->classes[position].used++;
	zsi_handle_reserve(&pool->handles, index, zsi_slot_offset(&pool->space, z, sc, slot), position);
	return index;
}

void zsi_stock_release(struct zs_pool *pool, struct zsi_zspage *list)
{
	while (list != NULL) {
		struct zsi_zspage *z = list;

		list = zsi_zspage_ptr(pool, z->next);
		zsi_zspages_release(pool, z);
	}
}

bool zsi_stock_return_locked(struct zs_pool *pool, unsigned position, uint32_t index, struct zsi_zspage **released)
{
	uint64_t entry = atomic_load_explicit(&pool->handles.entries[index], memory_order_relaxed);

	if (zsi_unlikely(!zsi_entry_retired_in(entry, position + 1)))
		return false;
	uint64_t offset = zsi_entry_offset(entry);
	struct zsi_zspage *z = zsi_zspage_at(&pool->space, offset);

	ZSI_ASSERT(z->class_position == position);
	pool->classes[position].used--;
	zsi_slot_give_locked(pool, z, zsi_slot_at(&pool->space, z, zsi_size_class(pool, z), offset));
	z->inuse--;
	zsi_bell_notice(pool);
	zsi_room_note_hole(&pool->room, position);
	zsi_class_regroup_locked(pool, z);
	if (z->inuse == 0 && z->state == ZSI_ZSPAGE_LISTED) {
		zsi_class_remove_locked(pool, z);
		z->next = *released != NULL ? zsi_zspage_ref(pool, *released) : 0;
		*released = z;
	}
	zsi_handle_release(&pool->handles, index, zsi_handle_own_stack());
	return true;
}
