/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshot.h - a disk in a file.
 *
 * A file is replaced as a whole or not at all, as replace.h says. Whatever ends the server before that leaves the old
 * file as it was.
 */
#ifndef ZRAM_PLUGIN_SNAPSHOT_H
#define ZRAM_PLUGIN_SNAPSHOT_H

#include <stddef.h>
#include <zsmalloc/zram.h>

/* Find out whether a snapshot can be written there, long before it is. 0, or -1 with errno and one line in why. */
int snapshot_try(const char *path, char *why, size_t why_bytes);

/*
 * Save to path; runs beside reads and writes. 0, or -1 with errno and one line in why. Any thread.
 */
int snapshot_save(struct zram *z, const char *path, char *why, size_t why_bytes);

/* A device from the file, as zram_load(). NULL with errno and one line in why. */
struct zram *snapshot_load(const char *path, const struct zram_options *options, char *why, size_t why_bytes);

#endif
