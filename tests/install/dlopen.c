/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dlopen.c - load the shared library at run time, as a plugin does, and use it on a thread that was there before. Its
 * thread-local variables are of the kind that must fit in what the program has left over for late comers.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <zsmalloc/zsmalloc.h>

static pthread_barrier_t loaded;
static void *library;

/* The function of that name, into *function, which is a pointer to a function. */
static int find(const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	if (!symbol) {
		fprintf(stderr, "%s\n", dlerror());
		return -1;
	}
	memcpy(function, &symbol, sizeof(symbol));
	return 0;
}

static int use(void)
{
	struct zs_pool *(*create)(const char *name);
	void (*destroy)(struct zs_pool *pool);
	zs_handle (*allocate)(struct zs_pool *pool, size_t size, unsigned flags);
	struct zs_pool *pool;
	zs_handle handle;

	if (find("zs_create_pool", &create) || find("zs_destroy_pool", &destroy) || find("zs_malloc", &allocate))
		return -1;
	pool = create("dlopen");
	if (!pool)
		return -1;
	handle = allocate(pool, 1000, 0);
	destroy(pool);
	return handle ? 0 : -1;
}

static void *early_thread(void *result)
{
	pthread_barrier_wait(&loaded);
	if (library)
		*(int *)result = use();
	return NULL;
}

int main(int argc, char **argv)
{
	int on_thread = -1;
	pthread_t thread;

	if (argc != 2 || pthread_barrier_init(&loaded, NULL, 2) ||
	    pthread_create(&thread, NULL, early_thread, &on_thread))
		return 2;
	library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!library)
		fprintf(stderr, "%s\n", dlerror());
	pthread_barrier_wait(&loaded);
	if (pthread_join(thread, NULL))
		return 2;
	return library && on_thread == 0 && use() == 0 ? 0 : 1;
}
