/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * object.h - one object of the measurements of speed, in two builds of the same programs: with handles of this library,
 * and (BENCH_PLAIN) with the plain pointers of whichever malloc() the process has. Both are called directly, with
 * nothing in between, so that what is compared is what a program would see that uses the one or the other.
 */
#ifndef BENCH_OBJECT_H
#define BENCH_OBJECT_H

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#ifndef BENCH_PLAIN
#include <zsmalloc/zsmalloc.h>
#endif

#ifdef BENCH_PLAIN
typedef void *object_ref;
struct zs_pool;
#else
typedef zs_handle object_ref;
#endif

struct object {
	object_ref ref;
	uint32_t size;
	uint32_t content; /* which page of the data set its bytes are */
};

/* The compiler must not know what is done with the memory: it would leave out malloc() with its free(). */
static inline void use(const void *mem)
{
	__asm__ volatile("" : : "r"(mem) : "memory");
}

#ifdef BENCH_PLAIN

static inline object_ref ref_new(struct zs_pool *pool, uint32_t size)
{
	object_ref ref = malloc(size);

	(void)pool;
	if (ref == NULL)
		fail(errno, "object of %" PRIu32 " bytes", size);
	use(ref);
	return ref;
}

static inline void ref_free(struct zs_pool *pool, object_ref ref)
{
	(void)pool;
	free(ref);
}

static inline void ref_write(struct zs_pool *pool, object_ref ref, const void *from, uint32_t size)
{
	(void)pool;
	memcpy(ref, from, size);
	use(ref);
}

static inline const void *ref_begin(struct zs_pool *pool, object_ref ref)
{
	(void)pool;
	use(ref);
	return ref;
}

static inline void ref_end(struct zs_pool *pool, object_ref ref, const void *mem)
{
	(void)pool;
	(void)ref;
	(void)mem;
}

static inline struct zs_pool *pool_new(void)
{
	return NULL;
}

/* Of malloc() nothing is known. */
static inline void pool_end(struct zs_pool *pool)
{
	(void)pool;
}

#else

static inline object_ref ref_new(struct zs_pool *pool, uint32_t size)
{
	object_ref ref = zs_malloc(pool, size, 0);

	if (ref == 0)
		fail(errno, "object of %" PRIu32 " bytes", size);
	return ref;
}

static inline void ref_free(struct zs_pool *pool, object_ref ref)
{
	zs_free(pool, ref);
}

static inline void ref_write(struct zs_pool *pool, object_ref ref, const void *from, uint32_t size)
{
	if (zs_obj_write(pool, ref, from, size) != 0)
		fail(errno, "write of %" PRIu32 " bytes", size);
}

static inline const void *ref_begin(struct zs_pool *pool, object_ref ref)
{
	const void *mem = zs_obj_read_begin(pool, ref, NULL);

	if (mem == NULL)
		fail(errno, "read");
	use(mem);
	return mem;
}

static inline void ref_end(struct zs_pool *pool, object_ref ref, const void *mem)
{
	zs_obj_read_end(pool, ref, mem);
}

static inline struct zs_pool *pool_new(void)
{
	struct zs_pool *pool = zs_create_pool("bench");

	if (pool == NULL)
		fail(errno, "pool");
	return pool;
}

/* All objects must have been freed, or not be needed any more. */
static inline void pool_end(struct zs_pool *pool)
{
	if (zs_pool_validate(pool) != 0)
		fail(errno, "the pool is not valid");
	zs_destroy_pool(pool);
}

#endif

/* Read all of the object, as a program would that needs its bytes. */
static inline void object_copy(struct zs_pool *pool, const struct object *o, void *to)
{
	const void *mem = ref_begin(pool, o->ref);

	memcpy(to, mem, o->size);
	use(to);
	ref_end(pool, o->ref, mem);
}

#endif
