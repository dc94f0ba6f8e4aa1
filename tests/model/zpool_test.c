/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zpool_test.c - the generic front over each driver that ships, and over one of the test's own, against a plain map.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zpool.h>

#include "check.h"
#include "pattern.h"
#include "rng.h"

#define OBJECTS 500u
#define MAX_BYTES 4096u

struct object {
	zs_handle handle;
	size_t size;
	uint64_t version;
};

static void put(struct zpool *pool, struct object *o, struct rng *rng)
{
	uint8_t bytes[MAX_BYTES];

	o->size = rng_range(rng, 1, MAX_BYTES);
	o->handle = zpool_malloc(pool, o->size, 0);
	CHECK(o->handle != 0);
	o->version = rng_next(rng);
	pattern_fill(bytes, o->size, o->handle, o->version, 0);
	CHECK(zpool_obj_write(pool, o->handle, bytes, o->size) == 0);
}

static void compare(struct zpool *pool, const struct object *o)
{
	uint8_t local[MAX_BYTES];
	const void *mem = zpool_obj_read_begin(pool, o->handle, local);

	CHECK(mem != NULL);
	CHECK(pattern_match(mem, o->size, o->handle, o->version, 0) == o->size);
	zpool_obj_read_end(pool, o->handle, mem);
}

static void run(const char *type, uint64_t seed)
{
	static struct object objects[OBJECTS];
	struct rng rng = { seed };
	struct zpool *pool = zpool_create_pool(type, "test");

	check_context("zpool driver %s", type);
	CHECK(pool != NULL && strcmp(zpool_get_type(pool), type) == 0);
	CHECK(zpool_malloc(pool, 0, 0) == 0 && errno == EINVAL);
	CHECK(zpool_malloc(pool, MAX_BYTES + 1, 0) == 0 && errno == ENOSPC);
	zpool_free(pool, 0);
	memset(objects, 0, sizeof(objects));
	for (uint64_t step = 0; step < check_scale(40000); step++) {
		struct object *o = &objects[rng_below(&rng, OBJECTS)];

		check_step(step);
		if (o->handle == 0) {
			put(pool, o, &rng);
		} else {
			compare(pool, o);
			if (rng_one_in(&rng, 2)) {
				zpool_free(pool, o->handle);
				o->handle = 0;
			}
		}
	}
	uint64_t bytes = 0;

	for (size_t i = 0; i < OBJECTS; i++) {
		if (objects[i].handle != 0) {
			compare(pool, &objects[i]);
			bytes += objects[i].size;
		}
	}
	CHECK(zpool_get_total_pages(pool) * 4096 >= bytes);
	/* "zsmalloc" frees what is left; behind the others is malloc, which keeps no list of it. */
	for (size_t i = 0; i < OBJECTS; i++)
		if (strcmp(type, "zsmalloc") != 0 || i % 2 == 0)
			zpool_free(pool, objects[i].handle);
	zpool_destroy_pool(pool);
}

/* A driver that hands everything to the one named "malloc". */
static void *own_create(const char *name)
{
	return zpool_create_pool("malloc", name);
}

static void own_destroy(void *pool)
{
	zpool_destroy_pool(pool);
}

static zs_handle own_malloc(void *pool, size_t size, unsigned flags)
{
	return zpool_malloc(pool, size, flags);
}

static void own_free(void *pool, zs_handle handle)
{
	zpool_free(pool, handle);
}

static const void *own_read_begin(void *pool, zs_handle handle, void *local_copy)
{
	return zpool_obj_read_begin(pool, handle, local_copy);
}

static void own_read_end(void *pool, zs_handle handle, const void *mem)
{
	zpool_obj_read_end(pool, handle, mem);
}

static int own_write(void *pool, zs_handle handle, const void *src, size_t len)
{
	return zpool_obj_write(pool, handle, src, len);
}

static unsigned long own_total_pages(void *pool)
{
	return zpool_get_total_pages(pool);
}

static struct zpool_driver own = {
	.struct_size = sizeof(own),
	.type = "own",
	.create = own_create,
	.destroy = own_destroy,
	.malloc = own_malloc,
	.free = own_free,
	.obj_read_begin = own_read_begin,
	.obj_read_end = own_read_end,
	.obj_write = own_write,
	.total_pages = own_total_pages,
};

static void test_registration(void)
{
	struct zpool_driver lacking = own;

	CHECK(!zpool_has_pool("own"));
	CHECK(zpool_create_pool("own", "test") == NULL && errno == ENOENT);
	CHECK(zpool_unregister_driver(&own) == -1 && errno == ENOENT);
	lacking.obj_write = NULL;
	CHECK(zpool_register_driver(&lacking) == -1 && errno == EINVAL);
	CHECK(zpool_register_driver(&own) == 0 && zpool_has_pool("own"));
	CHECK(zpool_register_driver(&own) == -1 && errno == EEXIST);

	struct zpool *pool = zpool_create_pool("own", "test");

	CHECK(pool != NULL);
	CHECK(zpool_unregister_driver(&own) == -1 && errno == EBUSY);
	zpool_destroy_pool(pool);
	run("own", 3);
	CHECK(zpool_unregister_driver(&own) == 0 && !zpool_has_pool("own"));
	/* Optional: a driver that does not know its pages. */
	own.total_pages = NULL;
	CHECK(zpool_register_driver(&own) == 0);
	pool = zpool_create_pool("own", NULL);
	CHECK(pool != NULL);
	(void)zpool_get_total_pages(pool);
	zpool_destroy_pool(pool);
	CHECK(zpool_unregister_driver(&own) == 0);
}

int main(void)
{
	check_install();
	CHECK(zpool_has_pool("zsmalloc") && zpool_has_pool("malloc") && !zpool_has_pool("") && !zpool_has_pool("zbud"));
	zpool_destroy_pool(NULL);
	run("zsmalloc", 1);
	run("malloc", 2);
	test_registration();
	return 0;
}
