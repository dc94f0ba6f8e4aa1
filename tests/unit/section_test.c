/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * section_test.c - read sections: many objects in one, sections in sections, batches, copies, hints; what is held is
 * held, what failed holds nothing, and waiting for oneself is refused.
 */
#include "unit.h"

#include <pthread.h>

#include <pattern.h>
#include <test_source.h>
#include <zsmalloc/zsmalloc.h>

#define N 200u

static struct test_source *source;
static struct zs_pool *pool;
static zs_handle h[N];
static size_t sizes[N];
static uint8_t buf[4096];
static uint8_t copies[N][4096];
static const void *mem[N];

static void make(enum zs_geometry geometry, bool own)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;
	struct zs_page_source callbacks;

	source = NULL;
	o.geometry = geometry;
	if (own) {
		source = test_source_create(4096, 2000, TEST_SOURCE_SCATTERED, 1);
		callbacks = test_source_callbacks(source);
		o.pages = &callbacks;
	}
	pool = zs_create_pool_with("section", &o);
	assert_non_null(pool);
	for (unsigned i = 0; i < N; i++) {
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

static bool waits_for_itself(void)
{
	errno = 0;
	(void)zs_compact_budget(pool, 1, 0);
	return errno == EDEADLK;
}

static void is_object(const void *bytes, unsigned i)
{
	assert_int_equal(pattern_match(bytes, sizes[i], i, 1, 0), sizes[i]);
}

/* How many of the objects have no address. */
static unsigned addresses(void)
{
	unsigned none = 0;

	assert_false(waits_for_itself());
	zs_read_begin(pool);
	assert_true(waits_for_itself());
	for (unsigned i = 0; i < N; i++) {
		zs_prefetch(pool, h[(i + 4) % N]);
		errno = 0;
		const void *at = zs_obj_address(pool, h[i]);

		mem[i] = at;
		assert_ptr_equal(zs_obj_try_address(pool, h[i]), at);
		if (at == NULL)
			assert_int_equal(errno, EINVAL);
		else
			is_object(at, i);
		none += at == NULL;
	}
	/* All of them at once. */
	for (unsigned i = 0; i < N; i++)
		if (mem[i] != NULL)
			is_object(mem[i], i);
	zs_read_end(pool);
	assert_false(waits_for_itself());
	return none;
}

static void batches(bool own)
{
	for (unsigned i = 0; i < N; i++)
		mem[i] = NULL;
	assert_int_equal(zs_obj_read_begin_batch(pool, h, N, mem, own ? copies : NULL), 0);
	assert_true(waits_for_itself());
	for (unsigned i = 0; i < N; i++) {
		assert_non_null(mem[i]);
		is_object(mem[i], i);
		/* A copy lies in the page that is this object's. */
		if ((const uint8_t *)mem[i] >= copies[0] && (const uint8_t *)mem[i] < copies[N - 1] + 4096)
			assert_ptr_equal(mem[i], copies[i]);
	}
	zs_obj_read_end_batch(pool);
	assert_false(waits_for_itself());
	/* None at all is a section too. */
	assert_int_equal(zs_obj_read_begin_batch(pool, h, 0, mem, NULL), 0);
	assert_true(waits_for_itself());
	zs_obj_read_end_batch(pool);
	assert_false(waits_for_itself());
}

static void copies_out(void)
{
	for (unsigned i = 0; i < N; i++) {
		size_t usable = zs_usable_size(pool, h[i]);

		for (size_t at = 0; at <= sizes[i]; at += 1 + sizes[i] / 7) {
			size_t len = sizes[i] - at;

			memset(buf, 0xee, sizeof(buf));
			assert_int_equal(zs_obj_read(pool, h[i], at, buf, len), 0);
			assert_int_equal(pattern_match(buf, len, i, 1, at), len);
			if (len < sizeof(buf))
				assert_int_equal(buf[len], 0xee);
		}
		memset(buf, 0xee, sizeof(buf));
		for (size_t at = 0; at <= usable + 1; at += usable + 1) {
			errno = 0;
			assert_int_equal(zs_obj_read(pool, h[i], at, buf, at == 0 ? usable + 1 : 0), -1);
			assert_int_equal(errno, EINVAL);
		}
		errno = 0;
		assert_int_equal(zs_obj_read(pool, h[i], 1, buf, SIZE_MAX), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(buf[0], 0xee);
		assert_int_equal(zs_obj_read(pool, h[i], usable, NULL, 0), 0);
	}
	assert_false(waits_for_itself());
}

static void arena(void **state)
{
	(void)state;
	for (int geometry = ZS_GEOMETRY_DENSE; geometry <= ZS_GEOMETRY_LINUX; geometry++) {
		make((enum zs_geometry)geometry, false);
		assert_int_equal(addresses(), 0);
		batches(false);
		copies_out();
		drop();
	}
}

static void scattered_pages(void **state)
{
	(void)state;
	for (int geometry = ZS_GEOMETRY_DENSE; geometry <= ZS_GEOMETRY_LINUX; geometry++) {
		make((enum zs_geometry)geometry, true);
		assert_true(addresses() > 10);
		batches(true);
		copies_out();
		drop();
	}
}

/* A batch that needs copies and has no room for them holds nothing and says nothing about the others. */
static void batch_without_copies(void **state)
{
	(void)state;
	make(ZS_GEOMETRY_DENSE, true);
	for (unsigned i = 0; i < N; i++)
		mem[i] = buf;
	errno = 0;
	assert_int_equal(zs_obj_read_begin_batch(pool, h, N, mem, NULL), -1);
	assert_int_equal(errno, EINVAL);
	for (unsigned i = 0; i < N; i++)
		assert_null(mem[i]);
	assert_false(waits_for_itself());
	drop();
}

static void nested(void **state)
{
	(void)state;
	make(ZS_GEOMETRY_DENSE, false);
	zs_read_begin(pool);
	zs_read_begin(pool);
	assert_int_equal(zs_obj_read_begin_batch(pool, h, 3, mem, NULL), 0);
	const void *one = zs_obj_read_begin(pool, h[3], NULL);

	is_object(one, 3);
	zs_obj_read_end_batch(pool);
	assert_true(waits_for_itself());
	zs_read_end(pool);
	assert_true(waits_for_itself());
	is_object(one, 3);
	zs_obj_read_end(pool, h[3], one);
	assert_true(waits_for_itself());
	is_object(zs_obj_address(pool, h[5]), 5);
	zs_read_end(pool);
	assert_false(waits_for_itself());
	drop();
}

/* Freed, replaced, of another pool, never any: ESTALE; and a hint is a hint. */
static void not_live(void **state)
{
	(void)state;
	make(ZS_GEOMETRY_DENSE, false);
	zs_handle stale = h[0];
	struct zs_pool *other = zs_create_pool("other");
	zs_handle foreign = zs_malloc(other, 1, 0);

	zs_free(pool, stale);
	h[0] = zs_malloc(pool, sizes[0], 0);
	const zs_handle wrong[] = { stale, foreign, 0, 7, ~(zs_handle)0, h[1] ^ 1ull << 63, h[1] ^ 1ull << 46 };

	zs_read_begin(pool);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		zs_prefetch(pool, wrong[i]);
		errno = 0;
		assert_null(zs_obj_try_address(pool, wrong[i]));
		assert_int_equal(errno, ESTALE);
	}
	zs_read_end(pool);
	zs_destroy_pool(other);
	drop();
}

static unsigned misuses;

static void on_misuse(const struct zs_misuse *misuse, void *arg)
{
	(void)arg;
	misuses++;
	assert_string_equal(misuse->call, "zs_obj_address");
}

/*
 * A view finds what the call finds, what came after it by that call, and leaves to the call what is not as it should
 * be.
 */
static void views(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		bool own = round == 1, other_version = round == 2;
		struct zs_view view;
		zs_handle later[3000];

		make(round == 3 ? ZS_GEOMETRY_LINUX : ZS_GEOMETRY_DENSE, own);
		zs_get_view(pool, ZS_VIEW_VERSION + other_version, &view);
		assert_int_equal(view.reach == 0, own || other_version);
		/* The handle table grows. */
		for (unsigned i = 0; i < 3000; i++)
			later[i] = zs_malloc(pool, 40, 0);
		zs_free(pool, h[1]);
		zs_read_begin(pool);
		for (unsigned i = 0; i < 3000; i++)
			assert_ptr_equal(zs_view_address(&view, later[i]), zs_obj_address(pool, later[i]));
		for (unsigned i = 0; i < N; i++)
			if (i != 1)
				assert_ptr_equal(zs_view_address(&view, h[i]), zs_obj_address(pool, h[i]));
		const zs_handle wrong[] = { h[1], 0, 7, ~(zs_handle)0, h[2] ^ 1ull << 63, h[2] ^ 1ull << 46, h[2] ^ 1ull << 30 };

		misuses = 0;
		assert_null(zs_set_misuse_handler(on_misuse, NULL));
		for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
			errno = 0;
			assert_null(zs_view_address(&view, wrong[i]));
			assert_int_equal(errno, EINVAL);
			assert_int_equal(misuses, i + 1);
		}
		(void)zs_set_misuse_handler(NULL, NULL);
		zs_read_end(pool);
		drop();
	}
}

static void *compact(void *arg)
{
	(void)zs_compact(arg);
	return NULL;
}

/* What is looked up stays in place while the rest of the pool goes and a compaction moves it. */
static void held_while_moved(void **state)
{
	pthread_t thread;

	(void)state;
	make(ZS_GEOMETRY_DENSE, false);
	for (unsigned i = 0; i < N; i++)
		if (i % 5 != 0) {
			zs_free(pool, h[i]);
			h[i] = 0;
		}
	zs_read_begin(pool);
	for (unsigned i = 0; i < N; i += 5)
		mem[i] = zs_obj_address(pool, h[i]);
	assert_int_equal(pthread_create(&thread, NULL, compact, pool), 0);
	/* Until it has moved something: it can't end before this section does. */
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

	do
		zs_pool_stats(pool, &stats);
	while (stats.objs_moved == 0);
	for (unsigned i = 0; i < N; i += 5) {
		is_object(mem[i], i);
		is_object(zs_obj_address(pool, h[i]), i);
	}
	zs_read_end(pool);
	assert_int_equal(pthread_join(thread, NULL), 0);
	drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena),    cmocka_unit_test(scattered_pages), cmocka_unit_test(batch_without_copies),
		cmocka_unit_test(nested),   cmocka_unit_test(not_live),        cmocka_unit_test(held_while_moved),
		cmocka_unit_test(views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
