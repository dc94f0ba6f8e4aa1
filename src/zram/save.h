/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * save.h - what a save under way needs of everybody else.
 *
 * A save writes the state of one moment, and takes a while. So a block that changes before it was saved hands what it held
 * to the save instead of freeing it:
 *
 *   touched[i]   the block was saved, or has changed since the moment; what it holds now is not to be saved
 *   kept         what blocks held at the moment that changed before they were saved; written, then freed, as soon as the
 *                save comes to it
 *
 * z->save changes only while the gate is closed, so that who holds a stream may look at it.
 */
#ifndef ZSI_ZRAM_SAVE_H
#define ZSI_ZRAM_SAVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"

struct zram;

struct zsi_kept {
	uint64_t index;
	uint64_t handle;
	uint64_t meta;
};

struct zsi_save {
	_Atomic uint64_t *touched; /* a bit a block; set with the block's lock held */
	struct zsi_lock lock;      /* rank MEMORY */
	struct zsi_kept *kept;     /* Guarded by lock, as all that follows */
	size_t nr_kept, room;
	int error; /* errno: something could not be kept, so the save fails */
};

/* A locked block is about to change: true, the save keeps what it held, which is not the caller's to free. */
bool zsi_save_keeps(struct zram *z, uint64_t index, uint64_t meta);

/* In a child after fork(): the thread that saves is not there. */
void zsi_save_forget(struct zram *z);

#endif
