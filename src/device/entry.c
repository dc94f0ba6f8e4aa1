/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * entry.c - the lock bit of a block's word, and what its handle stands for: an object, or a place in the backing file.
 */
#include "device/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/bits.h"
#include "base/lock.h"
#include "device/backing.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/table.h"

uint64_t zsi_block_lock(struct zram *z, uint64_t index)
{
	_Atomic uint64_t *word = &zsi_block_at(z, index)->meta;

	zsi_rank_enter(ZSI_RANK_BLOCK);
	for (unsigned round = 0;; round++) {
		/* acquire: pairs with the release in zsi_block_unlock() */
		uint64_t meta = atomic_fetch_or_explicit(word, ZSI_LOCK, memory_order_acquire);

		if (zsi_likely((meta & ZSI_LOCK) == 0))
			return meta;
		while ((atomic_load_explicit(word, memory_order_relaxed) & ZSI_LOCK) != 0)
			zsi_backoff(round++);
	}
}

bool zsi_block_trylock(struct zram *z, uint64_t index, uint64_t *meta)
{
	/* acquire: pairs with the release in zsi_block_unlock() */
	*meta = atomic_fetch_or_explicit(&zsi_block_at(z, index)->meta, ZSI_LOCK, memory_order_acquire);
	if ((*meta & ZSI_LOCK) != 0)
		return false;
	zsi_rank_enter(ZSI_RANK_BLOCK);
	return true;
}

void zsi_block_unlock(struct zram *z, uint64_t index, uint64_t meta)
{
	ZSI_ASSERT((meta & ZSI_LOCK) == 0);
	/* release: pairs with the acquire of who locks it next */
	atomic_store_explicit(&zsi_block_at(z, index)->meta, meta, memory_order_release);
	zsi_rank_leave(ZSI_RANK_BLOCK);
}

void zsi_block_prefetch(struct zram *z, uint64_t index)
{
	const struct zsi_block *b = zsi_block_at(z, index);

	zsi_block_prefetch_entry(z, index);
	if (!zsi_table_has(&z->table, index))
		return;
	uint64_t meta = atomic_load_explicit(&b->meta, memory_order_relaxed);

	if ((meta & (ZSI_USED | ZSI_SAME | ZSI_WB)) != ZSI_USED)
		return;
	/* All of it, and not into the nearest cache, where the block is that is being decompressed. */
	zs_read_begin(z->pool);
	const uint8_t *mem = zs_obj_try_address(z->pool, __atomic_load_n(&b->handle, __ATOMIC_RELAXED));

	for (size_t at = 0; mem != NULL && at < zsi_meta_size(meta); at += ZSI_CACHE_LINE)
		__builtin_prefetch(mem + at, 0, 2);
	zs_read_end(z->pool);
}

void zsi_block_free_handle(struct zram *z, uint64_t handle, uint64_t meta)
{
	if ((meta & ZSI_WB) != 0)
		zsi_backing_free(z, handle, zsi_meta_size(meta));
	else if ((meta & ZSI_SAME) == 0)
		zs_free(z->pool, handle);
}

int zsi_block_read_backed(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t handle, uint64_t meta,
			  void *buf)
{
	size_t len = zsi_meta_size(meta);

	zsi_count(s, ZSI_N_BACKED_READS_TOTAL, (int64_t)zsi_backing_units(len));
	if (zsi_backing_read(z, handle, buf, len) == 0)
		return 0;
	return zsi_fail(EIO, "%s: block %" PRIu64 " can't be read from the backing file: %s", z->name, index,
			z->backing.fd < 0 ? "it is the parent's" : strerror(errno));
}
