/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * model_step.c - the operations, each with a weight.
 *
 * Every call of zsmalloc.h is here or in the files this one calls, but for making pools and the shrinker's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model.h"
#include "model_wrong.h"
#include "pattern.h"

/* Only from what the pool holds: it asks for nothing, whether it succeeds or not. */
static zs_handle malloc_nowait(struct model *m, size_t size)
{
	struct zs_pool_stats before = ZS_POOL_STATS_INIT, after = ZS_POOL_STATS_INIT;

	zs_pool_stats(m->pool, &before);
	zs_handle h = zs_malloc(m->pool, size, ZS_NOWAIT);

	zs_pool_stats(m->pool, &after);
	CHECK(h != 0 || errno == ENOMEM);
	CHECK_MSG(after.bytes_total <= before.bytes_total, "ZS_NOWAIT took %llu bytes",
		  (unsigned long long)(after.bytes_total - before.bytes_total));
	CHECK(after.limit_hits == before.limit_hits);
	return h;
}

/* It moves nothing, whether it succeeds or not. */
static zs_handle malloc_no_compact(struct model *m, size_t size)
{
	struct zs_pool_stats before = ZS_POOL_STATS_INIT, after = ZS_POOL_STATS_INIT;

	zs_pool_stats(m->pool, &before);
	zs_handle h = zs_malloc(m->pool, size, ZS_NO_COMPACT | ZS_LIMIT_EDQUOT);

	zs_pool_stats(m->pool, &after);
	CHECK(h != 0 || errno == (after.limit_refusals > before.limit_refusals ? EDQUOT : ENOMEM));
	CHECK(after.objs_moved == before.objs_moved);
	return h;
}

static void op_malloc(struct model *m)
{
	size_t size = choose_size(&m->choose, m->pool, m->config.page_size);
	unsigned how = (unsigned)choose(&m->choose, 8);
	zs_handle h = 0;

	if (m->count == m->config.max_objects)
		return;
	if (how == 0)
		h = malloc_nowait(m, size);
	else if (how == 1)
		h = malloc_no_compact(m, size);
	if (h == 0)
		h = zs_malloc(m->pool, size, 0);

	if (h == 0) {
		CHECK_MSG(m->config.memory_is_short && errno == ENOMEM, "zs_malloc of %zu bytes", size);
		return;
	}
	model_adopt(m, h, size);
}

static void op_free(struct model *m)
{
	struct model_object *o = model_pick_free(m);

	errno = 4711;
	zs_free(m->pool, o == NULL ? 0 : model_forget(m, o));
	CHECK(errno == 4711);
}

static void op_malloc_batch(struct model *m)
{
	zs_handle out[MODEL_BATCH];
	size_t n = choose(&m->choose, MODEL_BATCH + 1);
	size_t size = choose_size(&m->choose, m->pool, m->config.page_size);

	if (n > m->config.max_objects - m->count)
		n = m->config.max_objects - m->count;
	memset(out, 0, sizeof(out));
	size_t got = zs_malloc_batch(m->pool, size, 0, out, n);

	CHECK(got == n || (got < n && m->config.memory_is_short && errno == ENOMEM));
	for (size_t i = 0; i < MODEL_BATCH; i++) {
		CHECK(i < got || out[i] == 0);
		if (i < got)
			model_adopt(m, out[i], size);
	}
}

static void op_free_batch(struct model *m)
{
	zs_handle handles[MODEL_BATCH];
	size_t n = choose(&m->choose, MODEL_BATCH + 1);

	for (size_t i = 0; i < n; i++) {
		struct model_object *o = choose(&m->choose, 16) == 0 ? NULL : model_pick_free(m);

		handles[i] = o == NULL ? 0 : model_forget(m, o);
	}
	errno = 4712;
	zs_free_batch(m->pool, handles, n);
	CHECK(errno == 4712);
}

/* Free a random share: what leaves many zspages half empty. */
static void op_free_many(struct model *m)
{
	size_t n = choose(&m->choose, m->count + 1);

	while (n-- > 0)
		op_free(m);
}

static void op_write(struct model *m)
{
	struct model_object *o = model_pick_free(m);

	if (o == NULL)
		return;
	switch (choose(&m->choose, 4)) {
	case 0:
		model_write(m, o, choose(&m->choose, o->usable + 1));
		break;
	case 1:
		model_write(m, o, o->usable);
		break;
	default:
		model_write(m, o, o->size);
		break;
	}
}

static void op_read(struct model *m)
{
	struct model_object *o = model_pick_free(m);

	if (o != NULL)
		model_compare_stored(m, o);
}

/* Hold an object in any way and let it go at once, with other holds about. */
static void op_hold_briefly(struct model *m)
{
	struct model_object *o = model_pick_free(m);

	if (o == NULL || m->nr_holds == MODEL_HOLDS)
		return;
	model_hold(m, o, (enum model_hold_kind)choose(&m->choose, HOLD_MAP_WO + 1));
	model_release(m, m->nr_holds - 1);
}

static void op_hold(struct model *m)
{
	struct model_object *o = model_pick(m);

	if (o == NULL || m->nr_holds == MODEL_HOLDS)
		return;
	enum model_hold_kind kind = (enum model_hold_kind)choose(&m->choose, HOLD_MAP_WO + 1);

	/* The same object may be read twice at once, but a writer's hold is the only one. */
	for (unsigned i = 0; i < m->nr_holds; i++)
		if (m->holds[i].object == o && (m->holds[i].kind >= HOLD_MAP_RW || kind >= HOLD_MAP_RW))
			return;
	model_hold(m, o, kind);
}

static void op_release(struct model *m)
{
	if (m->nr_holds > 0)
		model_release(m, (unsigned)choose(&m->choose, m->nr_holds));
}

static void op_release_all(struct model *m)
{
	while (m->nr_holds > 0)
		model_release(m, m->nr_holds - 1);
}

/*
 * What a compaction returned must be what the pool has shrunk by. With the dense geometry a zspage that is being filled
 * gets its next page when an object moves there: one that is cut short may leave it at that.
 */
static void account_compaction(struct model *m, unsigned long before, unsigned long freed, bool whole)
{
	unsigned long after = zs_get_total_pages(m->pool);

	CHECK_MSG(after >= before - freed, "%lu pages before, %lu freed, %lu after", before, freed, after);
	if (whole || m->config.geometry == ZS_GEOMETRY_LINUX)
		CHECK_MSG(after == before - freed, "%lu pages before, %lu freed, %lu after", before, freed, after);
	m->pages_compacted += freed;
	model_check_holds(m);
}

/* Size classes that have zspages. */
static unsigned long classes_in_use(struct model *m)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	unsigned long n = 0;

	for (unsigned index = 0; zs_get_class_info(m->pool, index, &info) == 0; index = info.index + 1)
		n += info.zspages > 0;
	return n;
}

static void op_compact(struct model *m)
{
	unsigned long before = zs_get_total_pages(m->pool);
	unsigned long classes = classes_in_use(m);
	unsigned long promised = zs_shrinker_count(m->pool);

	errno = 0;
	unsigned long freed = zs_compact(m->pool);

	if (m->reading_holds > 0) {
		CHECK(freed == 0 && errno == EDEADLK);
		return;
	}
	account_compaction(m, before, freed, m->nr_holds == 0);
	if (m->nr_holds > 0 || m->config.memory_is_short)
		return;
	CHECK(zs_shrinker_count(m->pool) == 0);
	if (m->config.geometry == ZS_GEOMETRY_LINUX)
		CHECK_MSG(freed == promised, "%lu pages freed, %lu promised", freed, promised);
	else /* where the last pages of zspages end up is only known afterwards, and so is which classes fold theirs */
		CHECK_MSG(freed <= promised + promised / 8 + 4 + classes && promised <= freed + freed / 8 + 4,
			  "%lu pages freed, %lu promised", freed, promised);
	CHECK(zs_compact(m->pool) == 0);
}

static void op_compact_budget(struct model *m)
{
	uint64_t bytes = choose(&m->choose, 4) == 0 ? 0 : choose_range(&m->choose, 1, 16 * m->config.page_size);
	/* So little time that it is over at once, or so much that it never is: a run must be repeatable. */
	uint64_t ns = choose(&m->choose, 4) != 0 ? 0 : choose(&m->choose, 2) == 0 ? 1 : UINT64_C(1) << 50;
	unsigned rounds = (unsigned)choose(&m->choose, 4) + 1;

	for (unsigned i = 0; i < rounds; i++) {
		unsigned long before = zs_get_total_pages(m->pool);

		errno = 0;
		unsigned long freed = zs_compact_budget(m->pool, bytes, ns);

		if (m->reading_holds > 0) {
			CHECK(freed == 0 && errno == EDEADLK);
			return;
		}
		account_compaction(m, before, freed, false);
	}
}

static void op_scan(struct model *m)
{
	unsigned long before = zs_get_total_pages(m->pool);
	unsigned long wanted = choose(&m->choose, 20);
	unsigned long freed = zs_shrinker_scan(m->pool, wanted);

	if (m->reading_holds > 0)
		CHECK(freed == 0);
	account_compaction(m, before, freed, false);
}

static void op_migrate(struct model *m)
{
	if (m->source == NULL) {
		int rc = zs_page_migrate(m->pool, m->scratch, m->scratch);

		CHECK(rc == -1 && (errno == EOPNOTSUPP || (m->reading_holds > 0 && errno == EDEADLK)));
		return;
	}
	void *old_page = test_source_pick(m->source, choose(&m->choose, 1 << 16));
	void *new_page = old_page == NULL ? NULL : test_source_take(m->source);

	if (new_page == NULL)
		return;
	int rc = zs_page_migrate(m->pool, new_page, old_page);

	if (rc == 0) {
		CHECK(m->reading_holds == 0);
		test_source_migrated(m->source, new_page, old_page);
	} else if (errno == EINVAL) {
		/* What was left on the page was in a cache, and emptying that gave the page back. */
		CHECK(!test_source_has(m->source, old_page));
		test_source_give(m->source, new_page);
	} else {
		int expected = m->reading_holds > 0 ? EDEADLK : EBUSY;

		CHECK_MSG(errno == expected || (m->config.memory_is_short && errno == ENOMEM), "not %d", expected);
		CHECK(m->nr_holds > 0 || errno == ENOMEM);
		test_source_give(m->source, new_page);
	}
	model_check_holds(m);
}

/* An allocation whose page is refused leaves everything as it was, but for what compacting gave back. */
static void op_refused_page(struct model *m)
{
	struct zs_pool_stats before = ZS_POOL_STATS_INIT, after = ZS_POOL_STATS_INIT;

	if (m->source == NULL || m->count == m->config.max_objects)
		return;
	size_t size = choose_size(&m->choose, m->pool, m->config.page_size);

	zs_pool_stats(m->pool, &before);
	test_source_fail_at(m->source, 1, true);
	zs_handle h = zs_malloc(m->pool, size, 0);

	if (h == 0)
		CHECK(errno == ENOMEM && (test_source_failed(m->source) || m->config.memory_is_short));
	test_source_fail_at(m->source, 0, false);
	zs_pool_stats(m->pool, &after);
	/* It compacts before it gives up. */
	m->pages_compacted += after.pages_compacted - before.pages_compacted;
	if (h != 0) {
		model_adopt(m, h, size);
		return;
	}
	CHECK(after.obj_used == before.obj_used && after.pages_used <= before.pages_used);
	CHECK(after.bytes_requested == before.bytes_requested);
}

static void op_stats(struct model *m)
{
	struct zs_pool_stats s = ZS_POOL_STATS_INIT;

	zs_pool_stats(m->pool, &s);
	CHECK(s.obj_used == m->count && s.bytes_requested == m->bytes_requested);
	CHECK(s.pages_used == zs_get_total_pages(m->pool) && s.freeable_pages == zs_shrinker_count(m->pool));
	/* A program built against a shorter struct gets no more than it has room for. */
	struct zs_pool_stats part;

	memset(&part, 0x77, sizeof(part));
	part.struct_size = offsetof(struct zs_pool_stats, obj_used);
	zs_pool_stats(m->pool, &part);
	CHECK(part.obj_allocated == s.obj_allocated);
	CHECK(part.obj_used == (unsigned long)0x7777777777777777ull);
}

static void op_print(struct model *m)
{
	model_check_print(m, (enum zs_stats_format)choose(&m->choose, ZS_STATS_PROMETHEUS + 1));
}

static void op_check(struct model *m)
{
	CHECK(zs_pool_validate(m->pool) == 0);
	model_check_stats(m);
	model_check_holds(m);
}

/* clang-format off */
#define OPERATION(run, weight) { run, #run, weight }
/* clang-format on */

static const struct {
	void (*run)(struct model *m);
	const char *name;
	unsigned weight;
} operations[] = {
	OPERATION(op_malloc, 320),
	OPERATION(op_free, 200),
	OPERATION(op_malloc_batch, 20),
	OPERATION(op_free_batch, 18),
	OPERATION(op_free_many, 2),
	OPERATION(op_write, 160),
	OPERATION(op_read, 150),
	OPERATION(op_hold_briefly, 80),
	OPERATION(op_hold, 40),
	OPERATION(op_release, 40),
	OPERATION(op_release_all, 12),
	OPERATION(op_compact, 4),
	OPERATION(op_compact_budget, 10),
	OPERATION(op_scan, 4),
	OPERATION(op_migrate, 40),
	OPERATION(op_refused_page, 20),
	OPERATION(op_stats, 5),
	OPERATION(op_print, 2),
	OPERATION(op_check, 1),
	OPERATION(model_wrong_argument, 20),
	OPERATION(model_wrong_handle, 30),
	OPERATION(model_wrong_mapping, 10),
};

void model_step(struct model *m)
{
	static unsigned all;

	if (all == 0)
		for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
			all += operations[i].weight;
	unsigned at = (unsigned)choose(&m->choose, all);
	size_t i = 0;

	while (at >= operations[i].weight)
		at -= operations[i++].weight;
	check_operation(operations[i].name);
	operations[i].run(m);
	check_operation(NULL);
}
