/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * backing.h - the file or block device that blocks are written back to.
 *
 * A block is there as it was in memory: compressed, in as many units of 512 bytes as it takes, side by side; or, with
 * compressed_writeback=0, as it is read. Which units are in use is known in memory only: the file's contents are
 * worthless without the device. Nobody else may use the file; flock() sees to that among those who ask.
 *
 *   handle of a block that is WB = its first unit;  units = size rounded up;  size = block_size where it is plain
 *   used = bits set in map
 *
 * In a child after fork() the file is the parent's: the child's device reads EIO for its blocks, and writes nothing
 * back.
 */
#ifndef ZSI_DEVICE_BACKING_H
#define ZSI_DEVICE_BACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "device/layout.h"

struct zram;

/* What does the input and output; tests put their own here, while no device exists. */
struct zsi_backing_io {
	ssize_t (*read)(int fd, void *buf, size_t n, off_t at);
	ssize_t (*write)(int fd, const void *buf, size_t n, off_t at);
	int (*sync)(int fd);
	bool no_ring; /* do without io_uring */
	ssize_t (*ring_result)(ssize_t result, off_t at); /* what to take for one of its results; or NULL */
};
extern struct zsi_backing_io zsi_backing_io;

static inline uint64_t zsi_backing_units(size_t bytes)
{
	return (bytes + (1u << ZSI_BACKING_UNIT_SHIFT) - 1) >> ZSI_BACKING_UNIT_SHIFT;
}

/* How the file is used, whichever it is, as where nothing is said. z->lock is held, the device not initialised. */
void zsi_backing_defaults_locked(struct zram *z);

/* Open the file at path and lock it; "" or "none": have none. z->lock is held, the device not initialised. */
int zsi_backing_open_locked(struct zram *z, const char *path);
void zsi_backing_close(struct zram *z);

/*
 * Units for so many bytes: the first, or UINT64_MAX with ENOSPC, EDQUOT (writeback_limit is used up), ENODEV (no
 * file).
 */
uint64_t zsi_backing_alloc(struct zram *z, size_t bytes);
void zsi_backing_free(struct zram *z, uint64_t unit, size_t bytes);
/* Also take back what alloc counted against the limit, for what was not written. */
void zsi_backing_cancel(struct zram *z, uint64_t unit, size_t bytes);

/* 0, or -1 with errno, after short reads and writes were continued. */
int zsi_backing_read(struct zram *z, uint64_t unit, void *buf, size_t bytes);
int zsi_backing_write(struct zram *z, uint64_t unit, const void *buf, size_t bytes);

/* In a child after fork(). */
void zsi_backing_forget(struct zram *z);

#endif
