/* SPDX-License-Identifier: BSD-3-Clause */
/* class_test.c - a class's lists and the life of a zspage, on a pool's internals. */
#include "unit.h"

#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/slot.h"
#include "pool/zspage.h"
#include "pool/zspages.h"

static struct zs_pool *pool;
static unsigned position;
static const struct zsi_size_class *sc;
static struct zsi_class *cls;

static int setup(void **state)
{
	struct zs_pool_options o = ZS_POOL_OPTIONS_INIT;

	(void)state;
	o.geometry = ZS_GEOMETRY_LINUX;
	pool = zs_create_pool_with("class", &o);
	if (pool == NULL)
		return -1;
	position = zsi_position_for(pool, 1000);
	sc = &pool->geometry.classes[position];
	cls = &pool->classes[position];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	zs_destroy_pool(pool);
	return 0;
}

static unsigned length(unsigned group)
{
	unsigned n = 0;

	for (const struct zsi_zspage *z = zsi_zspage_ptr(pool, cls->heads[group - 1]); z != NULL;
	     z = zsi_zspage_ptr(pool, z->next))
		n++;
	return n;
}

/* A zspage moves to the head of its new group's list, and stays where it is within a group. */
static void allocation_takes_the_head_of_the_fullest(void **state)
{
	zs_handle h[64];
	unsigned n = sc->objs;

	(void)state;
	for (unsigned i = 0; i < 3 * n; i++)
		h[i] = zs_malloc(pool, 1000, 0);
	assert_int_equal(cls->zspages, 3);
	assert_int_equal(length(ZSI_GROUP_FULL), 3);
	assert_null(zsi_class_fullest_locked(pool, position));
	/* The first loses two objects, the second one: the second is fuller. */
	zs_free(pool, h[0]);
	zs_free(pool, h[1]);
	zs_free(pool, h[n]);
	struct zsi_zspage *second = zsi_zspage_at(
		&pool->space, zsi_entry_offset(atomic_load(&pool->handles.entries[zsi_handle_index(h[n + 1])])));

	assert_ptr_equal(zsi_class_fullest_locked(pool, position), second);
	h[n] = zs_malloc(pool, 1000, 0);
	assert_ptr_not_equal(zsi_class_fullest_locked(pool, position), second);
	assert_int_equal(second->inuse, n);
	assert_int_equal(zs_pool_validate(pool), 0);
}

static void zspage_goes_with_its_last_object(void **state)
{
	zs_handle h[64];

	(void)state;
	for (unsigned i = 0; i < sc->objs; i++)
		h[i] = zs_malloc(pool, 1000, 0);
	assert_int_equal(zs_get_total_pages(pool), sc->pages);
	for (unsigned i = 0; i < sc->objs; i++) {
		assert_int_equal(zs_get_total_pages(pool), sc->pages);
		zs_free(pool, h[i]);
	}
	assert_int_equal(zs_get_total_pages(pool), 0);
	assert_int_equal(cls->zspages, 0);
	assert_int_equal(cls->nonempty, 0);
	assert_int_equal(zs_pool_validate(pool), 0);
}

static void slots_are_all_different(void **state)
{
	struct zsi_zspage *z = zsi_zspages_create(pool, position);
	bool seen[64] = { false };

	(void)state;
	assert_non_null(z);
	for (unsigned i = 0; i < sc->objs; i++) {
		unsigned slot = zsi_slot_take_locked(pool, z);

		assert_in_range(slot, 0, sc->objs - 1u);
		assert_false(seen[slot]);
		seen[slot] = true;
		assert_int_equal(zsi_slot_at(&pool->space, z, sc, zsi_slot_offset(&pool->space, z, sc, slot)), slot);
	}
	assert_false(zsi_zspage_has_slot(z, sc));
	zsi_slot_give_locked(pool, z, 3);
	zsi_slot_give_locked(pool, z, 1);
	assert_int_equal(zsi_slot_take_locked(pool, z), 1);
	assert_int_equal(zsi_slot_take_locked(pool, z), 3);
	assert_false(zsi_zspage_has_slot(z, sc));
	zsi_zspages_release(pool, z);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(allocation_takes_the_head_of_the_fullest),
		TEST(zspage_goes_with_its_last_object),
		TEST(slots_are_all_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
