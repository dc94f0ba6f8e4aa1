/* SPDX-License-Identifier: BSD-3-Clause */
/* disk.c - bytes of the disk become blocks of the device; the last one may be used in part. */
#include "disk.h"

#include <stdlib.h>
#include <string.h>

uint64_t disk_device_bytes(uint64_t size, size_t block_size)
{
	uint64_t blocks = size / block_size + (size % block_size != 0 || size == 0);
	return blocks > UINT64_MAX / block_size ? UINT64_MAX : blocks * block_size;
}

/* Where the range ends on the device. */
static uint64_t device_end(const struct disk *d, uint32_t count, uint64_t offset)
{
	return count && offset + count == d->size ? zram_disksize(d->z) : offset + count;
}

/* The last block, of which the disk has len bytes, as a whole: what it held need not be known. */
static int write_last(const struct disk *d, const void *buf, size_t len, uint64_t offset)
{
	size_t block_size = zram_block_size(d->z);
	char *block = malloc(block_size);
	if (block == NULL)
		return zram_pwrite(d->z, buf, len, offset);
	memcpy(block, buf, len);
	memset(block + len, 0, block_size - len);
	int result = zram_pwrite(d->z, block, block_size, offset);
	free(block);
	return result;
}

int disk_write(const struct disk *d, const void *buf, uint32_t count, uint64_t offset)
{
	size_t used = (size_t)(d->size % zram_block_size(d->z)); /* of the last block; 0: all of it */
	if (used == 0 || used > count || offset + count != d->size)
		return zram_pwrite(d->z, buf, count, offset);
	size_t before = count - used;
	if (zram_pwrite(d->z, buf, before, offset) != 0)
		return -1;
	return write_last(d, (const char *)buf + before, used, offset + before);
}

int disk_zero(const struct disk *d, uint32_t count, uint64_t offset)
{
	return zram_zero(d->z, offset, device_end(d, count, offset) - offset);
}

int disk_trim(const struct disk *d, uint32_t count, uint64_t offset)
{
	return zram_discard(d->z, offset, device_end(d, count, offset) - offset);
}

bool disk_has_whole_block(const struct disk *d, uint32_t count, uint64_t offset)
{
	size_t block_size = zram_block_size(d->z);
	uint64_t first = offset / block_size + (offset % block_size != 0);
	return first < device_end(d, count, offset) / block_size;
}
