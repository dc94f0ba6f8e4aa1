/* SPDX-License-Identifier: BSD-3-Clause */
/* pool.c - making and unmaking pools, and the questions that need no lock. */
#include "pool/pool.h"

#include <errno.h>

#include "base/account.h"
#include "base/bits.h"
#include "pool/geometry.h"

size_t zs_huge_class_size(struct zs_pool *pool)
{
	return pool->geometry.huge_class_size;
}

unsigned int zs_lookup_class_index(struct zs_pool *pool, size_t size)
{
	size = zsi_min(zsi_max(size, 1), pool->geometry.page_size);
	return pool->geometry.classes[zsi_position_for(pool, size)].index;
}

unsigned long zs_get_total_pages(struct zs_pool *pool)
{
	return (unsigned long)atomic_load_explicit(&pool->pages, memory_order_relaxed);
}

uint64_t zs_get_total_bytes(struct zs_pool *pool)
{
	return atomic_load_explicit(&pool->account.used, memory_order_relaxed);
}

int zs_set_limit(struct zs_pool *pool, uint64_t limit_bytes)
{
	if (limit_bytes != 0 && (pool->flags & ZS_POOL_HUGEPAGE) != 0) {
		errno = EINVAL;
		return -1;
	}
	zsi_account_set_limit(&pool->account, limit_bytes);
	return 0;
}

void zs_set_headroom(struct zs_pool *pool, uint64_t bytes)
{
	atomic_store_explicit(&pool->account.headroom, bytes, memory_order_relaxed);
}
