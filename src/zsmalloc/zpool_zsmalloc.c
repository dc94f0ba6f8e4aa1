/* SPDX-License-Identifier: BSD-3-Clause */
/* zpool_zsmalloc.c - this library's own pools behind the zpool front. */
#include "zsmalloc/zpool_drivers.h"

static void *create(const char *name)
{
	return zs_create_pool(name);
}

static void destroy(void *pool)
{
	zs_destroy_pool(pool);
}

static zs_handle allocate(void *pool, size_t size, unsigned flags)
{
	return zs_malloc(pool, size, flags);
}

static void release(void *pool, zs_handle handle)
{
	zs_free(pool, handle);
}

static const void *read_begin(void *pool, zs_handle handle, void *local_copy)
{
	return zs_obj_read_begin(pool, handle, local_copy);
}

static void read_end(void *pool, zs_handle handle, const void *mem)
{
	zs_obj_read_end(pool, handle, mem);
}

static int obj_write(void *pool, zs_handle handle, const void *src, size_t len)
{
	return zs_obj_write(pool, handle, src, len);
}

static unsigned long total_pages(void *pool)
{
	return zs_get_total_pages(pool);
}

const struct zpool_driver zsi_zpool_zsmalloc_driver = {
	.struct_size = sizeof(struct zpool_driver),
	.type = "zsmalloc",
	.create = create,
	.destroy = destroy,
	.malloc = allocate,
	.free = release,
	.obj_read_begin = read_begin,
	.obj_read_end = read_end,
	.obj_write = obj_write,
	.total_pages = total_pages,
};
