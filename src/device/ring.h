/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ring.h - writes to several places of a file at the same time, by the kernel's io_uring. Where the library was built
 * without liburing, or the kernel refuses, there is none: zsi_ring_open() returns NULL.
 *
 * A ring is of one thread at a time, and idle whenever no call is running.
 */
#ifndef ZSI_DEVICE_RING_H
#define ZSI_DEVICE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct zsi_ring;

/* One write. */
struct zsi_run {
	const void *data;
	size_t bytes;
	off_t at;
	unsigned pieces; /* of pieces.h */
	ssize_t result; /* bytes that were written, or minus an errno */
};

/* A ring for so many writes under way, or NULL. */
struct zsi_ring *zsi_ring_open(unsigned entries);
void zsi_ring_close(struct zsi_ring *r); /* NULL is a no-op */

/* Do them all and wait for them; each has its result. False: the ring is of no more use. */
bool zsi_ring_write(struct zsi_ring *r, int fd, struct zsi_run *runs, unsigned n);

#endif
