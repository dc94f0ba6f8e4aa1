/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * evict.h - the attribute "evict": where a write finds no memory, the blocks that were not accessed for longest go to
 * the backing file, and it is tried again.
 *
 * What that takes is there before it is needed, since at the limit there is nothing to be had: room for a batch
 * (batch.h) and for the oldest blocks (oldest.h), a 64th of the limit at most, while the device is initialised and has
 * a file. z->evictor is NULL where it is not; it changes with z->lock held, and goes with the gate closed, so that who
 * holds a stream may use it. What it points to is of who holds z->batch_lock.
 */
#ifndef ZSI_ZRAM_EVICT_H
#define ZSI_ZRAM_EVICT_H

#include <stdbool.h>
#include <stdint.h>

struct zram;
struct zsi_text;

int zsi_attr_evict_get(struct zram *z, struct zsi_text *out);
int zsi_attr_evict_set(struct zram *z, const char *value);

/* Get ready where the attribute is on and there is a file: 0, or -1 with ENOMEM. z->lock is held. */
int zsi_evict_start_locked(struct zram *z);
/* Give its memory back. z->lock is held, the gate closed or nobody else there. */
void zsi_evict_stop_frozen(struct zram *z);

/* How many times something was evicted; for zsi_evict(). */
uint32_t zsi_evict_rounds(const struct zram *z);

/*
 * A write that began after so many rounds found no memory, and put its stream back: make room. True: it is worth trying
 * again. False: errno is ENOMEM, and zram_strerror() says why.
 */
bool zsi_evict(struct zram *z, uint32_t rounds);

#endif
