/* SPDX-License-Identifier: BSD-3-Clause */
/* scattered.c - an object may span two pages of the caller's source that don't lie side by side. */
#include "zsmalloc/scattered.h"

#include <errno.h>
#include <string.h>

#include "pages/layout.h"
#include "pool/entry.h"
#include "pool/handle.h"
#include "pool/pool.h"

const void *zsi_read_scattered(const struct zs_pool *pool, uint64_t entry, void *local_copy)
{
	uint8_t *pieces[2];
	size_t split;
	size_t size = zsi_entry_usable(pool, entry);

	if (zsi_space_pieces(&pool->space, zsi_entry_offset(entry), size, pieces, &split) == 1)
		return pieces[0];
	if (local_copy == NULL) {
		errno = EINVAL;
		return NULL;
	}
	memcpy(local_copy, pieces[0], split);
	memcpy((uint8_t *)local_copy + split, pieces[1], size - split);
	return local_copy;
}
