/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * train.h - dictionaries that a device trains on its own blocks.
 *
 *   version   a dictionary, by a number from 1 to ZSI_DICTS - 1; a block's word says which one it needs
 *   current   the version that blocks are stored with now; 0: none yet
 *
 * When enough is stored, and again when much has changed, a thread of the device's picks blocks at random, trains a
 * dictionary on most of them and tries it on the others. Where it makes these enough smaller it becomes current; blocks
 * that are there keep what they have. A version that is not current goes when its last block is gone, at the next
 * training, compaction or trim of the table.
 *
 *   bytes of a version = its raw bytes + what each of the device's algorithms made of them; charged to the device
 *
 * Versions come and go only while the gate is closed: who holds a stream may use all that there are.
 */
#ifndef ZSI_ZRAM_TRAIN_H
#define ZSI_ZRAM_TRAIN_H

struct zram;
struct zsi_stream;

/* -1 with EINVAL where the device's algorithms don't go with training. z->lock is held. */
int zsi_train_init_locked(struct zram *z);

/* After a block was written, with the stream that it was written with: start the thread when it is time. */
void zsi_train_look(struct zram *z, struct zsi_stream *s);

/* Hold the thread off until release; it is stopped and gone. No lock and no stream is held. */
void zsi_train_hold(struct zram *z);
void zsi_train_release(struct zram *z);

/* In a child after fork(): the thread is not there. */
void zsi_train_forget(struct zram *z);

#endif
