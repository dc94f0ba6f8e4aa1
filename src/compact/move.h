/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * move.h - objects from one slot to another, some at a time.
 *
 * The mover locks the entries of the objects first, zsi_hold_locked(). Then zsi_hold_settle() makes all threads
 * execute a barrier, for all of them together, and lets go of those that a thread has announced: what is still held
 * then nobody else changes until it is moved or dropped. The class's lock is held from the first to the last step, so
 * that a child that is forked meanwhile finds nothing half done.
 */
#ifndef ZSI_COMPACT_MOVE_H
#define ZSI_COMPACT_MOVE_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_zspage;

/* Objects held at a time. */
#define ZSI_HOLD_OBJECTS 128u

struct zsi_hold {
	uint64_t entry; /* as it was; 0: let go of */
	uint32_t index;
	uint32_t slot;
};

struct zsi_holds {
	unsigned n;
	struct zsi_hold objects[ZSI_HOLD_OBJECTS];
};

enum zsi_moved {
	ZSI_MOVED,
	ZSI_MOVE_HELD,      /* somebody else has the object, or its slack would not fit: it stays */
	ZSI_MOVE_NO_MEMORY, /* dst has no slot whose page is there, and no page was to be had: it is still held */
};

/* Lock the object in slot `from`, and have it as the last of the holds, of which there are less than most. False: somebody
 * else has it locked, or it is in a cache. */
bool zsi_hold_locked(struct zs_pool *pool, struct zsi_holds *holds, const struct zsi_zspage *src, unsigned from);

/* See above. Those that are let go of have an entry of 0 then. */
void zsi_hold_settle(struct zs_pool *pool, struct zsi_holds *holds);

/* Unlock an object that is still held. */
void zsi_hold_drop(struct zs_pool *pool, struct zsi_hold *hold);

/*
 * Move a held object of src to a slot that dst gives. Counts inuse of both and limbo of src. dst may be of a larger
 * class, whose lock is held too; the object then counts as one of that class.
 */
enum zsi_moved zsi_move_object_locked(struct zs_pool *pool, struct zsi_zspage *src, struct zsi_hold *hold,
				      struct zsi_zspage *dst);

/* Move it to slot `to` of the same zspage, which is free and in no list. False: it was let go of. */
bool zsi_move_within_locked(struct zs_pool *pool, struct zsi_zspage *z, struct zsi_hold *hold, unsigned to);

#endif
