/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshot.h - a directory in a file, which is replaced as a whole or not at all (common/replace.h).
 *
 *   head     "zsmount1", the directory's size 8, bytes of the tree 8, their digest 8; little-endian
 *   tree     tree_stream.h, and its digest
 *   device   what zram_save() writes
 *
 * Both are of one moment. Requests wait while the tree is written and until the device has begun: then it keeps what
 * changes, and they go on. That takes about a tenth of a second for a million files.
 */
#ifndef ZS_FUSE_SNAPSHOT_H
#define ZS_FUSE_SNAPSHOT_H

#include <stddef.h>

#include "fs.h"

/* Find out whether a snapshot can be written there, long before it is. 0, or -1 with errno and one line in why. */
int snapshot_try(const char *path, char *why, size_t why_bytes);

/*
 * Save to path, beside requests. 0, or -1 with errno and one line in why. Any thread; one at a time. mounted_on: the
 * directory whose requests wait meanwhile, so that the file can't be in it (EDEADLK); NULL: nobody asks for anything.
 */
int snapshot_save(struct fs *fs, const char *path, const char *mounted_on, char *why, size_t why_bytes);

/* How far the save is that began last, as progress of request.h. */
void snapshot_progress(struct fs *fs, uint64_t *done, uint64_t *all);

/*
 * What is in the file; options as for fs_create(), size 0 where it is the file's. NULL with errno and one line in why:
 * ENOENT there is none; EBADMSG it is damaged.
 */
struct fs *snapshot_load(const char *path, const struct fs_options *options, char *why, size_t why_bytes);

#endif
