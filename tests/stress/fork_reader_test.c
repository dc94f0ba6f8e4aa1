/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fork_reader_test.c - fork beside a reader that allocates and frees while it holds an object, and beside compaction.
 *
 * The compaction waits for the reader, the reader for a class lock; a fork that took class locks before it waited for
 * the compaction's grace period closed the circle. Each thread has to get on: a watch dog ends the test otherwise.
 */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zsmalloc/zsmalloc.h>

#define OBJECTS 4000
#define SIZE 200

static struct zs_pool *pool;
static zs_handle kept;
static atomic_bool stop;
static atomic_ulong reads, compactions;

static void *read_and_allocate(void *arg)
{
	while (!atomic_load(&stop)) {
		const void *mem = zs_obj_read_begin(pool, kept, NULL);
		zs_handle h = zs_malloc(pool, SIZE, 0);

		CHECK(h != 0);
		zs_free(pool, h);
		zs_obj_read_end(pool, kept, mem);
		atomic_fetch_add(&reads, 1);
	}
	return arg;
}

static void *compact(void *arg)
{
	static zs_handle h[OBJECTS];

	while (!atomic_load(&stop)) {
		for (unsigned i = 0; i < OBJECTS; i++)
			CHECK((h[i] = zs_malloc(pool, SIZE, 0)) != 0);
		for (unsigned i = 0; i < OBJECTS; i++) {
			if (i % 3 != 0) {
				zs_free(pool, h[i]);
				h[i] = 0;
			}
		}
		(void)zs_compact(pool);
		for (unsigned i = 0; i < OBJECTS; i++)
			zs_free(pool, h[i]);
		atomic_fetch_add(&compactions, 1);
	}
	return arg;
}

int main(void)
{
	pthread_t reader, compactor;
	uint64_t forks = check_scale(200);

	check_install();
	check_context("forks beside a reader that allocates");
	alarm(100);
	pool = zs_create_pool("fork");
	CHECK(pool != NULL);
	kept = zs_malloc(pool, SIZE, 0);
	CHECK(kept != 0);
	CHECK(pthread_create(&reader, NULL, read_and_allocate, NULL) == 0);
	CHECK(pthread_create(&compactor, NULL, compact, NULL) == 0);
	/* A thread that begins has locks of a sanitizer's, which a child would wait for. */
	while (atomic_load(&reads) == 0 || atomic_load(&compactions) == 0)
		sched_yield();
	for (uint64_t i = 0; i < forks || atomic_load(&compactions) < 3; i++) {
		/* From step to step: all of them may take long on a busy machine. */
		alarm(100);
		pid_t pid = fork();
		int status;

		CHECK(pid >= 0);
		if (pid == 0) {
			zs_handle h = zs_malloc(pool, SIZE, 0);

			_exit(h != 0 && zs_pool_validate(pool) == 0 ? 0 : 1);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	alarm(100);
	atomic_store(&stop, true);
	CHECK(pthread_join(reader, NULL) == 0);
	CHECK(pthread_join(compactor, NULL) == 0);
	CHECK(atomic_load(&reads) > 0);
	CHECK(zs_pool_validate(pool) == 0);
	zs_destroy_pool(pool);
	return 0;
}
