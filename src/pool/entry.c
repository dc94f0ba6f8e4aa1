/* SPDX-License-Identifier: BSD-3-Clause */
/* entry.c - waiting for an entry's lock bit, and telling misuse from bad luck. */
#include "pool/entry.h"

#include "base/lock.h"
#include "pool/handle.h"
#include "pool/misuse.h"
#include "pool/pool.h"

uint64_t zsi_entry_lock(struct zs_pool *pool, zs_handle handle, const char *call)
{
	for (unsigned round = 0;; round++) {
		uint64_t entry = zsi_entry_look_up(pool, handle);

		if (entry == 0) {
			zsi_misuse_handle(pool, handle, call);
			return 0;
		}
		if (zsi_entry_trylock(&pool->handles.entries[zsi_handle_index(handle)], entry, ZSI_CLASS_HELD))
			return entry;
		zsi_backoff(round);
	}
}
