/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * device.h - a zram device: its parts (layout.h) and what they share. docs/internals.md says which file does what.
 *
 * A device is initialised when it has a size: pool is not NULL then. What "fixed once initialised" fields are changes
 * only while it is not, with z->lock held; what initialising makes (pool, table, streams) comes and goes with z->lock
 * held and the gate closed, so that one who holds either z->lock or a stream may use it.
 *
 * Lock order: save_lock -> background.lock, train.lock, turn_lock -> batch_lock -> z->lock -> gate (waits for streams)
 * ; stream -> block bit -> that of a context -> table.lock -> memory.lock -> those of the pool. Nobody waits for
 * z->lock with a stream in hand.
 *
 * Equations, when no call is running:
 *
 *   STORED      = blocks USED = sum of the counts in table.chunks
 *   COMPR_BYTES = sum of the sizes of blocks that are USED and neither SAME nor WB
 *   memory.own  = device + buffers + contexts + table chunks + dictionaries, and what training or saving holds
 *   memory.own + zs_get_total_bytes(pool) <= mem_limit, where that was not set below it
 */
#ifndef ZSI_DEVICE_DEVICE_H
#define ZSI_DEVICE_DEVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

#include "base/bits.h"
#include "base/lock.h"
#include "device/layout.h"

struct zs_pool;
struct zsi_evictor;
struct zsi_save;

struct zram {
	char name[ZSI_DEVICE_NAME_BYTES];    /* immutable */
	unsigned flags;                      /* immutable */
	size_t block_size;                   /* immutable */
	unsigned block_shift;                /* immutable */
	struct zs_pool_options pool_options; /* immutable; pages points to the next, or is NULL */
	struct zs_page_source page_source;   /* immutable */

	_Alignas(ZSI_CACHE_LINE) _Atomic uint32_t gate; /* 1: closed */
	_Atomic uint32_t look_at;                       /* ticks; when to look for idle contexts */
	/* What initialising makes, see above. Read by every operation, written by none. */
	struct zs_pool *pool;
	_Atomic uint64_t disksize; /* bytes; may be read by anybody */
	size_t huge_size;          /* an object of so many bytes or more is stored as the whole block */
	struct zsi_table table;
	struct zsi_alg algs[ZSI_PRIORITIES];
	struct zsi_train train;
	struct zsi_backing backing;
	struct zsi_save *save; /* a save under way, or NULL; see save.h */
	_Atomic(struct zsi_stream *)
		streams[ZSI_STREAMS]; /* NULL until first used; stay until the device is destroyed */

	_Atomic(struct zsi_evictor *) evictor; /* see evict.h */
	_Atomic bool evict;                    /* the attribute */
	_Atomic uint32_t evict_rounds;         /* how often something was evicted */
	struct zsi_contexts contexts;

	_Alignas(ZSI_CACHE_LINE) struct zsi_lock save_lock; /* rank SAVE: saving, resetting */
	bool marks_left; /* a save that is over may have left blocks TOUCHED. Guarded by save_lock */
	struct zsi_lock turn_lock; /* rank TRAIN: one recompression or writeback at a time */
	struct zsi_lock batch_lock; /* rank BATCH: one batch of blocks on its way to the backing file */
	struct zsi_background background;
	struct zsi_lock lock; /* rank DEVICE: configuring, initialising, resetting */
	struct zsi_memory memory;
	_Atomic uint64_t max_used_pages; /* of the pool, since mem_used_max was reset */
	_Atomic uint64_t max_bytes;      /* of everything the device holds, since then */
	struct zram *next;               /* of all devices; Guarded by fork.c's lock */
};

static inline struct zsi_stream *zsi_stream_at(struct zram *z, unsigned i)
{
	/* acquire: pairs with the release that made it */
	return atomic_load_explicit(&z->streams[i], memory_order_acquire);
}

#endif
