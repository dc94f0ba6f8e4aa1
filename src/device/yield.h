/* SPDX-License-Identifier: BSD-3-Clause */
/* yield.h - what others can do without, given up before a write fails for memory. */
#ifndef ZSI_DEVICE_YIELD_H
#define ZSI_DEVICE_YIELD_H

#include <stdbool.h>
#include <stdint.h>

struct zram;

/*
 * Before a write fails for memory: what others can do without goes, contexts of streams first, then a save under way.
 * Whether to try again; *step begins with 0. The caller holds a stream. wanted: as for zsi_keep_give_up().
 */
bool zsi_yield_memory(struct zram *z, unsigned *step, bool wanted);

/* Make sure that a block's part of the table is there: 0, or -1 with ENOMEM. The caller holds a stream and no block. */
int zsi_yield_make_chunk(struct zram *z, uint64_t index);

#endif
