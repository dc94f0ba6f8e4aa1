/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zpool.h - one front for several allocators of compressed memory, after the kernel's zpool.
 *
 * A caller names the driver when it makes the pool and uses the same calls whichever it is. Two drivers ship:
 * "zsmalloc", and "malloc", the process's own malloc(), so that any allocator that can be preloaded stands behind the
 * same callers. Handles are opaque and belong to one pool; 0 is never valid.
 *
 * Errors and threads are as in zsmalloc.h. Every function is safe from any thread; a driver's functions must be too.
 *
 * Since: 0.1, where nothing else is said.
 */
#ifndef ZSMALLOC_ZPOOL_H
#define ZSMALLOC_ZPOOL_H

#include <stdbool.h>
#include <zsmalloc/zsmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zpool;

/*
 * What a driver provides. type is its name; the struct must stay in place until it is unregistered. All members but
 * total_pages are required; each does what the zpool_ function of that name says, for the driver's own pool. Unknown
 * members (struct_size is larger than this library's) must be zero.
 */
struct zpool_driver {
	size_t struct_size; /* sizeof(struct zpool_driver) */
	const char *type;
	void *(*create)(const char *name);
	void (*destroy)(void *pool);
	zs_handle (*malloc)(void *pool, size_t size, unsigned flags);
	void (*free)(void *pool, zs_handle handle);
	const void *(*obj_read_begin)(void *pool, zs_handle handle, void *local_copy);
	void (*obj_read_end)(void *pool, zs_handle handle, const void *mem);
	int (*obj_write)(void *pool, zs_handle handle, const void *src, size_t len);
	unsigned long (*total_pages)(void *pool);
};

/*
 * Make a driver known under driver->type. Errors: EINVAL a member is missing; EEXIST the type is taken.
 * Unregistering fails with EBUSY while pools of the driver exist, with ENOENT where it is not registered.
 */
ZS_API int zpool_register_driver(const struct zpool_driver *driver);
ZS_API int zpool_unregister_driver(const struct zpool_driver *driver);

/* Whether a driver of that type is registered. */
ZS_API bool zpool_has_pool(const char *type);

/* Make a pool of the driver type. Errors: ENOENT no such driver; what the driver says. */
ZS_API struct zpool *zpool_create_pool(const char *type, const char *name);

/*
 * Free the pool. NULL is a no-op. With "zsmalloc" everything in it goes too; with "malloc" live objects are the
 * caller's to free first, since nothing is kept for each object that could find them.
 */
ZS_API void zpool_destroy_pool(struct zpool *pool);

/* The driver's name. */
ZS_API const char *zpool_get_type(struct zpool *pool);

/* Allocate size bytes; 0 on failure: EINVAL size 0; ENOSPC above what the driver stores (4096 bytes); ENOMEM. */
ZS_API zs_handle zpool_malloc(struct zpool *pool, size_t size, unsigned flags);

/* Free; 0 is a no-op. */
ZS_API void zpool_free(struct zpool *pool, zs_handle handle);

/* As zs_obj_read_begin(), zs_obj_read_end() and zs_obj_write(). */
ZS_API const void *zpool_obj_read_begin(struct zpool *pool, zs_handle handle, void *local_copy);
ZS_API void zpool_obj_read_end(struct zpool *pool, zs_handle handle, const void *mem);
ZS_API int zpool_obj_write(struct zpool *pool, zs_handle handle, const void *src, size_t len);

/* Pages of 4096 bytes held for objects; for "malloc" the usable sizes of all blocks, rounded up to pages. */
ZS_API unsigned long zpool_get_total_pages(struct zpool *pool);

#ifdef __cplusplus
}
#endif

#endif
