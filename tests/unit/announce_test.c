/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * announce_test.c - a writer that is stopped in the middle of what it announced: it copies from a page that it may not
 * read, and the handler of the signal waits. Compaction leaves its object alone and goes on with the others; a child
 * that is forked meanwhile, which does not have the writer, has a pool that works; and one that never comes back, but
 * ends, takes its announcement with it.
 */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zsmalloc/zsmalloc.h>

#include "base/os.h"
#include "pool/cache.h"
#include "pool/pool.h"

#define N 6000u
#define SIZE 1000u

static struct zs_pool *pool;
static zs_handle h[N];
static uint8_t *forbidden; /* a page */
static _Atomic bool stopped, may_go_on, gives_up;
static sigjmp_buf out;

static void wait_in_the_middle(int signal)
{
	(void)signal;
	atomic_store(&stopped, true);
	while (!atomic_load(&may_go_on))
		;
	if (atomic_load(&gives_up))
		siglongjmp(out, 1);
	(void)mprotect(forbidden, zsi_os_page_bytes(), PROT_READ | PROT_WRITE);
}

static void fill(zs_handle handle, uint8_t byte)
{
	uint8_t bytes[SIZE];

	memset(bytes, byte, sizeof(bytes));
	assert_int_equal(zs_obj_write(pool, handle, bytes, SIZE), 0);
}

static uint8_t byte_of(zs_handle handle)
{
	const uint8_t *mem = zs_obj_read_begin(pool, handle, NULL);
	uint8_t byte = mem[0];

	for (unsigned i = 1; i < SIZE; i++)
		if (mem[i] != byte)
			byte = 0xff;
	zs_obj_read_end(pool, handle, mem);
	return byte;
}

static const void *place_of(zs_handle handle)
{
	const void *mem = zs_obj_read_begin(pool, handle, NULL);

	zs_obj_read_end(pool, handle, mem);
	return mem;
}

/* Most of the objects go, the last one stays: compaction would move it. */
static int setup(void **state)
{
	(void)state;
	pool = zs_create_pool("announce");
	if (pool == NULL)
		return -1;
	for (unsigned i = 0; i < N; i++) {
		h[i] = zs_malloc(pool, SIZE, 0);
		fill(h[i], (uint8_t)(i % 200));
	}
	for (unsigned i = 0; i < N; i++) {
		if (i % 4 != 3) {
			zs_free(pool, h[i]);
			h[i] = 0;
		}
	}
	size_t page = zsi_os_page_bytes();

	forbidden = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(forbidden, 201, page);
	(void)mprotect(forbidden, page, PROT_NONE);
	stopped = may_go_on = gives_up = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	munmap(forbidden, zsi_os_page_bytes());
	zs_destroy_pool(pool);
	return 0;
}

static void *write_last(void *arg)
{
	/* The first write makes the cache. */
	fill(h[N - 1], 199);
	if (sigsetjmp(out, 1) == 0)
		assert_int_equal(zs_obj_write(pool, h[N - 1], forbidden, SIZE), 0);
	return arg;
}

static pthread_t stop_in_the_middle(void)
{
	struct sigaction action = { .sa_handler = wait_in_the_middle };
	pthread_t writer;

	/* Here, since cmocka has handlers of its own for each test. */
	assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_last, NULL), 0);
	while (!atomic_load(&stopped))
		sched_yield();
	return writer;
}

static void release(pthread_t writer)
{
	atomic_store(&may_go_on, true);
	assert_int_equal(pthread_join(writer, NULL), 0);
}

static void others_are_right(void)
{
	for (unsigned i = 3; i < N - 1; i += 4)
		assert_int_equal(byte_of(h[i]), i % 200);
}

static void compaction_passes_it_over(void **state)
{
	const void *place = place_of(h[N - 1]);
	pthread_t writer = stop_in_the_middle();

	(void)state;
	assert_true(zs_compact(pool) > 0);
	assert_ptr_equal(place_of(h[N - 1]), place);
	others_are_right();
	release(writer);
	assert_int_equal(byte_of(h[N - 1]), 201);
	assert_int_equal(zs_pool_validate(pool), 0);
	/* Now nothing keeps it. */
	(void)zs_compact(pool);
	assert_ptr_not_equal(place_of(h[N - 1]), place);
	assert_int_equal(byte_of(h[N - 1]), 201);
}

static void a_child_does_not_have_it(void **state)
{
	pthread_t writer = stop_in_the_middle();
	int status;

	(void)state;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const void *place = place_of(h[N - 1]);

		if (zs_pool_validate(pool) != 0 || zs_compact(pool) == 0 || place_of(h[N - 1]) == place)
			_exit(1);
		fill(h[N - 1], 7);
		zs_free(pool, h[N - 1]);
		_exit(zs_pool_validate(pool) == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	release(writer);
	assert_int_equal(byte_of(h[N - 1]), 201);
}

static void it_ends_with_its_thread(void **state)
{
	const void *place = place_of(h[N - 1]);
	pthread_t writer = stop_in_the_middle();

	(void)state;
	atomic_store(&gives_up, true);
	release(writer);
	assert_true(zs_compact(pool) > 0);
	assert_ptr_not_equal(place_of(h[N - 1]), place);
	assert_int_equal(byte_of(h[N - 1]), 199);
	others_are_right();
	assert_int_equal(zs_pool_validate(pool), 0);
}

/* The object is freed by another thread: its mistake, and no harm to others once both calls are over. */
static void a_free_meanwhile_is_survived(void **state)
{
	pthread_t writer = stop_in_the_middle();

	(void)state;
	zs_free(pool, h[N - 1]);
	release(writer);
	h[N - 1] = zs_malloc(pool, SIZE, 0);
	fill(h[N - 1], 77);
	(void)zs_compact(pool);
	assert_int_equal(byte_of(h[N - 1]), 77);
	others_are_right();
	assert_int_equal(zs_pool_validate(pool), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(compaction_passes_it_over, setup, teardown),
		cmocka_unit_test_setup_teardown(a_child_does_not_have_it, setup, teardown),
		cmocka_unit_test_setup_teardown(it_ends_with_its_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(a_free_meanwhile_is_survived, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
