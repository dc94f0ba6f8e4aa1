/* SPDX-License-Identifier: BSD-3-Clause */
/* access_test.c - reading and writing where objects lie in one piece and where they lie in two. */
#include "unit.h"

#include <pattern.h>
#include <test_source.h>
#include <zsmalloc/zsmalloc.h>

#define N 200

static struct test_source *source;
static struct zs_pool *pool;
static zs_handle h[N];
static size_t sizes[N];
static uint8_t buf[4096], copy[4096];

static void make(enum test_source_kind kind, int own)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_page_source callbacks;

	source = NULL;
	if (own) {
		source = test_source_create(4096, 2000, kind, 1);
		callbacks = test_source_callbacks(source);
		o.pages = &callbacks;
	}
	pool = zs_create_pool_with("access", &o);
	assert_non_null(pool);
	for (unsigned i = 0; i < N; i++) {
		/* Few sizes, so that zspages fill up and objects come to lie across pages. */
		sizes[i] = (const size_t[]){ 1, 700, 1900, 2500, 3000, 3001, 3999, 4096 }[i % 8];
		h[i] = zs_malloc(pool, sizes[i], 0);
		assert_int_not_equal(h[i], 0);
		pattern_fill(buf, sizes[i], i, 1, 0);
		assert_int_equal(zs_obj_write(pool, h[i], buf, sizes[i]), 0);
	}
}

static void drop(void)
{
	zs_destroy_pool(pool);
	if (source != NULL)
		test_source_destroy(source);
}

static void everything_reads_back(void)
{
	for (unsigned i = 0; i < N; i++) {
		struct iovec iov[2];
		const void *mem = zs_obj_read_begin(pool, h[i], copy);
		int n;

		assert_non_null(mem);
		assert_int_equal(pattern_match(mem, sizes[i], i, 1, 0), sizes[i]);
		zs_obj_read_end(pool, h[i], mem);

		n = zs_obj_read_iov_begin(pool, h[i], sizes[i], iov);
		assert_in_range(n, 1, 2);
		assert_int_equal(iov[0].iov_len + (n == 2 ? iov[1].iov_len : 0), sizes[i]);
		assert_int_equal(pattern_match(iov[0].iov_base, iov[0].iov_len, i, 1, 0), iov[0].iov_len);
		if (n == 2)
			assert_int_equal(pattern_match(iov[1].iov_base, iov[1].iov_len, i, 1, iov[0].iov_len),
					 iov[1].iov_len);
		zs_obj_read_iov_end(pool, h[i]);
	}
}

/* How many objects need the caller's buffer. */
static unsigned need_copy(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++) {
		errno = 0;
		const void *mem = zs_obj_read_begin(pool, h[i], NULL);

		if (mem != NULL) {
			zs_obj_read_end(pool, h[i], mem);
		} else {
			assert_int_equal(errno, EINVAL);
			mem = zs_obj_read_begin(pool, h[i], copy);
			assert_ptr_equal(mem, copy);
			zs_obj_read_end(pool, h[i], mem);
			n++;
		}
	}
	return n;
}

static void arena(void **state)
{
	(void)state;
	make(TEST_SOURCE_SCATTERED, 0);
	everything_reads_back();
	assert_int_equal(need_copy(), 0);
	for (unsigned i = 0; i < N; i++) {
		struct iovec iov[2];

		assert_int_equal(zs_obj_read_iov_begin(pool, h[i], sizes[i], iov), 1);
		zs_obj_read_iov_end(pool, h[i]);
	}
	drop();
}

static void scattered_pages(void **state)
{
	(void)state;
	make(TEST_SOURCE_SCATTERED, 1);
	everything_reads_back();
	assert_true(need_copy() > 10);
	drop();
}

/* Pages that happen to be neighbours make objects direct, whoever they come from. */
static void adjacent_pages(void **state)
{
	(void)state;
	make(TEST_SOURCE_ADJACENT, 1);
	everything_reads_back();
	unsigned adjacent = need_copy();

	drop();
	make(TEST_SOURCE_SCATTERED, 1);
	assert_true(adjacent < need_copy());
	drop();
	make(TEST_SOURCE_REVERSED, 1);
	everything_reads_back();
	assert_true(need_copy() > 10);
	drop();
}

static void writes_are_bounded(void **state)
{
	(void)state;
	make(TEST_SOURCE_SCATTERED, 1);
	for (unsigned i = 0; i < N; i++) {
		size_t usable = zs_usable_size(pool, h[i]);

		assert_true(usable >= sizes[i]);
		memset(buf, 0, sizeof(buf));
		errno = 0;
		assert_int_equal(zs_obj_write(pool, h[i], buf, usable + 1), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(zs_obj_write(pool, h[i], NULL, 0), 0);
	}
	everything_reads_back();
	/* A short write changes its bytes alone; the whole slot can be written. */
	for (unsigned i = 0; i < N; i++) {
		size_t usable = zs_usable_size(pool, h[i]);
		uint8_t whole[4096];

		pattern_fill(buf, 1, 99, 1, 0);
		assert_int_equal(zs_obj_write(pool, h[i], buf, 1), 0);
		const uint8_t *mem = zs_obj_read_begin(pool, h[i], copy);

		assert_int_equal(mem[0], buf[0]);
		if (sizes[i] > 1)
			assert_int_equal(pattern_match(mem + 1, sizes[i] - 1, i, 1, 1), sizes[i] - 1);
		zs_obj_read_end(pool, h[i], mem);
		pattern_fill(whole, usable, i, 2, 0);
		assert_int_equal(zs_obj_write(pool, h[i], whole, usable), 0);
	}
	for (unsigned i = 0; i < N; i++) {
		const void *mem = zs_obj_read_begin(pool, h[i], copy);
		size_t usable = zs_usable_size(pool, h[i]);

		assert_int_equal(pattern_match(mem, usable, i, 2, 0), usable);
		zs_obj_read_end(pool, h[i], mem);
	}
	drop();
}

static void iov_lengths(void **state)
{
	struct iovec iov[2];

	(void)state;
	make(TEST_SOURCE_SCATTERED, 1);
	for (unsigned i = 0; i < N; i++) {
		size_t usable = zs_usable_size(pool, h[i]);

		errno = 0;
		assert_int_equal(zs_obj_read_iov_begin(pool, h[i], 0, iov), -1);
		assert_int_equal(errno, EINVAL);
		errno = 0;
		assert_int_equal(zs_obj_read_iov_begin(pool, h[i], usable + 1, iov), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(zs_obj_read_iov_begin(pool, h[i], 1, iov), 1);
		zs_obj_read_iov_end(pool, h[i]);
	}
	/* None of those that failed left a read section open: compaction could not run in one. */
	errno = 0;
	(void)zs_compact(pool);
	assert_int_not_equal(errno, EDEADLK);
	drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena),       cmocka_unit_test(scattered_pages),    cmocka_unit_test(adjacent_pages),
		cmocka_unit_test(iov_lengths), cmocka_unit_test(writes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
