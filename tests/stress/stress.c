/* SPDX-License-Identifier: BSD-3-Clause */
/* stress.c - see stress.h. */
#include "stress.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "pattern.h"

#define MAX_PAGES (1u << 15)
#define BATCH 24u

void arena_options(struct arena *a, int argc, char **argv)
{
	a->options = (struct zs_pool_options)ZS_POOL_OPTIONS_INIT;
	a->options.page_size = 4096;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "linux") == 0)
			a->options.geometry = ZS_GEOMETRY_LINUX;
		else if (strcmp(argv[i], "scattered") == 0)
			a->source = test_source_create(a->options.page_size, MAX_PAGES, TEST_SOURCE_SCATTERED, 5);
		else
			CHECK(strcmp(argv[i], "dense") == 0 || strcmp(argv[i], "arena") == 0);
	}
}

void arena_open(struct arena *a, size_t nr_slots, size_t max_size)
{
	struct zs_page_source source;

	if (a->source != NULL) {
		source = test_source_callbacks(a->source);
		a->options.pages = &source;
	}
	a->pool = zs_create_pool_with("stress", &a->options);
	CHECK(a->pool != NULL);
	a->options.pages = NULL;
	a->nr_slots = nr_slots;
	a->max_size = max_size;
	a->slots = calloc(nr_slots, sizeof(*a->slots));
	CHECK(a->slots != NULL);
	for (size_t i = 0; i < nr_slots; i++)
		CHECK(pthread_mutex_init(&a->slots[i].lock, NULL) == 0);
}

void worker_init(struct worker *w, struct arena *a, uint64_t seed)
{
	*w = (struct worker){ .arena = a, .rng = { seed } };
	w->scratch = malloc(a->options.page_size);
	w->local = malloc(a->options.page_size);
	CHECK(w->scratch != NULL && w->local != NULL);
}

void worker_fini(struct worker *w)
{
	free(w->scratch);
	free(w->local);
}

void arena_close(struct arena *a)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	struct worker w;
	uint64_t bytes = 0, live = 0;

	worker_init(&w, a, 1);
	for (size_t i = 0; i < a->nr_slots; i++) {
		struct slot *s = &a->slots[i];

		if (s->handle == 0)
			continue;
		slot_verify(&w, s);
		live++;
		bytes += s->size;
	}
	CHECK(zs_pool_validate(a->pool) == 0);
	zs_pool_stats(a->pool, &stats);
	CHECK_MSG(stats.obj_used == live, "%lu objects, should be %llu", stats.obj_used, (unsigned long long)live);
	CHECK(stats.bytes_requested == bytes);
	if (a->source != NULL)
		CHECK(test_source_outstanding(a->source) == stats.pages_used);
	for (size_t i = 0; i < a->nr_slots; i++) {
		slot_free(&w, &a->slots[i]);
		CHECK(pthread_mutex_destroy(&a->slots[i].lock) == 0);
	}
	/* What was freed last may be in this thread's cache; others' were emptied when they ended. */
	(void)zs_compact(a->pool);
	CHECK(zs_pool_validate(a->pool) == 0 && zs_get_total_pages(a->pool) == 0);
	zs_destroy_pool(a->pool);
	if (a->source != NULL)
		test_source_destroy(a->source);
	worker_fini(&w);
	free(a->slots);
}

static uint64_t key_of(const struct worker *w, const struct slot *s)
{
	return (uint64_t)(s - w->arena->slots) + 1;
}

static void check_bytes(const struct worker *w, const struct slot *s, const void *bytes, size_t len, size_t offset)
{
	size_t good = pattern_match(bytes, len, key_of(w, s), s->version, offset);

	CHECK_MSG(good == len, "slot %zu, handle %#llx, size %zu, version %llu: byte %zu is wrong",
		  (size_t)(s - w->arena->slots), (unsigned long long)s->handle, s->size, (unsigned long long)s->version,
		  offset + good);
}

bool slot_fill(struct worker *w, struct slot *s)
{
	size_t size = rng_range(&w->rng, 1, w->arena->max_size);
	static const unsigned ways[] = { ZS_NOWAIT, ZS_NO_COMPACT, ZS_NO_COMPACT | ZS_LIMIT_EDQUOT };
	zs_handle h = rng_one_in(&w->rng, 4) ? zs_malloc(w->arena->pool, size, ways[rng_range(&w->rng, 0, 2)]) : 0;

	if (h == 0)
		h = zs_malloc(w->arena->pool, size, 0);
	if (h == 0) {
		CHECK(w->arena->memory_is_short && errno == ENOMEM);
		return false;
	}
	s->handle = h;
	s->size = size;
	s->version++;
	pattern_fill(w->scratch, size, key_of(w, s), s->version, 0);
	CHECK(zs_obj_write(w->arena->pool, h, w->scratch, size) == 0);
	return true;
}

/* In a section of its own; an object in two pieces has no address there. */
static void verify_in_section(struct worker *w, struct slot *s)
{
	struct zs_pool *pool = w->arena->pool;

	zs_prefetch(pool, s->handle);
	zs_read_begin(pool);
	const void *mem = rng_one_in(&w->rng, 2) ? zs_obj_address(pool, s->handle) : zs_obj_try_address(pool, s->handle);

	if (mem == NULL) {
		CHECK(w->arena->source != NULL);
		CHECK(zs_obj_read(pool, s->handle, 0, w->local, s->size) == 0);
		mem = w->local;
	}
	check_bytes(w, s, mem, s->size, 0);
	zs_read_end(pool);
}

void slot_verify(struct worker *w, struct slot *s)
{
	struct zs_pool *pool = w->arena->pool;
	struct iovec iov[2];
	const void *mem;

	switch (rng_below(&w->rng, 6)) {
	case 3:
		verify_in_section(w, s);
		break;
	case 2:
		CHECK(zs_obj_read_begin_batch(pool, &s->handle, 1, &mem, w->local) == 0);
		check_bytes(w, s, mem, s->size, 0);
		zs_obj_read_end_batch(pool);
		break;
	case 0: {
		int pieces = zs_obj_read_iov_begin(pool, s->handle, s->size, iov);

		CHECK(pieces == 1 || pieces == 2);
		check_bytes(w, s, iov[0].iov_base, iov[0].iov_len, 0);
		if (pieces == 2)
			check_bytes(w, s, iov[1].iov_base, iov[1].iov_len, iov[0].iov_len);
		zs_obj_read_iov_end(pool, s->handle);
		break;
	}
	case 1:
		mem = zs_map_object(pool, s->handle, ZS_MM_RO);
		CHECK(mem != NULL);
		check_bytes(w, s, mem, s->size, 0);
		zs_unmap_object(pool, s->handle);
		break;
	default:
		mem = zs_obj_read_begin(pool, s->handle, w->local);
		CHECK(mem != NULL);
		check_bytes(w, s, mem, s->size, 0);
		zs_obj_read_end(pool, s->handle, mem);
		break;
	}
	CHECK(zs_usable_size(pool, s->handle) >= s->size);
}

void slot_rewrite(struct worker *w, struct slot *s)
{
	struct zs_pool *pool = w->arena->pool;
	uint64_t kind = rng_below(&w->rng, 3);

	if (kind == 0) {
		s->version++;
		pattern_fill(w->scratch, s->size, key_of(w, s), s->version, 0);
		CHECK(zs_obj_write(pool, s->handle, w->scratch, s->size) == 0);
		return;
	}
	void *mem = zs_map_object(pool, s->handle, kind == 1 ? ZS_MM_RW : ZS_MM_WO);

	CHECK(mem != NULL);
	if (kind == 1)
		check_bytes(w, s, mem, s->size, 0);
	s->version++;
	pattern_fill(mem, s->size, key_of(w, s), s->version, 0);
	zs_unmap_object(pool, s->handle);
}

void slot_free(struct worker *w, struct slot *s)
{
	zs_free(w->arena->pool, s->handle);
	s->handle = 0;
}

/* Objects of this thread's alone, in a batch. */
static void batch(struct worker *w)
{
	zs_handle handles[BATCH];
	size_t size = rng_range(&w->rng, 1, w->arena->max_size);
	size_t n = zs_malloc_batch(w->arena->pool, size, 0, handles, BATCH);

	CHECK(n == BATCH || (w->arena->memory_is_short && errno == ENOMEM));
	for (size_t i = 0; i < n; i++) {
		pattern_fill(w->scratch, size, handles[i], 1, 0);
		CHECK(zs_obj_write(w->arena->pool, handles[i], w->scratch, size) == 0);
	}
	for (size_t i = 0; i < n; i++) {
		const void *mem = zs_obj_read_begin(w->arena->pool, handles[i], w->local);

		CHECK(mem != NULL && pattern_match(mem, size, handles[i], 1, 0) == size);
		zs_obj_read_end(w->arena->pool, handles[i], mem);
	}
	zs_free_batch(w->arena->pool, handles, n);
}

void worker_step(struct worker *w)
{
	struct slot *s = &w->arena->slots[rng_below(&w->rng, w->arena->nr_slots)];

	atomic_fetch_add_explicit(&w->arena->progress, 1, memory_order_relaxed);
	if (rng_one_in(&w->rng, 200)) {
		batch(w);
		return;
	}
	pthread_mutex_lock(&s->lock);
	if (s->handle == 0) {
		(void)slot_fill(w, s);
	} else {
		slot_verify(w, s);
		switch (rng_below(&w->rng, 4)) {
		case 0:
			slot_free(w, s);
			break;
		case 1:
			slot_rewrite(w, s);
			slot_verify(w, s);
			break;
		default:
			break;
		}
	}
	pthread_mutex_unlock(&s->lock);
}

static void *begin(void *worker)
{
	struct worker *w = worker;

	atomic_fetch_add(&w->arena->begun, 1);
	return w->body(w);
}

struct worker *workers_start(struct arena *a, unsigned n, uint64_t seed, uint64_t operations, void *(*body)(void *))
{
	struct worker *workers = calloc(n, sizeof(*workers));
	unsigned begun = atomic_load(&a->begun);

	CHECK(workers != NULL);
	for (unsigned i = 0; i < n; i++) {
		worker_init(&workers[i], a, rng_mix(seed + i));
		workers[i].operations = operations;
		workers[i].body = body;
		CHECK(pthread_create(&workers[i].thread, NULL, begin, &workers[i]) == 0);
	}
	while (atomic_load(&a->begun) != begun + n)
		sched_yield();
	return workers;
}

void workers_join(struct worker *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		CHECK(pthread_join(w[i].thread, NULL) == 0);
		worker_fini(&w[i]);
	}
	free(w);
}

void *body_steps(void *worker)
{
	struct worker *w = worker;

	for (uint64_t i = 0; i < w->operations; i++)
		worker_step(w);
	return NULL;
}

void *body_compact(void *worker)
{
	struct worker *w = worker;
	struct zs_pool *pool = w->arena->pool;

	while (!atomic_load_explicit(&w->arena->stop, memory_order_relaxed)) {
		switch (rng_below(&w->rng, 4)) {
		case 0:
			(void)zs_compact(pool);
			break;
		case 1:
			(void)zs_compact_budget(pool, rng_range(&w->rng, 1, 65536), 0);
			break;
		case 2:
			(void)zs_compact_budget(pool, 0, rng_range(&w->rng, 1, 100000));
			break;
		default:
			(void)zs_shrinker_scan(pool, rng_range(&w->rng, 1, 50));
			break;
		}
		sched_yield();
	}
	return NULL;
}

void *body_observe(void *worker)
{
	struct worker *w = worker;
	struct zs_pool *pool = w->arena->pool;
	FILE *null = fopen("/dev/null", "w");
	const struct timespec pause = { 0, 1000000 };

	CHECK(null != NULL);
	while (!atomic_load_explicit(&w->arena->stop, memory_order_relaxed)) {
		struct zs_pool_stats stats = ZS_POOL_STATS_INIT;

		CHECK(zs_pool_validate(pool) == 0);
		zs_pool_stats(pool, &stats);
		CHECK(stats.obj_used <= stats.obj_allocated);
		CHECK(w->arena->options.limit_bytes == 0 || stats.bytes_total <= w->arena->options.limit_bytes);
		CHECK(zs_stats_print(pool, null, (enum zs_stats_format)rng_below(&w->rng, 4)) == 0);
		nanosleep(&pause, NULL);
	}
	CHECK(fclose(null) == 0);
	return NULL;
}
