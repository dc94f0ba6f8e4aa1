/* SPDX-License-Identifier: BSD-3-Clause */
/* init.h - a device gets its size, pool, table and streams, and loses them again. */
#ifndef ZSI_ZRAM_INIT_H
#define ZSI_ZRAM_INIT_H

#include <stdint.h>

struct zram;

/* Initialise with disksize bytes, a multiple of block_size, not 0. -1: EBUSY, ENOMEM, EINVAL. z->lock is held. */
int zsi_init_locked(struct zram *z, uint64_t disksize);

/* Back to how it was before it was initialised, with all settings at their defaults. Takes z->lock. */
void zsi_init_reset(struct zram *z);

/* Undo what initialising made. z->lock is held, the gate closed or nobody else there. */
void zsi_init_undo_locked(struct zram *z);

#endif
