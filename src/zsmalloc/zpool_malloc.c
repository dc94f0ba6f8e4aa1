/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zpool_malloc.c - the process's malloc behind the zpool front, so that whichever allocator is linked or preloaded
 * runs under the same callers.
 *
 * A handle is the block's address: objects don't move, and reading is free. Nothing is kept for each object, since its
 * memory would be taken for the allocator's; so objects that are live when the pool is destroyed are not freed. What is
 * allocated is counted in stripes, each thread in one, so that threads seldom write the same line.
 */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "zsmalloc/zpool_drivers.h"

#define STRIPES 16u
#define PAGE_BYTES 4096u

struct stripe {
	_Alignas(ZSI_CACHE_LINE) _Atomic int64_t bytes; /* usable; may be negative where another stripe is not */
};

struct malloc_pool {
	struct stripe stripes[STRIPES];
};

static _Thread_local char here;

static void count(struct malloc_pool *p, int64_t bytes)
{
	/* Thread-local storage of two threads is pages apart: the address picks the stripe. */
	unsigned stripe = (unsigned)((uintptr_t)&here >> 12) * 2654435761u >> 28;

	atomic_fetch_add_explicit(&p->stripes[stripe % STRIPES].bytes, bytes, memory_order_relaxed);
}

static void *create(const char *name)
{
	struct malloc_pool *p = aligned_alloc(ZSI_CACHE_LINE, sizeof(*p));

	(void)name;
	if (p != NULL)
		memset(p, 0, sizeof(*p));
	return p;
}

static void destroy(void *pool)
{
	free(pool);
}

static zs_handle allocate(void *pool, size_t size, unsigned flags)
{
	void *block;

	if (size == 0 || (flags & ~ZS_NOWAIT) != 0) {
		errno = EINVAL;
		return 0;
	}
	if (size > PAGE_BYTES) {
		errno = ENOSPC;
		return 0;
	}
	block = malloc(size);
	if (block == NULL)
		return 0;
	count(pool, (int64_t)malloc_usable_size(block));
	return (zs_handle)(uintptr_t)block;
}

static void *block_of(zs_handle handle)
{
	return (void *)(uintptr_t)handle;
}

static void release(void *pool, zs_handle handle)
{
	count(pool, -(int64_t)malloc_usable_size(block_of(handle)));
	free(block_of(handle));
}

static const void *read_begin(void *pool, zs_handle handle, void *local_copy)
{
	(void)pool;
	(void)local_copy;
	return block_of(handle);
}

static void read_end(void *pool, zs_handle handle, const void *mem)
{
	(void)pool;
	(void)handle;
	(void)mem;
}

static int obj_write(void *pool, zs_handle handle, const void *src, size_t len)
{
	(void)pool;
	if (len > malloc_usable_size(block_of(handle))) {
		errno = EINVAL;
		return -1;
	}
	if (len > 0)
		memcpy(block_of(handle), src, len);
	return 0;
}

static unsigned long total_pages(void *pool)
{
	const struct malloc_pool *p = pool;
	int64_t bytes = 0;

	for (unsigned i = 0; i < STRIPES; i++)
		bytes += atomic_load_explicit(&p->stripes[i].bytes, memory_order_relaxed);
	return bytes <= 0 ? 0 : (unsigned long)zsi_div_up((uint64_t)bytes, PAGE_BYTES);
}

const struct zpool_driver zsi_zpool_malloc_driver = {
	.struct_size = sizeof(struct zpool_driver),
	.type = "malloc",
	.create = create,
	.destroy = destroy,
	.malloc = allocate,
	.free = release,
	.obj_read_begin = read_begin,
	.obj_read_end = read_end,
	.obj_write = obj_write,
	.total_pages = total_pages,
};
