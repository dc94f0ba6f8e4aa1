/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * data.h - the bytes of files.
 *
 * A request holds the file's io lock while it works on the device, shared where it reads or writes and exclusive where
 * blocks go, and the file's lock only to look things up. So requests for one file run beside each other, too.
 *
 *   bytes behind the size, in the block that the file ends in, are zeros
 *   a block behind the size may be present: one that was reserved
 *
 * All return -1 with errno where they fail: ENOSPC at the limit, ENOMEM, EIO. Not for what is no file.
 */
#ifndef ZS_FUSE_DATA_H
#define ZS_FUSE_DATA_H

#include <sys/types.h>

#include "node.h"

/* As pread(). */
ssize_t data_read(struct fs *fs, struct node *n, char *buf, size_t len, uint64_t offset);

/* As pwrite(): at the limit as much as fits, or -1 with ENOSPC. */
ssize_t data_write(struct fs *fs, struct node *n, const char *buf, size_t len, uint64_t offset);

/* As ftruncate(). */
int data_resize(struct fs *fs, struct node *n, uint64_t size);

/* As fallocate(), with its modes. Reserved blocks count against the directory's size, and read as zeros. */
int data_allocate(struct fs *fs, struct node *n, int mode, uint64_t offset, uint64_t len);

/* As lseek() with SEEK_DATA or SEEK_HOLE. */
off_t data_seek(struct fs *fs, struct node *n, uint64_t offset, int whence);

/* Blocks of 512 bytes that the file has. Locked, shared. */
uint64_t data_sectors_locked(const struct fs *fs, const struct node *n);

#endif
