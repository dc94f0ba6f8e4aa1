/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * entry.h - an entry of the block table: its lock, the word that says what is stored, and freeing that. Functions are
 * named after the block: an entry without more is a handle's, in the pool.
 */
#ifndef ZSI_DEVICE_ENTRY_H
#define ZSI_DEVICE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

#include "device/device.h"
#include "device/layout.h"

/* Lock a block of a chunk that is there, waiting for whoever has it; its word without the lock bit. */
uint64_t zsi_block_lock(struct zram *z, uint64_t index);
/* The same without waiting; false: somebody has it. */
bool zsi_block_trylock(struct zram *z, uint64_t index, uint64_t *meta);
/* Release it with this word. */
void zsi_block_unlock(struct zram *z, uint64_t index, uint64_t meta);

/* Free what a block's handle stands for, by its word: the object, or its place in the backing file. */
void zsi_block_free_handle(struct zram *z, uint64_t handle, uint64_t meta);

/* The stored bytes of a block that is WB into buf. -1: EIO. */
int zsi_block_read_backed(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t handle, uint64_t meta,
			  void *buf);

static inline struct zsi_block *zsi_block_at(const struct zram *z, uint64_t index)
{
	return &z->table.blocks[index];
}

/* Of a locked block. Atomic, since hints read it without the lock. */
static inline void zsi_block_set_handle(const struct zram *z, uint64_t index, uint64_t handle)
{
	__atomic_store_n(&zsi_block_at(z, index)->handle, handle, __ATOMIC_RELAXED);
}

/* Have the entry of a block brought near that comes a little after this one. It need not be there. */
static inline void zsi_block_prefetch_entry(const struct zram *z, uint64_t index)
{
	__builtin_prefetch(zsi_block_at(z, index) + ZSI_CACHE_LINE / sizeof(struct zsi_block), 1);
}

/*
 * The same, and the object of this block, while there is something else to do. The caller holds a stream. A hint,
 * without the lock: what is read may be old, or not belong together, and any handle will do.
 */
void zsi_block_prefetch(struct zram *z, uint64_t index);

/* meta as of a block that is accessed now: not idle, not chosen for anything. */
static inline uint64_t zsi_meta_accessed(const struct zsi_stream *s, uint64_t meta)
{
	return (meta & ((1ull << ZSI_TIME_SHIFT) - 1) & ~(ZSI_IDLE | ZSI_CHOSEN)) | (uint64_t)s->now << ZSI_TIME_SHIFT;
}

static inline size_t zsi_meta_size(uint64_t meta)
{
	return (size_t)(meta & ZSI_SIZE_MASK);
}

/* Whether what is stored is the block as it is: HUGE, or written back plain. What was compressed is always shorter. */
static inline bool zsi_meta_plain(const struct zram *z, uint64_t meta)
{
	return zsi_meta_size(meta) == z->block_size;
}

static inline unsigned zsi_meta_priority(uint64_t meta)
{
	return (unsigned)((meta & ZSI_PRIORITY_MASK) >> ZSI_PRIORITY_SHIFT);
}

static inline unsigned zsi_meta_dict(uint64_t meta)
{
	return (unsigned)((meta & ZSI_DICT_MASK) >> ZSI_DICT_SHIFT);
}

static inline uint32_t zsi_meta_time(uint64_t meta)
{
	return (uint32_t)(meta >> ZSI_TIME_SHIFT);
}

#endif
