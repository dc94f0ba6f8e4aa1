/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * validate_test.c - zs_pool_validate() notices damage. Each case breaks one field of a sound pool the way a stray write
 * would, asks, and puts it back: the pool must be sound again, so that nothing else was the reason.
 */
#include "unit.h"

#include "pages/layout.h"
#include "pages/meta.h"
#include "pages/words.h"
#include "pool/class.h"
#include "pool/geometry.h"
#include "pool/handle.h"
#include "pool/pool.h"
#include "pool/zspage.h"

#define N 500

static struct zs_pool *pool;
static zs_handle h[N];
static struct zsi_class *cls;
static struct zsi_zspage *zspage;

static int setup(void **state)
{
	(void)state;
	pool = zs_create_pool("validate");
	if (pool == NULL)
		return -1;
	for (unsigned i = 0; i < N; i++)
		h[i] = zs_malloc(pool, 600, 0);
	for (unsigned i = 0; i < N; i += 3) {
		zs_free(pool, h[i]);
		h[i] = 0;
	}
	cls = &pool->classes[zsi_position_for(pool, 600)];
	zspage = zsi_class_fullest_locked(pool, zsi_position_for(pool, 600));
	return zspage != NULL && zs_pool_validate(pool) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	zs_destroy_pool(pool);
	return 0;
}

static void notices(void *field, size_t size, uint64_t damage)
{
	unsigned char saved[sizeof(damage)];

	assert_true(size <= sizeof(saved));
	memcpy(saved, field, size);
	memcpy(field, &damage, size); /* the low bytes, on the machines this runs on */
	errno = 0;
	assert_int_equal(zs_pool_validate(pool), -1);
	assert_int_equal(errno, EUCLEAN);
	memcpy(field, saved, size);
	assert_int_equal(zs_pool_validate(pool), 0);
}

#define NOTICES(field, damage) notices((uint8_t *)(uintptr_t) & (field), sizeof(field), (uint64_t)(damage))

static void class_counts(void **state)
{
	(void)state;
	NOTICES(cls->used, cls->used + 1);
	NOTICES(cls->requested, cls->requested - 1);
	NOTICES(cls->pages, cls->pages + 1);
	NOTICES(cls->zspages, cls->zspages + 1);
	NOTICES(cls->counts[zspage->group - 1], 77);
	NOTICES(cls->nonempty, cls->nonempty ^ 2);
	NOTICES(pool->pages, pool->pages - 1);
}

static void descriptors(void **state)
{
	(void)state;
	NOTICES(zspage->inuse, zspage->inuse + 1);
	NOTICES(zspage->limbo, 1);
	NOTICES(zspage->bump, zspage->bump - 1);
	NOTICES(zspage->free_head, ZSI_NO_SLOT);
	NOTICES(zspage->free_head, zspage->bump);
	NOTICES(zspage->present, zspage->present - 1);
	NOTICES(zspage->group, zspage->group == 1 ? 2 : 1);
	NOTICES(zspage->state, ZSI_ZSPAGE_ISOLATED);
	NOTICES(zspage->class_position, zspage->class_position + 1);
	NOTICES(zspage->first, zspage->first + zsi_size_class(pool, zspage)->pages);
	NOTICES(zspage->slots_step, zspage->slots_step + 1);
	NOTICES(zspage->slots_step, 200);
	/* References to nowhere are not followed. */
	NOTICES(zspage->first, UINT32_MAX);
	NOTICES(zspage->first, 1u << 28);
	NOTICES(zspage->slots, 0);
	NOTICES(zspage->slots, UINT32_MAX);
	NOTICES(zspage->slots, pool->words.top >> ZSI_WORDS_UNIT_SHIFT);
	NOTICES(zspage->next, UINT32_MAX);
	NOTICES(cls->heads[zspage->group - 1], UINT32_MAX);
	NOTICES(cls->heads[zspage->group - 1], pool->meta.top >> ZSI_META_UNIT_SHIFT);
}

static void slot_words(void **state)
{
	uint32_t *slots = zsi_zspage_slots(&pool->words, zspage);
	unsigned used = 0, free_slot = zspage->free_head;

	(void)state;
	while ((slots[used] & ZSI_SLOT_FREE) != 0)
		used++;
	NOTICES(slots[used], slots[used] + 1);
	NOTICES(slots[used], 0x7fffffff);
	NOTICES(slots[used], ZSI_SLOT_FREE);
	NOTICES(slots[used], ZSI_SLOT_LIMBO);
	NOTICES(slots[free_slot], ZSI_SLOT_FREE | free_slot);
	NOTICES(slots[free_slot], ZSI_SLOT_FREE | 0xfffe);
	NOTICES(slots[free_slot], slots[used]);
}

static void handle_entries(void **state)
{
	_Atomic uint64_t *entry = &pool->handles.entries[zsi_handle_index(h[1])];
	uint64_t sound = atomic_load(entry);
	const uint64_t damaged[] = {
		(sound + ZSI_GENERATION_ONE) & ~ZSI_CLASS_MASK,            /* free */
		zsi_entry_with_offset(sound, zsi_entry_offset(sound) + 8), /* elsewhere */
		zsi_entry_with_position(sound, zsi_entry_class(sound)),    /* of the next class */
		0,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		atomic_store(entry, damaged[i]);
		assert_int_equal(zs_pool_validate(pool), -1);
		atomic_store(entry, sound);
		assert_int_equal(zs_pool_validate(pool), 0);
	}
	/* Of another size. */
	if (pool->handles.slack != NULL)
		NOTICES(pool->handles.slack[zsi_handle_index(h[1])], 255);
	else
		NOTICES(pool->handles.sizes[zsi_handle_index(h[1])], 65535);
}

static void space_and_account(void **state)
{
	struct zsi_chunk *c = zsi_space_chunk(&pool->space, zspage->first);

	(void)state;
	NOTICES(c->nfree, c->nfree + 1);
	NOTICES(c->fresh, c->runs + 1);
	NOTICES(c->free_map[0], c->free_map[0] ^ 1);
	NOTICES(c->dirty_map[0], c->dirty_map[0] ^ 1);
	NOTICES(c->runs, c->runs - 1);
	NOTICES(pool->space.dirty_pages, pool->space.dirty_pages + 1);
	NOTICES(pool->account.limit, 4096);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(class_counts), TEST(descriptors), TEST(slot_words), TEST(handle_entries), TEST(space_and_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
