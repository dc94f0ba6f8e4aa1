/* SPDX-License-Identifier: BSD-3-Clause */
/* move.h - one object from one slot to another. */
#ifndef ZSI_COMPACT_MOVE_H
#define ZSI_COMPACT_MOVE_H

#include <stdbool.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;
struct zsi_zspage;

enum zsi_moved {
	ZSI_MOVED,
	ZSI_MOVE_HELD,      /* a writer or a cache holds the object, or its slack would not fit: it stays */
	ZSI_MOVE_NO_MEMORY, /* dst has no slot whose page is there, and no page was to be had */
};

/*
 * Move the object in slot `from` of src to a slot that dst gives. Counts inuse of both and limbo of src. dst may be of
 * a larger class, whose lock is held too; the object then counts as one of that class.
 */
enum zsi_moved zsi_move_object_locked(struct zs_pool *pool, struct zsi_zspage *src, unsigned from,
				      struct zsi_zspage *dst);

/*
 * Move it to slot `to` of the same zspage, which is free and in no list. False: a writer or a cache holds the object.
 */
bool zsi_move_within_locked(struct zs_pool *pool, struct zsi_zspage *z, unsigned from, unsigned to);

#endif
