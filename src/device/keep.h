/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keep.h - what a save under way needs of everybody else.
 *
 * A save writes the state of one moment, and takes a while. So a block that changes before it was saved hands what it
 * held to the save instead of freeing it:
 *
 *   TOUCHED   in a block's word: it was saved, or has changed since the moment; what it holds now is not to be saved
 *   kept      what blocks held at the moment that changed before they were saved; written, then freed, as soon as the
 *             save comes to it
 *
 * A block that holds nothing needs no mark: whoever writes it makes one. Marks stay when a save ends; the next one
 * takes them away before its moment. So what a save needs beside what it keeps is the same for every size of device.
 *
 * z->save changes only while the gate is closed, so that who holds a stream may look at it. Trained dictionaries stay
 * while there is a save.
 *
 * What is kept is in the pool and counts there. A write that finds no memory for that reason must not fail: the save
 * gives up instead.
 */
#ifndef ZSI_DEVICE_KEEP_H
#define ZSI_DEVICE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "device/layout.h"

struct zram;

/* What of a block's word is the block's own, not of this device at this time; and how it is in a stream, in 32 bits. */
#define ZSI_SAVED_FLAGS \
	(ZSI_USED | ZSI_SAME | ZSI_ZERO | ZSI_HUGE | ZSI_INCOMPRESSIBLE | ZSI_PRIORITY_MASK | ZSI_DICT_MASK)
#define ZSI_SAVED_SHIFT 18

struct zsi_kept {
	uint64_t index;
	uint64_t handle;
	uint64_t meta;
	uint32_t sum;
};

struct zsi_save {
	struct zsi_lock lock;  /* rank TABLE, which is not taken together with the table's */
	struct zsi_kept *kept; /* Guarded by lock, as all that follows */
	size_t nr_kept, room;
	int error; /* errno: something could not be kept, so the save fails */
};

/* A locked block is about to change: true, the save keeps what it held, which is not the caller's to free. */
bool zsi_keep_takes(struct zram *z, uint64_t index, uint64_t meta);

/* Whether a save under way needs what a block with this word holds. The caller holds a stream, and the block. */
bool zsi_keep_wants(struct zram *z, uint64_t meta);

/*
 * There is no memory for a write: the save, if there is one, fails and gives back what it keeps. Whether to try again.
 * The caller holds a stream. wanted: the block that is to be written could be, if the save did not need what it holds;
 * else a save that keeps nothing stands in nobody's way.
 */
bool zsi_keep_give_up(struct zram *z, bool wanted);

/* In a child after fork(): the thread that saves is not there. */
void zsi_keep_forget(struct zram *z);

/* What a locked block holds. */
struct zsi_kept zsi_keep_content(const struct zram *z, uint64_t index, uint64_t meta);

/* What is kept is not needed any more. */
void zsi_keep_free(struct zram *z, const struct zsi_kept *k);

#endif
