/* SPDX-License-Identifier: BSD-3-Clause */
/* test_source.c - see test_source.h. Pages are slots of one mapping; free ones are on a stack, last in first out. */
#include "test_source.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "rng.h"

#if CHECK_ASAN
#include <sanitizer/asan_interface.h>
#define HIDE(page, bytes) __asan_poison_memory_region(page, bytes)
#define SHOW(page, bytes) __asan_unpoison_memory_region(page, bytes)
#else
#define HIDE(page, bytes) ((void)0)
#define SHOW(page, bytes) ((void)0)
#endif

#define POISON 0xdb  /* of a page that is back */
#define GARBAGE 0xa5 /* of a page handed out */

enum slot_state { SLOT_NEW, SLOT_FREE, SLOT_POOL, SLOT_SPARE };

struct test_source {
	uint8_t *mapping;
	uint8_t *base; /* of slot 0, aligned to page_size */
	size_t mapping_bytes;
	size_t page_size;
	size_t slots;

	_Atomic bool in_callback;

	pthread_mutex_t lock; /* guards what follows */
	uint8_t *state;       /* of each slot */
	uint32_t *stack;
	size_t top;
	size_t outstanding;
	uint64_t calls;
	uint64_t fail_at; /* in calls; 0: never */
	bool fail_on;
	bool failed;
};

/* The order in which slots are handed out first: the last one on the stack comes first. */
static void order_slots(struct test_source *s, enum test_source_kind kind, uint64_t seed)
{
	struct rng rng = { seed };
	size_t step = kind == TEST_SOURCE_SCATTERED ? 2 : 1;

	s->top = 0;
	for (size_t slot = 0; slot < s->slots; slot += step)
		s->stack[s->top++] = (uint32_t)(kind == TEST_SOURCE_ADJACENT ? s->slots - 1 - slot : slot);
	if (kind != TEST_SOURCE_SCATTERED)
		return;
	for (size_t i = s->top; i > 1; i--) {
		size_t j = (size_t)rng_below(&rng, i);
		uint32_t other = s->stack[j];

		s->stack[j] = s->stack[i - 1];
		s->stack[i - 1] = other;
	}
}

struct test_source *test_source_create(size_t page_size, size_t max_pages, enum test_source_kind kind, uint64_t seed)
{
	struct test_source *s = calloc(1, sizeof(*s));

	CHECK(s != NULL);
	s->page_size = page_size;
	s->slots = kind == TEST_SOURCE_SCATTERED ? max_pages * 2 : max_pages;
	s->mapping_bytes = (s->slots + 1) * page_size;
	s->mapping = mmap(NULL, s->mapping_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);
	CHECK(s->mapping != MAP_FAILED);
	s->base = s->mapping + (page_size - (uintptr_t)s->mapping % page_size) % page_size;
	s->state = calloc(s->slots, 1);
	s->stack = calloc(s->slots, sizeof(*s->stack));
	CHECK(s->state != NULL && s->stack != NULL);
	CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
	order_slots(s, kind, seed);
	return s;
}

void test_source_destroy(struct test_source *s)
{
	CHECK_MSG(s->outstanding == 0, "%zu pages were not given back", s->outstanding);
	SHOW(s->mapping, s->mapping_bytes);
	CHECK(munmap(s->mapping, s->mapping_bytes) == 0);
	CHECK(pthread_mutex_destroy(&s->lock) == 0);
	free(s->state);
	free(s->stack);
	free(s);
}

static size_t slot_of(struct test_source *s, const void *page)
{
	size_t offset = (size_t)((uintptr_t)page - (uintptr_t)s->base);

	CHECK_MSG((uintptr_t)page >= (uintptr_t)s->base && offset / s->page_size < s->slots &&
			  offset % s->page_size == 0,
		  "%p is no page of this source", page);
	return offset / s->page_size;
}

static void *pop_locked(struct test_source *s, enum slot_state state)
{
	if (s->top == 0)
		return NULL;
	size_t slot = s->stack[--s->top];
	uint8_t *page = s->base + slot * s->page_size;

	SHOW(page, s->page_size);
	/* A poisoned page that changed was written to after it was given back. */
	if (s->state[slot] == SLOT_FREE)
		for (size_t i = 0; i < s->page_size; i++)
			CHECK_MSG(page[i] == POISON, "free page %p was written at %zu", (void *)page, i);
	else
		CHECK(s->state[slot] == SLOT_NEW);
	memset(page, GARBAGE, s->page_size);
	s->state[slot] = (uint8_t)state;
	return page;
}

static void push_locked(struct test_source *s, void *page)
{
	size_t slot = slot_of(s, page);

	s->state[slot] = SLOT_FREE;
	memset(page, POISON, s->page_size);
	HIDE(page, s->page_size);
	s->stack[s->top++] = (uint32_t)slot;
}

static void *alloc_page(void *ctx)
{
	struct test_source *s = ctx;
	void *page = NULL;

	CHECK_MSG(!atomic_exchange(&s->in_callback, true), "two callbacks of one page source at once");
	pthread_mutex_lock(&s->lock);
	s->calls++;
	if (s->fail_at != 0 && (s->calls == s->fail_at || (s->fail_on && s->calls > s->fail_at))) {
		s->failed = true;
	} else {
		page = pop_locked(s, SLOT_POOL);
		s->outstanding += page != NULL;
	}
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->in_callback, false);
	return page;
}

static void free_page(void *ctx, void *page)
{
	struct test_source *s = ctx;

	CHECK_MSG(!atomic_exchange(&s->in_callback, true), "two callbacks of one page source at once");
	pthread_mutex_lock(&s->lock);
	size_t slot = slot_of(s, page);

	/* A spare page is the pool's from within zs_page_migrate() on, before the test knows. */
	CHECK_MSG(s->state[slot] == SLOT_POOL || s->state[slot] == SLOT_SPARE, "page %p given back in state %d", page,
		  s->state[slot]);
	push_locked(s, page);
	s->outstanding--;
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->in_callback, false);
}

struct zs_page_source test_source_callbacks(struct test_source *s)
{
	struct zs_page_source source = ZS_PAGE_SOURCE_INIT;

	source.alloc_page = alloc_page;
	source.free_page = free_page;
	source.ctx = s;
	return source;
}

size_t test_source_outstanding(struct test_source *s)
{
	pthread_mutex_lock(&s->lock);
	size_t n = s->outstanding;

	pthread_mutex_unlock(&s->lock);
	return n;
}

uint64_t test_source_calls(struct test_source *s)
{
	pthread_mutex_lock(&s->lock);
	uint64_t n = s->calls;

	pthread_mutex_unlock(&s->lock);
	return n;
}

void test_source_fail_at(struct test_source *s, uint64_t nth, bool on)
{
	pthread_mutex_lock(&s->lock);
	s->fail_at = nth == 0 ? 0 : s->calls + nth;
	s->fail_on = on;
	s->failed = false;
	pthread_mutex_unlock(&s->lock);
}

bool test_source_failed(struct test_source *s)
{
	pthread_mutex_lock(&s->lock);
	bool failed = s->failed;

	pthread_mutex_unlock(&s->lock);
	return failed;
}

void *test_source_pick(struct test_source *s, uint64_t random)
{
	void *page = NULL;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->slots && s->outstanding > 0 && page == NULL; i++) {
		size_t slot = (size_t)((random + i) % s->slots);

		if (s->state[slot] == SLOT_POOL)
			page = s->base + slot * s->page_size;
	}
	pthread_mutex_unlock(&s->lock);
	return page;
}

bool test_source_has(struct test_source *s, const void *page)
{
	bool has;

	pthread_mutex_lock(&s->lock);
	has = s->state[slot_of(s, page)] == SLOT_POOL;
	pthread_mutex_unlock(&s->lock);
	return has;
}

void *test_source_take(struct test_source *s)
{
	pthread_mutex_lock(&s->lock);
	void *page = pop_locked(s, SLOT_SPARE);

	pthread_mutex_unlock(&s->lock);
	return page;
}

void test_source_give(struct test_source *s, void *page)
{
	pthread_mutex_lock(&s->lock);
	CHECK(s->state[slot_of(s, page)] == SLOT_SPARE);
	push_locked(s, page);
	pthread_mutex_unlock(&s->lock);
}

void test_source_migrated(struct test_source *s, void *new_page, void *old_page)
{
	pthread_mutex_lock(&s->lock);
	size_t slot = slot_of(s, new_page);

	/* Another thread may have freed what was on new_page by now: then it is back, or even out again. */
	if (s->state[slot] == SLOT_SPARE)
		s->state[slot] = SLOT_POOL;
	CHECK(s->state[slot_of(s, old_page)] == SLOT_POOL);
	push_locked(s, old_page);
	pthread_mutex_unlock(&s->lock);
}
