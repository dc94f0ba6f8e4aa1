/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dict.h - trained dictionaries, by version.
 *
 *   version   a dictionary, by a number from 1 to ZSI_DICTS - 1; a block's word says which one it needs
 *   current   the version that blocks are stored with now; 0: none yet
 *
 *   bytes of a version = its raw bytes + what each of the device's algorithms made of them; charged to the device
 *
 * Versions come and go only while the gate is closed: who holds a stream may use all that there are.
 */
#ifndef ZSI_DEVICE_DICT_H
#define ZSI_DEVICE_DICT_H

#include <stdbool.h>
#include <stddef.h>

struct zram;
struct zsi_dict;

/*
 * A version as it was saved, of a device that nobody else knows yet. 0, or -1 with ENOMEM, or EINVAL where an algorithm
 * does not take it. z->lock is held.
 */
int zsi_dict_adopt(struct zram *z, unsigned version, const void *bytes, size_t n);

/* Drop versions that no block needs, all of them where `all`. The gate is closed, or nobody uses the device. */
void zsi_dict_retire_frozen(struct zram *z, bool all);

/* Give a version back, and uncharge it. NULL: nothing. */
void zsi_dict_free(struct zram *z, struct zsi_dict *d);

/*
 * Make of the bytes what each algorithm needs, and charge all of it. False: no memory, or an algorithm does not take
 * them.
 */
bool zsi_dict_digest(struct zram *z, struct zsi_dict *d);

#endif
