/* SPDX-License-Identifier: BSD-3-Clause */
/* fs.h - a whole file system: a device, and a tree over it. */
#ifndef ZS_FUSE_FS_H
#define ZS_FUSE_FS_H

#include <stddef.h>

#include "node.h"

struct fs_options {
	uint64_t size;               /* bytes that files may have in all */
	struct zram_options *device; /* but for disksize, which follows from size; its mem_limit is for everything */
	uint32_t mode, uid, gid;     /* of the root directory */
};

/*
 * Bytes of address space that a device for so much data has: more than files have bytes, as chunks are rounded up and
 * files have holes. Address space is free.
 */
uint64_t fs_device_bytes(uint64_t size, size_t block_size);

/* An empty one. NULL with errno and one line in why. */
struct fs *fs_create(const struct fs_options *options, char *why, size_t why_bytes);

/* The same over a device that is there, which it owns then. */
struct fs *fs_create_over(struct zram *z, const struct fs_options *options, char *why, size_t why_bytes);

/*
 * What the device has and no file does is discarded, once a tree was loaded: a snapshot has the bytes of files that were
 * open then without a name. A chunk that is given out must have nothing on the device. Not beside others.
 */
void fs_discard_unowned(struct fs *fs);

/* Everything goes; nobody uses it any more. NULL is a no-op. */
void fs_destroy(struct fs *fs);

#endif
