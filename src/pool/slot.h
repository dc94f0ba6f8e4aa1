/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * slot.h - the slots of a zspage: taken one at a time, given back, and the array of slot words that says which are
 * free. The caller holds the lock of the zspage's class.
 */
#ifndef ZSI_POOL_SLOT_H
#define ZSI_POOL_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_zspage;

/* A slot of z, its pages present; ZSI_NO_SLOT with ENOMEM. Its word is for the caller to set; inuse is counted. */
unsigned zsi_slot_take_locked(struct zs_pool *pool, struct zsi_zspage *z);

/* Back to the free list, out of use or out of limbo. inuse and limbo are the caller's to count. */
void zsi_slot_give_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned slot);

/* Make the free list anew from the slot words, the lowest slot first. */
void zsi_slot_relist_locked(struct zs_pool *pool, struct zsi_zspage *z);

/*
 * Move the arrays of slot words of the class's zspages that lie at `target` or above to free memory below it. Some at a
 * time: true when there may be more to move.
 */
bool zsi_slot_lower_words_locked(struct zs_pool *pool, unsigned position, uint32_t target);

/* Turn a slot that was taken into the object of entry `index`. */
zs_handle zsi_slot_publish_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned slot, uint32_t index,
				  size_t size);

/* Another array of slot words in place of the zspage's, as far as both reach a copy. 0, or -1 with ENOMEM. */
int zsi_slot_resize_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned step);

#endif
