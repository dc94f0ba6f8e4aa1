/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshot.h - a disk in a file.
 *
 * A file is replaced as a whole or not at all, as common/replace.h says. Whatever ends the server before that leaves the old
 * file as it was.
 *
 * It is the stream that zram_load() reads. Where the disk's last block is used in part only, 24 bytes come before it:
 * "zramdisk", the disk's size, and the same with all bits the other way, both little-endian.
 */
#ifndef ZRAM_PLUGIN_SNAPSHOT_H
#define ZRAM_PLUGIN_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "disk.h"

/* Find out whether a snapshot can be written there, long before it is. 0, or -1 with errno and one line in why. */
int snapshot_try(const char *path, char *why, size_t why_bytes);

/*
 * Save to path; runs beside reads and writes. 0, or -1 with errno and one line in why. Any thread.
 */
int snapshot_save(const struct disk *d, const char *path, char *why, size_t why_bytes);

/*
 * How far the save is that began last, in bytes: *done of about *all, which is what is stored now. Nothing is being
 * saved: *done is 0. Any thread.
 */
void snapshot_progress(const struct disk *d, uint64_t *done, uint64_t *all);

/* snapshot_load() of a disk of any size. */
#define SNAPSHOT_ANY_SIZE UINT64_MAX

/*
 * The disk in the file: d->size says which size it must have and is what it has, d->z the device, as zram_load() makes
 * it; options without a disksize. 0, or -1 with errno and one line in why, and *d is as it was.
 */
int snapshot_load(struct disk *d, const char *path, const struct zram_options *options, char *why, size_t why_bytes);

#endif
