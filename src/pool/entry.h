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

#include "pool/handle.h"
#include "pool/pool.h"

/*
 * Take the entry lock of a handle, waiting for whoever has it. Returns the entry without the lock bit, or 0 after the
 * misuse handler was called in the name of `call`.
 */
uint64_t zsi_entry_lock(struct zs_pool *pool, zs_handle handle, const char *call);

/* The entry of a handle if it is one of a live object of the pool, else 0 (a live entry's generation is odd). */
static inline uint64_t zsi_entry_look_up(const struct zs_pool *pool, zs_handle handle)
{
	const struct zsi_handles *h = &pool->handles;
	uint32_t index = zsi_handle_index(handle);

	/* acquire: pairs with the release in grow_locked(), so that the entry is there */
	if (((handle ^ h->tag) & ZSI_TAG_MASK) != 0 || index >= atomic_load_explicit(&h->bound, memory_order_acquire))
		return 0;
	/* acquire: pairs with zsi_handle_publish() and zsi_entry_unlock(), so that moved bytes are seen */
	uint64_t entry = atomic_load_explicit(&h->entries[index], memory_order_acquire);

	return ((entry ^ handle) & ZSI_GENERATION_MASK) == 0 ? entry : 0;
}

#endif
