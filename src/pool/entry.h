/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * entry.h - from a handle to its entry: looking it up, and locking it against the mover and other writers. access, map
 * and free stand on it.
 */
#ifndef ZSI_POOL_ENTRY_H
#define ZSI_POOL_ENTRY_H

#include <stdatomic.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "base/rcu.h"
#include "pool/handle.h"
#include "pool/pool.h"

#ifdef ZSI_TSAN
/* seq_cst: where the store of an announcement before it counts, ThreadSanitizer knows no other barrier */
#define ZSI_ENTRY_LOAD memory_order_seq_cst
#else
#define ZSI_ENTRY_LOAD memory_order_acquire
#endif

/*
 * Take the entry lock of a handle, waiting for whoever has it. Returns the entry as it was before, or 0 after the
 * misuse handler was called in the name of `call`.
 */
uint64_t zsi_entry_lock(struct zs_pool *pool, zs_handle handle, const char *call);

/* The entry of a handle if it is one of a live object of the pool, and the handle within reach; else 0. */
static inline uint64_t zsi_entry_within(const struct zsi_handles *h, zs_handle handle, const _Atomic uint64_t *reach)
{
	uint64_t key = zsi_handle_key(h, handle);

	/* Else the compiler would make a mask of the two shifts, which takes more. */
	ZSI_OPAQUE(key);
	/* acquire: pairs with the release in grow_locked(), so that the entry is there */
	if (zsi_unlikely(key >= atomic_load_explicit(reach, memory_order_acquire)))
		return 0;
	/* acquire: pairs with publishing and unlocking, so that moved bytes are seen */
	uint64_t entry = atomic_load_explicit(&h->entries[key >> ZSI_KEY_SHIFT], ZSI_ENTRY_LOAD);

	/* A live entry's generation is odd, as a handle's is. */
	return zsi_likely((entry ^ handle) >> ZSI_GENERATION_SHIFT == 0) ? entry : 0;
}

static inline uint64_t zsi_entry_look_up(const struct zs_pool *pool, zs_handle handle)
{
	return zsi_entry_within(&pool->handles, handle, &pool->handles.reach);
}

/* The same where objects are in one piece, at space.base + its offset; else 0. */
static inline uint64_t zsi_entry_look_up_flat(const struct zs_pool *pool, zs_handle handle)
{
	return zsi_entry_within(&pool->handles, handle, &pool->handles.flat_reach);
}

/* How long the slot of a live entry is. In a read section, or with the entry locked or announced. */
static inline size_t zsi_entry_usable(const struct zs_pool *pool, uint64_t entry)
{
	/* Then the descriptor knows it. */
	if (zsi_unlikely(zsi_entry_locked(entry)))
		return zsi_size_class(pool, zsi_zspage_at(&pool->space, zsi_entry_offset(entry)))->size;
	return pool->geometry.classes[zsi_entry_class(entry) - 1].size;
}

#endif
