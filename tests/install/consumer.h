/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * consumer.h - what a program of somebody else's does with the installed library, in the part of the language that C
 * and C++ share: consumer.c and consumer.cpp are this, compiled as one and the other. run_consumer() returns 0 when
 * every call did what its header promises.
 */
#ifndef CONSUMER_H
#define CONSUMER_H

#include <stdio.h>
#include <string.h>
#include <zsmalloc/zpool.h>
#include <zsmalloc/zsmalloc.h>

#if ZS_VERSION_MAJOR != 0 || ZS_VERSION_MINOR != 2
#error "a header of another version was found"
#endif

static int check(int good, const char *what)
{
	if (!good)
		fprintf(stderr, "consumer: wrong: %s\n", what);
	return !good;
}

static int use_pool(void)
{
	static const char text[] = "stored and read back";
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	struct zs_pool *pool;
	zs_handle handle;
	const void *mem;
	int wrong = 0;

	options.geometry = ZS_GEOMETRY_LINUX;
	pool = zs_create_pool_with("consumer", &options);
	if (!pool)
		return check(0, "zs_create_pool_with");
	handle = zs_malloc(pool, sizeof(text), 0);
	wrong += check(handle != 0, "zs_malloc");
	wrong += check(zs_obj_write(pool, handle, text, sizeof(text)) == 0, "zs_obj_write");
	wrong += check(zs_compact(pool) == 0, "zs_compact of one object");
	mem = zs_obj_read_begin(pool, handle, NULL);
	wrong += check(mem && memcmp(mem, text, sizeof(text)) == 0, "zs_obj_read_begin");
	if (mem)
		zs_obj_read_end(pool, handle, mem);
	zs_pool_stats(pool, &stats);
	wrong += check(stats.obj_used == 1 && stats.bytes_requested == sizeof(text), "zs_pool_stats");
	wrong += check(zs_huge_class_size(pool) == 3625, "zs_huge_class_size of the linux geometry");
	zs_free(pool, handle);
	wrong += check(zs_pool_validate(pool) == 0, "zs_pool_validate");
	zs_destroy_pool(pool);
	return wrong;
}

static int use_zpool(void)
{
	struct zpool *pool = zpool_create_pool("malloc", "consumer");
	zs_handle handle;
	int wrong;

	if (!pool)
		return check(0, "zpool_create_pool");
	handle = zpool_malloc(pool, 100, 0);
	wrong = check(handle != 0, "zpool_malloc");
	zpool_free(pool, handle);
	zpool_destroy_pool(pool);
	return wrong;
}

static int run_consumer(void)
{
	return use_pool() + use_zpool() ? 1 : 0;
}

#endif
