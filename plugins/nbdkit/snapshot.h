/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshot.h - a disk in a file.
 *
 * A file is replaced as a whole or not at all: the snapshot is written to a file without a name in the same folder,
 * made durable, and then takes the name. Whatever ends the server before that leaves the old file as it was.
 */
#ifndef ZRAM_PLUGIN_SNAPSHOT_H
#define ZRAM_PLUGIN_SNAPSHOT_H

#include <stddef.h>
#include <zsmalloc/zram.h>

/*
 * Save to path, mode 0600; runs beside reads and writes. 0, or -1 with errno and one line in why. Any thread.
 * EINVAL: path is there and no regular file.
 */
int snapshot_save(struct zram *z, const char *path, char *why, size_t why_bytes);

/* A device from the file, as zram_load(). NULL with errno and one line in why. */
struct zram *snapshot_load(const char *path, const struct zram_options *options, char *why, size_t why_bytes);

#endif
