/* SPDX-License-Identifier: BSD-3-Clause */
/* model_wrong.c - see model_wrong.h. The model's misuse handler returns, so that each call fails with EINVAL. */
#include "model_wrong.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "model.h"

static void wrong_page(struct model *m)
{
	void *old_page = test_source_pick(m->source, choose(&m->choose, 1 << 16));
	void *spare = test_source_take(m->source);

	if (old_page == NULL || spare == NULL) {
		if (spare != NULL)
			test_source_give(m->source, spare);
		return;
	}
	CHECK(zs_page_migrate(m->pool, NULL, old_page) == -1 && errno == EINVAL);
	CHECK(zs_page_migrate(m->pool, (char *)spare + 64, old_page) == -1 && errno == EINVAL);
	CHECK(zs_page_migrate(m->pool, old_page, old_page) == -1 && errno == EINVAL);
	CHECK(zs_page_migrate(m->pool, spare, spare) == -1 && errno == EINVAL);
	CHECK(zs_page_migrate(m->pool, spare, NULL) == -1 && errno == EINVAL);
	CHECK(zs_page_migrate(m->pool, spare, (char *)old_page + 8) == -1 && errno == EINVAL);
	test_source_give(m->source, spare);
}

static void wrong_length(struct model *m, struct model_object *o)
{
	struct iovec iov[2] = { { m, 7 }, { m, 7 } };
	size_t over = zs_usable_size(m->pool, o->handle) + choose_range(&m->choose, 1, m->config.page_size);

	memset(m->scratch, 0xee, 2 * m->config.page_size);
	CHECK(zs_obj_write(m->pool, o->handle, m->scratch, over) == -1 && errno == EINVAL);
	CHECK(zs_obj_read(m->pool, o->handle, 0, m->scratch, over) == -1 && errno == EINVAL);
	CHECK(zs_obj_read(m->pool, o->handle, over, m->scratch, 0) == -1 && errno == EINVAL);
	CHECK(zs_obj_read(m->pool, o->handle, 1, m->scratch, SIZE_MAX) == -1 && errno == EINVAL);
	CHECK(m->scratch[0] == 0xee);
	CHECK(zs_obj_read_iov_begin(m->pool, o->handle, over, iov) == -1 && errno == EINVAL);
	CHECK(zs_obj_read_iov_begin(m->pool, o->handle, 0, iov) == -1 && errno == EINVAL);
	CHECK(iov[0].iov_base == m && iov[0].iov_len == 7 && iov[1].iov_base == m && iov[1].iov_len == 7);
	CHECK(zs_map_object(m->pool, o->handle, (enum zs_mapmode)77) == NULL && errno == EINVAL);
	CHECK(zs_obj_write(m->pool, o->handle, NULL, 0) == 0);
	model_compare_stored(m, o);
}

void model_wrong_argument(struct model *m)
{
	size_t page = m->config.page_size;
	zs_handle out[2] = { 77, 77 };
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	struct model_object *o = model_pick_free(m);
	size_t misuses = m->misuses;

	CHECK(zs_malloc(m->pool, 0, 0) == 0 && errno == EINVAL);
	CHECK(zs_malloc(m->pool, page + 1, 0) == 0 && errno == ENOSPC);
	CHECK(zs_malloc(m->pool, SIZE_MAX, 0) == 0 && errno == ENOSPC);
	CHECK(zs_malloc(m->pool, 64, ~ZS_NOWAIT) == 0 && errno == EINVAL);
	CHECK(zs_malloc_batch(m->pool, 0, 0, out, 2) == 0 && errno == EINVAL);
	CHECK(zs_malloc_batch(m->pool, page + 1, 0, out, 2) == 0 && errno == ENOSPC);
	CHECK(out[0] == 77 && out[1] == 77);
	zs_free(m->pool, 0);
	CHECK(zs_get_class_info(m->pool, 1 << 20, &info) == -1 && errno == ENOENT);
	info.struct_size = 3;
	CHECK(zs_get_class_info(m->pool, 0, &info) == -1 && errno == EINVAL);
	CHECK(zs_stats_print(m->pool, stderr, (enum zs_stats_format)99) == -1 && errno == EINVAL);
	CHECK(zs_lookup_class_index(m->pool, 0) == zs_lookup_class_index(m->pool, 1));
	CHECK(zs_lookup_class_index(m->pool, SIZE_MAX) == zs_lookup_class_index(m->pool, page));
	if (o != NULL)
		wrong_length(m, o);
	if (m->source != NULL && m->reading_holds == 0)
		wrong_page(m);
	CHECK(m->misuses == misuses);
}

static bool is_live(const struct model *m, zs_handle h)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->objects[i]->handle == h)
			return true;
	return h == 0;
}

/* A handle that no live object has, and in *reason why not; ZS_MISUSE_NOT_MAPPED where several answers are right. */
static zs_handle wrong_handle(struct model *m, enum zs_misuse_reason *reason)
{
	const struct model_object *o = model_pick(m);

	*reason = ZS_MISUSE_FORGED;
	switch (choose(&m->choose, 5)) {
	case 0:
		if (m->nr_graves == 0)
			return 1;
		*reason = ZS_MISUSE_STALE;
		return m->graves[choose(&m->choose, m->nr_graves) % MODEL_GRAVES];
	case 1:
		*reason = ZS_MISUSE_FOREIGN;
		return m->other_handle;
	case 2:
		return choose(&m->choose, 3) == 0 ? ~(zs_handle)0 : choose_range(&m->choose, 1, 300);
	case 3: /* one bit of a good handle is wrong: what that makes of it depends on the bit */
		*reason = ZS_MISUSE_NOT_MAPPED;
		return o == NULL ? 2 : o->handle ^ (zs_handle)1 << choose(&m->choose, 64);
	default:
		*reason = ZS_MISUSE_NOT_MAPPED;
		return choose(&m->choose, 1ull << 32) << 32 | choose(&m->choose, 1ull << 32);
	}
}

static bool reason_fits(enum zs_misuse_reason expected, enum zs_misuse_reason got, bool freeing)
{
	switch (expected) {
	case ZS_MISUSE_STALE:
		return got == ZS_MISUSE_STALE || (freeing && got == ZS_MISUSE_DOUBLE_FREE);
	case ZS_MISUSE_NOT_MAPPED:
		return got == ZS_MISUSE_STALE || got == ZS_MISUSE_FORGED || got == ZS_MISUSE_FOREIGN ||
		       (freeing && got == ZS_MISUSE_DOUBLE_FREE);
	default:
		return got == expected;
	}
}

/* In a section, and as the last of a batch. Whether the handler was called. */
static bool wrong_in_section(struct model *m, zs_handle h)
{
	const struct model_object *o = model_pick(m);
	const void *mem[2] = { m, m };
	unsigned kind = (unsigned)choose(&m->choose, 4);

	zs_prefetch(m->pool, h);
	switch (kind) {
	case 0:
		zs_read_begin(m->pool);
		CHECK(zs_obj_address(m->pool, h) == NULL && errno == EINVAL);
		zs_read_end(m->pool);
		break;
	case 1:
		zs_read_begin(m->pool);
		CHECK(zs_obj_try_address(m->pool, h) == NULL && errno == ESTALE);
		zs_read_end(m->pool);
		break;
	case 2:
		CHECK(zs_obj_read(m->pool, h, 0, m->scratch, 1) == -1 && errno == EINVAL);
		break;
	default:
		if (o == NULL || m->source != NULL)
			o = NULL;
		CHECK(zs_obj_read_begin_batch(m->pool, (zs_handle[]){ o != NULL ? o->handle : h, h }, 2, mem, NULL) ==
			      -1 &&
		      errno == EINVAL);
		CHECK(mem[0] == NULL && mem[1] == NULL);
		break;
	}
	return kind != 1;
}

void model_wrong_handle(struct model *m)
{
	enum zs_misuse_reason expected;
	zs_handle h = wrong_handle(m, &expected);
	struct iovec iov[2];
	size_t misuses = m->misuses;
	bool freeing = false;

	if (is_live(m, h))
		return;
	errno = 0;
	switch (choose(&m->choose, 9)) {
	case 0:
		zs_free(m->pool, h);
		freeing = true;
		break;
	case 1:
		zs_free_batch(m->pool, (zs_handle[]){ 0, h }, 2);
		freeing = true;
		break;
	case 2:
		CHECK(zs_obj_read_begin(m->pool, h, m->scratch) == NULL && errno == EINVAL);
		break;
	case 3:
		CHECK(zs_obj_read_iov_begin(m->pool, h, 1, iov) == -1 && errno == EINVAL);
		break;
	case 4:
		CHECK(zs_obj_write(m->pool, h, m->scratch, 1) == -1 && errno == EINVAL);
		break;
	case 5:
	case 6:
		if (!wrong_in_section(m, h)) {
			CHECK(m->misuses == misuses);
			return;
		}
		break;
	case 7:
		CHECK(zs_usable_size(m->pool, h) == 0 && errno == EINVAL);
		break;
	default:
		CHECK(zs_map_object(m->pool, h, (enum zs_mapmode)choose(&m->choose, 3)) == NULL && errno == EINVAL);
		break;
	}
	CHECK(m->misuses == misuses + 1);
	CHECK_MSG(reason_fits(expected, m->last_misuse, freeing), "handle %#llx: reason %d, not %d",
		  (unsigned long long)h, (int)m->last_misuse, (int)expected);
}

void model_wrong_mapping(struct model *m)
{
	struct model_object *o = model_pick_free(m);
	size_t misuses = m->misuses;

	if (o == NULL || m->nr_holds == MODEL_HOLDS)
		return;
	zs_unmap_object(m->pool, o->handle);
	CHECK(m->misuses == misuses + 1 && m->last_misuse == ZS_MISUSE_NOT_MAPPED);

	enum model_hold_kind kind = (enum model_hold_kind)choose_range(&m->choose, HOLD_MAP_RO, HOLD_MAP_WO);

	model_hold(m, o, kind);
	zs_free(m->pool, o->handle);
	CHECK(m->misuses == misuses + 2 && m->last_misuse == ZS_MISUSE_MAPPED);
	CHECK(zs_map_object(m->pool, o->handle, ZS_MM_RW) == NULL && errno == EDEADLK);
	CHECK(zs_map_object(m->pool, o->handle, ZS_MM_WO) == NULL && errno == EDEADLK);
	CHECK(m->misuses == misuses + 2);
	/* Writing what is mapped for reading is as good as writing what is read. */
	if (kind != HOLD_MAP_RO) {
		CHECK(zs_map_object(m->pool, o->handle, ZS_MM_RO) == NULL && errno == EDEADLK);
		CHECK(zs_obj_write(m->pool, o->handle, m->scratch, 1) == -1 && errno == EINVAL);
		CHECK(m->misuses == misuses + 3 && m->last_misuse == ZS_MISUSE_MAPPED);
	}
	model_release(m, m->nr_holds - 1);
	model_compare_stored(m, o);
}
