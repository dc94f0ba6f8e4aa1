/* SPDX-License-Identifier: BSD-3-Clause */
/* make_room.h - what an allocation that found no memory tries before it gives up. */
#ifndef ZSI_COMPACT_MAKE_ROOM_H
#define ZSI_COMPACT_MAKE_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <zsmalloc/zsmalloc.h>

struct zs_pool;

/*
 * After an allocation of `size` bytes was refused memory and found no slot: make room, as far as the flags allow and it
 * is worth it. Whether a retry is. The caller holds no lock.
 */
bool zsi_make_room(struct zs_pool *pool, size_t size, unsigned flags);

/* This thread had what it asked for, after it had to look for it. */
void zsi_make_room_had(void);

#endif
