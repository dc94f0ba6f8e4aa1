/* SPDX-License-Identifier: BSD-3-Clause */
/* device.c - the questions that a device answers by itself. */
#include "device/device.h"

#include "base/lock.h"

/* --- devices --- */

uint64_t zram_disksize(struct zram *z)
{
	return atomic_load_explicit(&z->disksize, memory_order_relaxed);
}

size_t zram_block_size(struct zram *z)
{
	return z->block_size;
}

struct zs_pool *zram_get_pool(struct zram *z)
{
	struct zs_pool *pool;

	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	pool = z->pool;
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return pool;
}
