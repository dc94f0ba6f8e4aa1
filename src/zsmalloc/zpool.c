/* SPDX-License-Identifier: BSD-3-Clause */
/* zpool.c - the table of drivers, and the calls that pass through to them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zpool.h>

#include "base/lock.h"
#include "base/versioned.h"
#include "pool/pool.h"
#include "zsmalloc/zpool_drivers.h"

struct driver {
	struct driver *next;
	const struct zpool_driver *ops;
	unsigned long pools; /* pools that exist */
};

struct zpool {
	const struct zpool_driver *ops; /* immutable after create */
	struct driver *driver;
	void *pool;
};

static struct driver malloc_driver = { NULL, &zsi_zpool_malloc_driver, 0 };
static struct driver zsmalloc_driver = { &malloc_driver, &zsi_zpool_zsmalloc_driver, 0 };

static struct zsi_lock drivers_lock;              /* nothing is called while it is held */
static struct driver *drivers = &zsmalloc_driver; /* Guarded by drivers_lock, with all it links and counts */

static struct driver **find_locked(const char *type)
{
	struct driver **at = &drivers;

	while (*at != NULL && strcmp((*at)->ops->type, type) != 0)
		at = &(*at)->next;
	return at;
}

/* --- fork: the table of drivers is as it is meanwhile, and nobody else's in the child --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;

static void lock_drivers(void)
{
	zsi_lock_unranked(&drivers_lock);
}

static void unlock_drivers(void)
{
	zsi_unlock_unranked(&drivers_lock);
}

static void install_handlers(void)
{
	once_error = pthread_atfork(lock_drivers, unlock_drivers, unlock_drivers);
}

/* Before the table is looked at. 0, or -1 with errno. */
static int begin(void)
{
	int error = pthread_once(&once, install_handlers);

	if (error == 0)
		error = once_error;
	if (error != 0)
		errno = error;
	return error == 0 ? 0 : -1;
}

static bool is_complete(const struct zpool_driver *d)
{
	struct zpool_driver known;

	if (d == NULL || !zsi_copy_versioned(&known, sizeof(known), d, sizeof(known)))
		return false;
	if (d->type == NULL || d->type[0] == '\0')
		return false;
	return d->create != NULL && d->destroy != NULL && d->malloc != NULL && d->free != NULL &&
	       d->obj_read_begin != NULL && d->obj_read_end != NULL && d->obj_write != NULL;
}

int zpool_register_driver(const struct zpool_driver *driver)
{
	struct driver *d;
	int error = 0;

	if (!is_complete(driver)) {
		errno = EINVAL;
		return -1;
	}
	if (begin() != 0)
		return -1;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return -1;
	d->ops = driver;
	zsi_lock_unranked(&drivers_lock);
	if (*find_locked(driver->type) != NULL) {
		error = EEXIST;
	} else {
		d->next = drivers;
		drivers = d;
	}
	zsi_unlock_unranked(&drivers_lock);
	if (error == 0)
		return 0;
	free(d);
	errno = error;
	return -1;
}

int zpool_unregister_driver(const struct zpool_driver *driver)
{
	struct driver *gone = NULL;
	int error = 0;

	if (driver == NULL || driver->type == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (begin() != 0)
		return -1;
	zsi_lock_unranked(&drivers_lock);
	struct driver **at = find_locked(driver->type);

	if (*at == NULL || (*at)->ops != driver || *at == &zsmalloc_driver || *at == &malloc_driver) {
		error = ENOENT;
	} else if ((*at)->pools > 0) {
		error = EBUSY;
	} else {
		gone = *at;
		*at = gone->next;
	}
	zsi_unlock_unranked(&drivers_lock);
	free(gone);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

bool zpool_has_pool(const char *type)
{
	bool has;

	if (type == NULL || begin() != 0)
		return false;
	zsi_lock_unranked(&drivers_lock);
	has = *find_locked(type) != NULL;
	zsi_unlock_unranked(&drivers_lock);
	return has;
}

static void forget(struct driver *d)
{
	zsi_lock_unranked(&drivers_lock);
	d->pools--;
	zsi_unlock_unranked(&drivers_lock);
}

struct zpool *zpool_create_pool(const char *type, const char *name)
{
	struct zpool *zpool;
	struct driver *d = NULL;
	int error;

	if (begin() != 0)
		return NULL;
	if (type != NULL) {
		zsi_lock_unranked(&drivers_lock);
		d = *find_locked(type);
		if (d != NULL)
			d->pools++;
		zsi_unlock_unranked(&drivers_lock);
	}
	if (d == NULL) {
		errno = ENOENT;
		return NULL;
	}
	zpool = calloc(1, sizeof(*zpool));
	if (zpool != NULL) {
		zpool->ops = d->ops;
		zpool->driver = d;
		zpool->pool = d->ops->create(name);
		if (zpool->pool != NULL)
			return zpool;
	}
	error = errno;
	free(zpool);
	forget(d);
	errno = error;
	return NULL;
}

void zpool_destroy_pool(struct zpool *pool)
{
	if (pool == NULL)
		return;
	pool->ops->destroy(pool->pool);
	forget(pool->driver);
	free(pool);
}

const char *zpool_get_type(struct zpool *pool)
{
	return pool->ops->type;
}

zs_handle zpool_malloc(struct zpool *pool, size_t size, unsigned flags)
{
	return pool->ops->malloc(pool->pool, size, flags);
}

void zpool_free(struct zpool *pool, zs_handle handle)
{
	if (handle != 0)
		pool->ops->free(pool->pool, handle);
}

const void *zpool_obj_read_begin(struct zpool *pool, zs_handle handle, void *local_copy)
{
	return pool->ops->obj_read_begin(pool->pool, handle, local_copy);
}

void zpool_obj_read_end(struct zpool *pool, zs_handle handle, const void *mem)
{
	pool->ops->obj_read_end(pool->pool, handle, mem);
}

int zpool_obj_write(struct zpool *pool, zs_handle handle, const void *src, size_t len)
{
	return pool->ops->obj_write(pool->pool, handle, src, len);
}

unsigned long zpool_get_total_pages(struct zpool *pool)
{
	return pool->ops->total_pages != NULL ? pool->ops->total_pages(pool->pool) : 0;
}
