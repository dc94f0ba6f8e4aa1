/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * misuse.h - what the misuse programs share. Each commits one misuse; misuse_driver runs it and demands that it is
 * aborted with the message that names the call, the reason, the handle and the pool.
 *
 * A program prints the handle on standard output before it misuses it, so that the driver knows what to expect. It must
 * not get past the misuse: about_to() is the last thing before it, and reaching the end of main() is the failure.
 */
#ifndef TEST_MISUSE_H
#define TEST_MISUSE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <zsmalloc/zsmalloc.h>

#define POOL_NAME "victim"

static inline struct zs_pool *make_pool(const char *name)
{
	struct zs_pool *pool = zs_create_pool(name);

	if (pool == NULL) {
		perror("zs_create_pool");
		exit(2);
	}
	return pool;
}

static inline zs_handle make_object(struct zs_pool *pool, size_t size)
{
	zs_handle h = zs_malloc(pool, size, 0);

	if (h == 0) {
		perror("zs_malloc");
		exit(2);
	}
	return h;
}

static inline void about_to(zs_handle handle)
{
	printf("%016" PRIx64 "\n", handle);
	fflush(stdout);
}

#endif
