/* SPDX-License-Identifier: BSD-3-Clause */
/* pack_test.c - what a class has left over, less than a zspage, is gathered in one zspage and given back. */
#include "unit.h"

#include <pattern.h>

#include "compact/budget.h"
#include "compact/compact.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/zspage.h"

#define SIZE 1500u
#define ZSPAGES 6u
#define MOST 1000u

static struct zs_pool *pool;
static zs_handle h[MOST];
static unsigned n, objs, position;
static uint8_t buf[SIZE];

static const struct zsi_size_class *size_class(void)
{
	return &pool->geometry.classes[position];
}

static const struct zsi_class *class(void)
{
	return &pool->classes[position];
}

static struct zsi_zspage *zspage_of(unsigned i)
{
	uint64_t entry = atomic_load(&pool->handles.entries[zsi_handle_index(h[i])]);

	return zsi_zspage_at(&pool->space, zsi_entry_offset(entry));
}

/* Six full zspages of one class, in the order of their objects. */
static void fill(void)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	o.flags = ZS_POOL_NO_THREAD_CACHE;
	pool = zs_create_pool_with("pack", &o);
	assert_non_null(pool);
	h[0] = zs_malloc(pool, SIZE, 0);
	assert_int_not_equal(h[0], 0);
	position = zspage_of(0)->class_position;
	objs = size_class()->objs;
	n = ZSPAGES * objs;
	assert_true(n <= MOST);
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			h[i] = zs_malloc(pool, SIZE, 0);
		assert_int_not_equal(h[i], 0);
		assert_int_equal(zspage_of(i)->class_position, position);
		pattern_fill(buf, SIZE, i, 1, 0);
		assert_int_equal(zs_obj_write(pool, h[i], buf, SIZE), 0);
	}
	assert_int_equal(class()->counts[ZSI_GROUP_FULL - 1], ZSPAGES);
}

/* Some of each zspage, all together less than one holds. */
static void make_holes(void)
{
	unsigned each = (objs - 1) / ZSPAGES;

	assert_true(each > 0);
	for (unsigned i = 0; i < n; i++) {
		if (i % objs >= each * 2 || i % 2 != 0)
			continue;
		zs_free(pool, h[i]);
		h[i] = 0;
	}
	assert_int_equal(class()->zspages, ZSPAGES);
	assert_true(class()->zspages * objs - class()->used < objs);
}

static uint64_t pages_for(uint64_t used)
{
	uint64_t rest = used % objs;

	return used / objs * size_class()->pages + (rest * size_class()->size + 4095) / 4096;
}

static unsigned partial(void)
{
	return (unsigned)(class()->zspages - class()->counts[ZSI_GROUP_FULL - 1]);
}

static void finish(void)
{
	for (unsigned i = 0; i < n; i++) {
		if (h[i] == 0)
			continue;
		const void *mem = zs_obj_read_begin(pool, h[i], NULL);

		assert_int_equal(pattern_match(mem, SIZE, i, 1, 0), SIZE);
		zs_obj_read_end(pool, h[i], mem);
	}
	assert_int_equal(zs_pool_validate(pool), 0);
	zs_destroy_pool(pool);
}

static void one_zspage_is_left_partly_filled(void **state)
{
	(void)state;
	fill();
	make_holes();
	uint64_t before = class()->pages, needed = pages_for(class()->used);

	assert_true(before >= needed + 2);
	assert_int_equal(zs_compact(pool), before - needed);
	assert_int_equal(class()->pages, needed);
	assert_int_equal(partial(), 1);
	assert_int_equal(zs_shrinker_count(pool), 0);
	/* And what is free is behind the last object, so that it is filled from there again. */
	zs_handle more = zs_malloc(pool, SIZE, 0);

	assert_int_not_equal(more, 0);
	assert_int_equal(partial(), 1);
	zs_free(pool, more);
	finish();
}

/* Every fifth object in turn is held by a writer: it stays, nothing else is lost, and afterwards the rest follows. */
static void around_a_writer(void **state)
{
	(void)state;
	for (unsigned held = 0;; held += 5) {
		fill();
		make_holes();
		while (held < n && h[held] == 0)
			held++;
		if (held >= n) {
			finish();
			return;
		}
		void *mem = zs_map_object(pool, h[held], ZS_MM_RW);

		assert_non_null(mem);
		(void)zs_compact(pool);
		assert_int_equal(pattern_match(mem, SIZE, held, 1, 0), SIZE);
		assert_int_equal(zs_pool_validate(pool), 0);
		zs_unmap_object(pool, h[held]);
		(void)zs_compact(pool);
		assert_int_equal(class()->pages, pages_for(class()->used));
		assert_int_equal(partial(), 1);
		finish();
	}
}

/* In steps of one object, each a compaction of its own. */
static void in_steps(void **state)
{
	(void)state;
	fill();
	make_holes();
	for (unsigned i = 0; i < n; i++) {
		(void)zs_compact_budget(pool, 1, 0);
		assert_int_equal(zs_pool_validate(pool), 0);
	}
	assert_int_equal(class()->pages, pages_for(class()->used));
	assert_int_equal(partial(), 1);
	finish();
}

/* Of two classes, the one that has less to free than both on average is left as it is, unless it is the only one. */
static void little_is_passed_over(void **state)
{
	struct zsi_compact_budget budget = {
		.bytes = UINT64_MAX, .deadline_ns = UINT64_MAX, .pages = UINT64_MAX, .skip_little = true
	};
	zs_handle other[12];

	(void)state;
	fill();
	make_holes();
	/* 6 pages for 12 objects, of which 4 would do for the 8 that stay. */
	for (unsigned i = 0; i < 12; i++)
		assert_int_not_equal(other[i] = zs_malloc(pool, 2048, 0), 0);
	for (unsigned i = 0; i < 4; i++)
		zs_free(pool, other[i]);
	uint64_t much = class()->pages - pages_for(class()->used);

	assert_true(much > 2);
	assert_int_equal(zsi_compact(pool, &budget), much);
	assert_int_equal(class()->pages, pages_for(class()->used));
	assert_int_equal(zs_shrinker_count(pool), 2);
	assert_int_equal(zsi_compact(pool, &budget), 2);
	assert_int_equal(zs_shrinker_count(pool), 0);
	for (unsigned i = 4; i < 12; i++)
		zs_free(pool, other[i]);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_zspage_is_left_partly_filled),
		cmocka_unit_test(around_a_writer),
		cmocka_unit_test(in_steps),
		cmocka_unit_test(little_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
