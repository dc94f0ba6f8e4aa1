/* SPDX-License-Identifier: BSD-3-Clause */
/* store.c - pools and mallocs behind the same calls, and how each is asked to give memory back. */
#include "store.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

/* What the last create() made: the front keeps it to itself. */
static struct zs_pool *made;

static void *create_with(const char *name, enum zs_geometry geometry)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;

	options.geometry = geometry;
	made = zs_create_pool_with(name, &options);
	return made;
}

static void *create_dense(const char *name)
{
	return create_with(name, ZS_GEOMETRY_DENSE);
}

static void *create_linux(const char *name)
{
	return create_with(name, ZS_GEOMETRY_LINUX);
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

static struct zpool_driver drivers[] = {
	{ .type = "dense", .create = create_dense },
	{ .type = "linux", .create = create_linux },
};

void store_setup(void)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		struct zpool_driver *d = &drivers[i];

		d->struct_size = sizeof(*d);
		d->destroy = destroy;
		d->malloc = allocate;
		d->free = release;
		d->obj_read_begin = read_begin;
		d->obj_read_end = read_end;
		d->obj_write = obj_write;
		if (zpool_register_driver(d) != 0)
			fail(errno, "driver %s", d->type);
	}
}

struct store store_create(const char *type)
{
	struct store s = { .front = NULL };

	made = NULL;
	s.front = zpool_create_pool(type, "bench");
	if (s.front == NULL)
		fail(errno, "no pool of type %s", type);
	s.pool = made;
	return s;
}

void store_destroy(struct store *s)
{
	zpool_destroy_pool(s->front);
}

void store_shrink(struct store *s, unsigned cpu_percent)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;

	policy.cpu_percent = cpu_percent;
	if (zs_register_shrinker(s->pool, &policy) != 0)
		fail(errno, "shrinker");
}

void store_held_bytes(const struct store *s, uint64_t *all, uint64_t *metadata)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

	if (s->pool != NULL)
		zs_pool_stats(s->pool, &stats);
	*all = stats.bytes_total;
	*metadata = stats.bytes_metadata;
}

/* POSIX gives functions as data pointers; this is the conversion that it names. */
static bool find(const char *name, void *function)
{
	void *symbol = dlsym(RTLD_DEFAULT, name);

	memcpy(function, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static bool release_jemalloc(void)
{
	int (*mallctl)(const char *, void *, size_t *, void *, size_t);

	if (!find("mallctl", &mallctl))
		return false;
	/* 4096 stands for all arenas (MALLCTL_ARENAS_ALL). */
	(void)mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
	(void)mallctl("arena.4096.purge", NULL, NULL, NULL, 0);
	return true;
}

static bool release_mimalloc(void)
{
	void (*collect)(bool force);

	if (!find("mi_collect", &collect))
		return false;
	collect(true);
	return true;
}

static bool release_tcmalloc(void)
{
	void (*release_free_memory)(void);

	if (!find("MallocExtension_ReleaseFreeMemory", &release_free_memory))
		return false;
	release_free_memory();
	return true;
}

const char *store_release(struct store *s)
{
	if (s->pool != NULL) {
		(void)zs_compact(s->pool);
		return "zs_compact";
	}
	if (release_jemalloc())
		return "arena purge";
	if (release_mimalloc())
		return "mi_collect";
	if (release_tcmalloc())
		return "ReleaseFreeMemory";
	/* glibc's trims its own heap, which a malloc() that took its place would not notice. */
	return malloc_trim(0) != 0 ? "malloc_trim" : "none";
}
