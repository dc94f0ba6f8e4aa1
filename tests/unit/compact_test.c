/* SPDX-License-Identifier: BSD-3-Clause */
/* compact_test.c - what compaction frees, what it leaves alone, and what it must not disturb. */
#include "unit.h"

#include <pattern.h>
#include <pthread.h>
#include <test_source.h>
#include <eventually.h>

#include "pool/geometry.h"
#include "pool/pool.h"

#define N 4000

static struct zs_pool *pool;
static zs_handle h[N];
static uint8_t buf[4096];

static size_t size_of(unsigned i)
{
	return 100 + i * 7919u % 3500;
}

static void fill(enum zs_geometry geometry)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	o.geometry = geometry;
	pool = zs_create_pool_with("compact", &o);
	assert_non_null(pool);
	for (unsigned i = 0; i < N; i++) {
		h[i] = zs_malloc(pool, size_of(i), 0);
		assert_int_not_equal(h[i], 0);
		pattern_fill(buf, size_of(i), i, 1, 0);
		assert_int_equal(zs_obj_write(pool, h[i], buf, size_of(i)), 0);
	}
}

static void thin_out(unsigned keep_one_in)
{
	for (unsigned i = 0; i < N; i++) {
		if (i * 2654435761u >> 16 & 0xff && (i * 2654435761u >> 8) % keep_one_in == 0)
			continue;
		zs_free(pool, h[i]);
		h[i] = 0;
	}
}

static void check_bytes(void)
{
	for (unsigned i = 0; i < N; i++) {
		if (h[i] == 0)
			continue;
		const void *mem = zs_obj_read_begin(pool, h[i], NULL);

		assert_int_equal(pattern_match(mem, size_of(i), i, 1, 0), size_of(i));
		zs_obj_read_end(pool, h[i], mem);
	}
	assert_int_equal(zs_pool_validate(pool), 0);
}

/* With the kernel's geometry: exactly its bound, class by class. */
static void linux_reaches_the_kernels_bound(void **state)
{
	unsigned long before, freed;
	uint64_t bound = 0;

	(void)state;
	fill(ZS_GEOMETRY_LINUX);
	thin_out(4);
	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		const struct zsi_size_class *sc = &pool->geometry.classes[i];
		const struct zsi_class *c = &pool->classes[i];

		bound += (c->zspages * (uint64_t)sc->objs - c->used) / sc->objs * sc->pages;
	}
	assert_true(bound > 0);
	assert_int_equal(zs_shrinker_count(pool), bound);
	before = zs_get_total_pages(pool);
	freed = zs_compact(pool);
	assert_int_equal(freed, bound);
	assert_int_equal(zs_get_total_pages(pool), before - freed);
	assert_int_equal(zs_shrinker_count(pool), 0);
	assert_int_equal(zs_compact(pool), 0);
	check_bytes();
	zs_destroy_pool(pool);
}

/*
 * Dense: no class keeps more than a page over what its objects fill, and one more where several zspages are partly
 * filled.
 */
static void dense_packs_to_the_page(void **state)
{
	(void)state;
	fill(ZS_GEOMETRY_DENSE);
	thin_out(4);
	assert_true(zs_compact(pool) > 0);
	for (unsigned i = 0; i < pool->geometry.nr_classes; i++) {
		const struct zsi_size_class *sc = &pool->geometry.classes[i];
		const struct zsi_class *c = &pool->classes[i];
		uint64_t whole = c->used / sc->objs * sc->pages;
		uint64_t rest = (c->used % sc->objs * sc->size + 4095) / 4096;
		uint64_t partial = c->zspages - c->counts[ZSI_GROUP_FULL - 1];

		assert_true(c->pages <= whole + rest + (partial > 1));
	}
	assert_int_equal(zs_shrinker_count(pool), 0);
	check_bytes();
	zs_destroy_pool(pool);
}

static void budget_resumes(void **state)
{
	unsigned calls = 0;
	unsigned long freed = 0, before;

	(void)state;
	fill(ZS_GEOMETRY_LINUX);
	thin_out(4);
	before = zs_shrinker_count(pool);
	while (zs_shrinker_count(pool) > 0) {
		struct zs_pool_stats a = ZS_POOL_STATS_INIT, b = ZS_POOL_STATS_INIT;

		zs_pool_stats(pool, &a);
		freed += zs_compact_budget(pool, 20000, 0);
		zs_pool_stats(pool, &b);
		/* A budget is overrun by no more than one object. */
		assert_true((b.objs_moved - a.objs_moved) * 100 <= 20000 + 4096);
		assert_int_equal(zs_pool_validate(pool), 0);
		assert_in_range(++calls, 1, 100000);
	}
	assert_true(calls > 5);
	assert_int_equal(freed, before);
	check_bytes();
	zs_destroy_pool(pool);
}

/* Stopped in the middle of packing a zspage, whose slots must be neither lost nor given twice. */
static void packing_may_stop_anywhere(void **state)
{
	(void)state;
	for (uint64_t budget = 1; budget < 60000; budget = budget * 3 + 977) {
		fill(ZS_GEOMETRY_DENSE);
		thin_out(3);
		(void)zs_compact_budget(pool, budget, 0);
		assert_int_equal(zs_pool_validate(pool), 0);
		for (unsigned i = 0; i < N; i++) {
			if (h[i] != 0)
				continue;
			h[i] = zs_malloc(pool, size_of(i), 0);
			pattern_fill(buf, size_of(i), i, 1, 0);
			assert_int_equal(zs_obj_write(pool, h[i], buf, size_of(i)), 0);
		}
		check_bytes();
		zs_destroy_pool(pool);
	}
}

static void scan_frees_about_what_is_asked(void **state)
{
	unsigned long freed;

	(void)state;
	fill(ZS_GEOMETRY_LINUX);
	thin_out(4);
	assert_int_equal(zs_shrinker_scan(pool, 0), 0);
	freed = zs_shrinker_scan(pool, 10);
	assert_in_range(freed, 10, 10 + 8);
	check_bytes();
	zs_destroy_pool(pool);
}

/* A writer's object stays; everything else of its zspage and class goes on. */
static void objects_of_writers_are_passed_over(void **state)
{
	const unsigned some = 50;
	unsigned mapped = 0, which[50];
	void *where[50];

	(void)state;
	fill(ZS_GEOMETRY_LINUX);
	thin_out(5);
	for (unsigned i = 0; i < N && mapped < some; i++) {
		if (h[i] == 0)
			continue;
		where[mapped] = zs_map_object(pool, h[i], ZS_MM_RW);
		assert_int_equal(pattern_match(where[mapped], size_of(i), i, 1, 0), size_of(i));
		which[mapped++] = i;
	}
	assert_true(zs_compact(pool) > 0);
	assert_int_equal(zs_pool_validate(pool), 0);
	for (unsigned m = 0; m < mapped; m++) {
		assert_int_equal(pattern_match(where[m], size_of(which[m]), which[m], 1, 0), size_of(which[m]));
		zs_unmap_object(pool, h[which[m]]);
	}
	/* And once they are let go, the rest follows. */
	(void)zs_compact(pool);
	assert_int_equal(zs_shrinker_count(pool), 0);
	check_bytes();
	zs_destroy_pool(pool);
}

static _Atomic int compacting;

static void *compact_aside(void *arg)
{
	(void)arg;
	atomic_store(&compacting, 1);
	(void)zs_compact(pool);
	atomic_store(&compacting, 2);
	return NULL;
}

/* Whether one of what is held lies elsewhere by now. */
static bool has_moved(const void *held[N])
{
	bool moved = false;

	for (unsigned i = 0; i < N && !moved; i++) {
		if (held[i] == NULL)
			continue;
		const void *now = zs_obj_read_begin(pool, h[i], NULL);

		moved = now != held[i];
		zs_obj_read_end(pool, h[i], now);
	}
	return moved;
}

/* What a reader holds moves all the same, but not under him: the pointer shows the same bytes until he lets go. */
static void held_objects_stay_readable(void **state)
{
	const void *held[N];
	pthread_t t;
	unsigned moved = 0;

	(void)state;
	fill(ZS_GEOMETRY_DENSE);
	thin_out(4);
	atomic_store(&compacting, 0);
	for (unsigned i = 0; i < N; i++)
		held[i] = h[i] != 0 ? zs_obj_read_begin(pool, h[i], NULL) : NULL;
	assert_int_equal(pthread_create(&t, NULL, compact_aside, NULL), 0);
	EVENTUALLY(has_moved(held));
	/* It waits for this reader; what it has moved so far is read at two places. */
	assert_int_equal(atomic_load(&compacting), 1);
	for (unsigned i = 0; i < N; i++) {
		if (held[i] == NULL)
			continue;
		const void *now = zs_obj_read_begin(pool, h[i], NULL);

		moved += now != held[i];
		assert_int_equal(pattern_match(held[i], size_of(i), i, 1, 0), size_of(i));
		assert_int_equal(pattern_match(now, size_of(i), i, 1, 0), size_of(i));
		zs_obj_read_end(pool, h[i], now);
	}
	assert_true(moved > 0);
	/* Allocation goes on meanwhile, and takes no slot that is still looked at. */
	for (unsigned i = 0; i < N; i++) {
		if (h[i] != 0)
			continue;
		h[i] = zs_malloc(pool, size_of(i), 0);
		pattern_fill(buf, size_of(i), i, 1, 0);
		assert_int_equal(zs_obj_write(pool, h[i], buf, size_of(i)), 0);
	}
	for (unsigned i = 0; i < N; i++) {
		if (held[i] == NULL)
			continue;
		assert_int_equal(pattern_match(held[i], size_of(i), i, 1, 0), size_of(i));
		zs_obj_read_end(pool, h[i], held[i]);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
	check_bytes();
	zs_destroy_pool(pool);
}

static void a_reader_cannot_compact(void **state)
{
	(void)state;
	fill(ZS_GEOMETRY_DENSE);
	thin_out(4);
	unsigned i = 0;

	while (h[i] == 0)
		i++;
	const void *mem = zs_obj_read_begin(pool, h[i], NULL);

	errno = 0;
	assert_int_equal(zs_compact(pool), 0);
	assert_int_equal(errno, EDEADLK);
	errno = 0;
	assert_int_equal(zs_shrinker_scan(pool, 5), 0);
	assert_int_equal(errno, EDEADLK);
	zs_obj_read_end(pool, h[i], mem);
	assert_true(zs_compact(pool) > 0);
	check_bytes();
	zs_destroy_pool(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(linux_reaches_the_kernels_bound),
		cmocka_unit_test(dense_packs_to_the_page),
		cmocka_unit_test(budget_resumes),
		cmocka_unit_test(packing_may_stop_anywhere),
		cmocka_unit_test(scan_frees_about_what_is_asked),
		cmocka_unit_test(objects_of_writers_are_passed_over),
		cmocka_unit_test(held_objects_stay_readable),
		cmocka_unit_test(a_reader_cannot_compact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
