/* SPDX-License-Identifier: BSD-3-Clause */
/* migrate_test.c - zs_page_migrate: any page of the pool's, back to its owner. */
#include "unit.h"

#include <pattern.h>
#include <test_source.h>

#include "pool/pool.h"

#define N 1000
#define PAGES 2000

static struct test_source *source;
static struct zs_pool *pool;
static zs_handle h[N];
static uint8_t buf[4096], copy[4096];

static size_t size_of(unsigned i)
{
	return 20 + i % 10 * 397u;
}

static int setup(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_page_source callbacks;

	(void)state;
	source = test_source_create(4096, PAGES, TEST_SOURCE_SCATTERED, 9);
	callbacks = test_source_callbacks(source);
	o.pages = &callbacks;
	pool = zs_create_pool_with("migrate", &o);
	if (pool == NULL)
		return -1;
	for (unsigned i = 0; i < N; i++) {
		h[i] = zs_malloc(pool, size_of(i), 0);
		pattern_fill(buf, size_of(i), i, 1, 0);
		if (h[i] == 0 || zs_obj_write(pool, h[i], buf, size_of(i)) != 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zs_destroy_pool(pool);
	test_source_destroy(source);
	return 0;
}

static void check_bytes(void)
{
	for (unsigned i = 0; i < N; i++) {
		const void *mem = zs_obj_read_begin(pool, h[i], copy);

		assert_int_equal(pattern_match(mem, size_of(i), i, 1, 0), size_of(i));
		zs_obj_read_end(pool, h[i], mem);
	}
	assert_int_equal(zs_pool_validate(pool), 0);
}

static void every_page_can_be_taken_back(void **state)
{
	size_t outstanding = test_source_outstanding(source);

	(void)state;
	for (unsigned i = 0; i < 1500; i++) {
		void *old_page = test_source_pick(source, i * 2654435761u);
		void *new_page = test_source_take(source);

		assert_non_null(new_page);
		assert_int_equal(zs_page_migrate(pool, new_page, old_page), 0);
		/* The old page is the owner's to spoil. */
		memset(old_page, 0xff, 4096);
		test_source_migrated(source, new_page, old_page);
	}
	assert_int_equal(test_source_outstanding(source), outstanding);
	check_bytes();
}

static void bad_pages_are_refused(void **state)
{
	void *mine = test_source_pick(source, 1);
	void *spare = test_source_take(source);
	static _Alignas(4096) uint8_t stranger[4096];

	(void)state;
	assert_int_equal(zs_page_migrate(pool, spare, stranger), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(zs_page_migrate(pool, NULL, mine), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(zs_page_migrate(pool, spare, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(zs_page_migrate(pool, (uint8_t *)spare + 8, mine), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(zs_page_migrate(pool, mine, mine), -1);
	assert_int_equal(errno, EINVAL);
	/* A page that the pool has can't be given to it again. */
	assert_int_equal(zs_page_migrate(pool, test_source_pick(source, 2), mine), -1);
	assert_int_equal(errno, EINVAL);
	test_source_give(source, spare);

	struct zs_pool *arena = zs_create_pool("arena");

	assert_int_equal(zs_page_migrate(arena, stranger, mine), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	zs_destroy_pool(arena);
	check_bytes();
}

/* The page of an object that is mapped to be written stays; another one's goes. */
static void writers_keep_their_page(void **state)
{
	uint8_t *mem = NULL;
	unsigned i = 0;
	void *spare = test_source_take(source);

	(void)state;
	/* One that lies in one piece, so that its address tells its page. */
	for (;; i++) {
		const void *at = zs_obj_read_begin(pool, h[i], copy);
		int direct = at != copy;

		zs_obj_read_end(pool, h[i], at);
		if (direct)
			break;
	}
	mem = zs_map_object(pool, h[i], ZS_MM_RW);
	assert_non_null(mem);
	errno = 0;
	assert_int_equal(zs_page_migrate(pool, spare, (void *)((uintptr_t)mem & ~(uintptr_t)4095)), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(pattern_match(mem, size_of(i), i, 1, 0), size_of(i));
	zs_unmap_object(pool, h[i]);
	void *old_page = (void *)((uintptr_t)mem & ~(uintptr_t)4095);

	assert_int_equal(zs_page_migrate(pool, spare, old_page), 0);
	test_source_migrated(source, spare, old_page);
	check_bytes();
}

static void a_reader_cannot_migrate(void **state)
{
	void *spare = test_source_take(source);
	const void *mem = zs_obj_read_begin(pool, h[0], copy);

	(void)state;
	assert_int_equal(zs_page_migrate(pool, spare, test_source_pick(source, 3)), -1);
	assert_int_equal(errno, EDEADLK);
	zs_obj_read_end(pool, h[0], mem);
	test_source_give(source, spare);
}

/* What is freed and compacted after migrations gives back the right pages. */
static void freeing_gives_back_the_new_pages(void **state)
{
	(void)state;
	every_page_can_be_taken_back(NULL);
	for (unsigned i = 0; i < N; i++)
		if (i % 3 != 0) {
			zs_free(pool, h[i]);
			h[i] = 0;
		}
	(void)zs_compact(pool);
	assert_int_equal(test_source_outstanding(source), zs_get_total_pages(pool));
	for (unsigned i = 0; i < N; i++)
		zs_free(pool, h[i]);
	(void)zs_compact(pool); /* and this thread's cache */
	assert_int_equal(test_source_outstanding(source), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_page_can_be_taken_back),     TEST(bad_pages_are_refused),
		TEST(writers_keep_their_page),          TEST(a_reader_cannot_migrate),
		TEST(freeing_gives_back_the_new_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
