/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tsan_consumer.c - two threads that use one pool as they may: each object is its thread's own from zs_malloc() to zs_free().
 *
 * There is no race here. Memory that one thread freed is the other's next object, and what orders the two is a lock of the
 * library's, which ThreadSanitizer sees only where the library was built with it.
 */
#include <pthread.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

enum { ROUNDS = 20000, BYTES = 100 };

static struct zs_pool *pool;

static void *use(void *arg)
{
	char bytes[BYTES];
	unsigned sum = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		zs_handle h = zs_malloc(pool, BYTES, 0);

		if (h == 0)
			return arg;
		memset(bytes, (int)i, sizeof(bytes));
		if (zs_obj_write(pool, h, bytes, sizeof(bytes)) != 0)
			return arg;
		const char *mem = zs_obj_read_begin(pool, h, NULL);

		sum += (unsigned char)mem[i % BYTES];
		zs_obj_read_end(pool, h, mem);
		zs_free(pool, h);
	}
	return sum != 0 ? NULL : arg;
}

int main(void)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	pthread_t threads[2];
	void *result;
	int bad = 0;

	o.flags = ZS_POOL_NO_THREAD_CACHE;
	pool = zs_create_pool_with("shared", &o);
	if (pool == NULL)
		return 2;
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, use, &bad) != 0)
			return 2;
	for (int i = 0; i < 2; i++)
		bad |= pthread_join(threads[i], &result) != 0 || result != NULL;
	zs_destroy_pool(pool);
	return bad;
}
