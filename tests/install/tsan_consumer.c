/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tsan_consumer.c - two threads that use one pool as they may: each object is its thread's own from zs_malloc() to
 * zs_free().
 *
 * There is no race here. Memory that one thread freed is the other's next object, and what orders the two is a lock of
 * the library's, which ThreadSanitizer sees only where the library was built with it. The threads take turns, so that it
 * is seen each time: by a relaxed counter, which orders nothing.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

enum { ROUNDS = 400, BYTES = 100 };

static struct zs_pool *pool;
static atomic_uint turn; /* the thread's whose number it is, modulo 2 */

struct user {
	pthread_t thread;
	unsigned number;
};

static void *use(void *arg)
{
	const struct user *user = arg;
	char bytes[BYTES];
	unsigned sum = 0;

	for (unsigned i = user->number; i < ROUNDS; i += 2) {
		while (atomic_load_explicit(&turn, memory_order_relaxed) != i)
			sched_yield();
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
		atomic_store_explicit(&turn, i + 1, memory_order_relaxed);
	}
	return sum != 0 ? NULL : arg;
}

int main(void)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct user users[2];
	void *result;
	int bad = 0;

	o.flags = ZS_POOL_NO_THREAD_CACHE;
	pool = zs_create_pool_with("shared", &o);
	if (pool == NULL)
		return 2;
	for (unsigned i = 0; i < 2; i++) {
		users[i].number = i;
		if (pthread_create(&users[i].thread, NULL, use, &users[i]) != 0)
			return 2;
	}
	for (int i = 0; i < 2; i++)
		bad |= pthread_join(users[i].thread, &result) != 0 || result != NULL;
	zs_destroy_pool(pool);
	return bad;
}
