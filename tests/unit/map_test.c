/* SPDX-License-Identifier: BSD-3-Clause */
/* map_test.c - the three modes of a mapping: what is copied in, what is copied out, who is kept out. */
#include "unit.h"

#include <pattern.h>
#include <pthread.h>
#include <test_source.h>
#include <unistd.h>

#include "pool/pool.h"

#define SIZE 3000 /* spans two pages more often than not */
#define N 20

static struct test_source *source;
static struct zs_pool *pool;
static zs_handle h[N];
static zs_handle spanning; /* one that lies in two pieces */
static uint8_t copy[4096];

static int setup(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_page_source callbacks;
	uint8_t buf[SIZE];

	(void)state;
	source = test_source_create(4096, 200, TEST_SOURCE_SCATTERED, 3);
	callbacks = test_source_callbacks(source);
	o.pages = &callbacks;
	pool = zs_create_pool_with("map", &o);
	if (pool == NULL)
		return -1;
	spanning = 0;
	for (unsigned i = 0; i < N; i++) {
		const void *mem;

		h[i] = zs_malloc(pool, SIZE, 0);
		pattern_fill(buf, SIZE, i, 1, 0);
		if (h[i] == 0 || zs_obj_write(pool, h[i], buf, SIZE) != 0)
			return -1;
		mem = zs_obj_read_begin(pool, h[i], copy);
		if (mem == copy && spanning == 0)
			spanning = h[i];
		zs_obj_read_end(pool, h[i], mem);
	}
	return spanning != 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	zs_destroy_pool(pool);
	test_source_destroy(source);
	return 0;
}

static size_t matches(zs_handle handle, uint64_t version)
{
	unsigned key = 0;
	size_t n;

	while (h[key] != handle)
		key++;
	const void *mem = zs_obj_read_begin(pool, handle, copy);

	n = pattern_match(mem, SIZE, key, version, 0);
	zs_obj_read_end(pool, handle, mem);
	return n;
}

static void rw_copies_both_ways(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N; i++) {
		uint8_t *p = zs_map_object(pool, h[i], ZS_MM_RW);

		assert_non_null(p);
		assert_int_equal(pattern_match(p, SIZE, i, 1, 0), SIZE);
		pattern_fill(p, SIZE, i, 2, 0);
		zs_unmap_object(pool, h[i]);
		assert_int_equal(matches(h[i], 2), SIZE);
	}
}

static void ro_copies_in_only(void **state)
{
	uint8_t *p = zs_map_object(pool, spanning, ZS_MM_RO);

	(void)state;
	assert_non_null(p);
	/* The object spans: this is the buffer, and stays a scratch copy. */
	memset(p, 0xee, SIZE);
	zs_unmap_object(pool, spanning);
	assert_int_equal(matches(spanning, 1), SIZE);
}

/* Which of two mappings of a spanning object ends can't be told from its handle: both have what the last one has. */
static void ro_twice_is_there_until_the_last_unmap(void **state)
{
	uint8_t *first = zs_map_object(pool, spanning, ZS_MM_RO);
	uint8_t *second = zs_map_object(pool, spanning, ZS_MM_RO);

	(void)state;
	assert_non_null(first);
	assert_ptr_equal(first, second);
	zs_unmap_object(pool, spanning);
	/* A record that was free would be used for the next mappings. */
	for (unsigned i = 0; i < N; i++) {
		if (h[i] == spanning)
			continue;
		void *other = zs_map_object(pool, h[i], ZS_MM_RW);

		assert_non_null(other);
		zs_unmap_object(pool, h[i]);
	}
	assert_memory_equal(first, second, SIZE);
	uint8_t bytes[SIZE];

	assert_int_equal(zs_obj_read(pool, spanning, 0, bytes, SIZE), 0);
	assert_memory_equal(first, bytes, SIZE);
	zs_unmap_object(pool, spanning);
}

static void wo_copies_out_only(void **state)
{
	unsigned key = 0;
	uint8_t *p;

	(void)state;
	while (h[key] != spanning)
		key++;
	/* The buffer of the last mapping shows through: nothing is copied in. */
	p = zs_map_object(pool, spanning, ZS_MM_RO);
	memset(p, 0xee, SIZE);
	zs_unmap_object(pool, spanning);
	p = zs_map_object(pool, spanning, ZS_MM_WO);
	assert_int_equal(p[0], 0xee);
	pattern_fill(p, zs_usable_size(pool, spanning), key, 3, 0);
	zs_unmap_object(pool, spanning);
	assert_int_equal(matches(spanning, 3), SIZE);
}

static void several_at_once(void **state)
{
	uint8_t *p[N];

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		p[i] = zs_map_object(pool, h[i], ZS_MM_RW);
		assert_non_null(p[i]);
	}
	for (unsigned i = 0; i < N; i++)
		pattern_fill(p[i], SIZE, i, 4, 0);
	for (unsigned i = 0; i < N; i += 2)
		zs_unmap_object(pool, h[i]);
	for (unsigned i = 1; i < N; i += 2)
		zs_unmap_object(pool, h[i]);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(matches(h[i], 4), SIZE);
}

static void a_second_writer_is_refused_not_deadlocked(void **state)
{
	(void)state;
	assert_non_null(zs_map_object(pool, h[0], ZS_MM_RW));
	assert_null(zs_map_object(pool, h[0], ZS_MM_RW));
	assert_int_equal(errno, EDEADLK);
	assert_null(zs_map_object(pool, h[0], ZS_MM_RO));
	assert_int_equal(errno, EDEADLK);
	zs_unmap_object(pool, h[0]);
	/* Readers may share. */
	assert_non_null(zs_map_object(pool, h[0], ZS_MM_RO));
	assert_non_null(zs_map_object(pool, h[0], ZS_MM_RO));
	assert_null(zs_map_object(pool, h[0], ZS_MM_WO));
	assert_int_equal(errno, EDEADLK);
	zs_unmap_object(pool, h[0]);
	zs_unmap_object(pool, h[0]);
	assert_null(zs_map_object(pool, h[0], (enum zs_mapmode)7));
	assert_int_equal(errno, EINVAL);
}

struct other {
	uint8_t version;
	_Atomic int done;
};

static void *write_from_another_thread(void *arg)
{
	struct other *o = arg;
	uint8_t buf[SIZE];

	pattern_fill(buf, SIZE, 0, o->version, 0);
	if (zs_obj_write(pool, h[0], buf, SIZE) != 0)
		abort();
	atomic_store(&o->done, 1);
	return NULL;
}

static void other_writers_wait(void **state)
{
	struct other o = { .version = 9, .done = 0 };
	pthread_t t;
	uint8_t *p = zs_map_object(pool, h[0], ZS_MM_RW);

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, write_from_another_thread, &o), 0);
	usleep(50000);
	assert_int_equal(atomic_load(&o.done), 0);
	assert_int_equal(pattern_match(p, SIZE, 0, 1, 0), SIZE);
	pattern_fill(p, SIZE, 0, 5, 0);
	zs_unmap_object(pool, h[0]);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(matches(h[0], 9), SIZE);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(rw_copies_both_ways), TEST(ro_copies_in_only),  TEST(wo_copies_out_only),
		TEST(several_at_once),     TEST(other_writers_wait), TEST(a_second_writer_is_refused_not_deadlocked),
		TEST(ro_twice_is_there_until_the_last_unmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
