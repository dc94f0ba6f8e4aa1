/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disk.h - the disk that clients see: exactly as many bytes as were asked for.
 *
 * The device below it has whole blocks, so its last one may be used in part only. What lies behind the disk's end in it
 * is zeros, always, and no client can see or change it:
 *
 *   size <= zram_disksize(z) < size + block size        (a disk of 0 bytes has a device of one block)
 *
 * A request that reaches the disk's end covers the rest of the last block too: so a write or a zero of all of its
 * bytes is one of a whole block, and a trim frees it. Ranges that are given here lie within the disk. Any thread;
 * immutable.
 */
#ifndef ZRAM_PLUGIN_DISK_H
#define ZRAM_PLUGIN_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

struct disk {
	struct zram *z;
	uint64_t size; /* bytes */
};

/* Bytes of the device that a disk of size bytes needs. UINT64_MAX: there is none so large. */
uint64_t disk_device_bytes(uint64_t size, size_t block_size);

/* As zram_pwrite(), zram_zero() and zram_discard(): 0, or -1 with errno and zram_strerror(). */
int disk_write(const struct disk *d, const void *buf, uint32_t count, uint64_t offset);
int disk_zero(const struct disk *d, uint32_t count, uint64_t offset);
int disk_trim(const struct disk *d, uint32_t count, uint64_t offset);

/* Whether at least one block lies in the range whole, as far as the disk has it. */
bool disk_has_whole_block(const struct disk *d, uint32_t count, uint64_t offset);

#endif
