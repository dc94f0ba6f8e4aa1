/* SPDX-License-Identifier: BSD-3-Clause */
/* model_hold.c - objects that stay held, for reading or mapped, while other operations go on. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model.h"
#include "pattern.h"

static bool is_reading(enum model_hold_kind kind)
{
	return kind <= HOLD_MAP_RO;
}

static void begin_read(struct model *m, struct model_hold *h)
{
	struct model_object *o = h->object;

	h->local = malloc(m->config.page_size);
	CHECK(h->local != NULL);
	const void *mem = zs_obj_read_begin(m->pool, o->handle, m->source != NULL ? h->local : NULL);

	CHECK(mem != NULL);
	memcpy(&h->iov[0].iov_base, &mem, sizeof(mem));
	h->iov[0].iov_len = o->usable;
}

static void begin_iov(struct model *m, struct model_hold *h)
{
	struct model_object *o = h->object;
	size_t len = choose_range(&m->choose, 1, o->usable);

	h->pieces = zs_obj_read_iov_begin(m->pool, o->handle, len, h->iov);
	CHECK_MSG(h->pieces == 1 || h->pieces == 2, "%d pieces", h->pieces);
	CHECK(m->source != NULL || h->pieces == 1);
	if (h->pieces == 1)
		h->iov[1] = (struct iovec){ NULL, 0 };
	else
		CHECK(h->iov[0].iov_len > 0 && h->iov[1].iov_len > 0);
	CHECK(h->iov[0].iov_len + h->iov[1].iov_len == len);
}

/* A section of its own. Where the object lies in two pieces it has no address, and is copied out instead. */
static void begin_section(struct model *m, struct model_hold *h)
{
	struct model_object *o = h->object;
	const void *mem;

	zs_prefetch(m->pool, o->handle);
	zs_read_begin(m->pool);
	errno = 0;
	struct zs_view view;
	unsigned way = (unsigned)choose(&m->choose, 3);

	zs_get_view(m->pool, ZS_VIEW_VERSION, &view);
	if (way == 0)
		mem = zs_obj_address(m->pool, o->handle);
	else if (way == 1)
		mem = zs_view_address(&view, o->handle);
	else
		mem = zs_obj_try_address(m->pool, o->handle);
	if (mem == NULL) {
		CHECK(m->source != NULL && errno == EINVAL);
		h->local = malloc(m->config.page_size);
		CHECK(h->local != NULL);
		CHECK(zs_obj_read(m->pool, o->handle, 0, h->local, o->usable) == 0);
		mem = h->local;
	}
	memcpy(&h->iov[0].iov_base, &mem, sizeof(mem));
	h->iov[0].iov_len = o->usable;
}

/* Of a few objects at once; what stays held is the first, the others are compared. */
static void begin_batch(struct model *m, struct model_hold *h)
{
	struct model_object *o[MODEL_BATCH] = { h->object };
	zs_handle handles[MODEL_BATCH] = { h->object->handle };
	const void *mem[MODEL_BATCH];
	size_t n = choose_range(&m->choose, 1, MODEL_BATCH);

	for (size_t i = 1; i < n; i++) {
		o[i] = model_pick(m);
		handles[i] = o[i]->handle;
	}
	h->local = malloc(n * m->config.page_size);
	CHECK(h->local != NULL);
	CHECK(zs_obj_read_begin_batch(m->pool, handles, n, mem, m->source != NULL ? h->local : NULL) == 0);
	for (size_t i = 0; i < n; i++) {
		CHECK(m->source != NULL || (uintptr_t)mem[i] % 8 == 0);
		/* What this thread maps for writing may differ until it is unmapped, where that is a copy. */
		if (o[i]->holds == 0 || o[i] == h->object)
			model_compare(m, o[i], mem[i], o[i]->known, 0);
	}
	memcpy(&h->iov[0].iov_base, &mem[0], sizeof(mem[0]));
	h->iov[0].iov_len = h->object->usable;
}

static void begin_map(struct model *m, struct model_hold *h, enum zs_mapmode mode)
{
	struct model_object *o = h->object;
	void *mem = zs_map_object(m->pool, o->handle, mode);

	CHECK(mem != NULL);
	h->iov[0] = (struct iovec){ mem, o->usable };
	if (mode == ZS_MM_WO) {
		/* Undefined from here until all of it is written. */
		pattern_fill(mem, o->usable, o->handle, m->version, 0);
		pattern_fill(o->shadow, o->usable, o->handle, m->version++, 0);
		o->known = o->usable;
	} else if (mode == ZS_MM_RW) {
		size_t start = choose(&m->choose, o->known + 1);
		size_t len = choose(&m->choose, o->usable - start + 1);

		model_compare(m, o, mem, o->known, 0);
		pattern_fill((uint8_t *)mem + start, len, o->handle, m->version, start);
		pattern_fill(o->shadow + start, len, o->handle, m->version++, start);
		if (start + len > o->known)
			o->known = start + len;
	}
}

void model_hold(struct model *m, struct model_object *o, enum model_hold_kind kind)
{
	struct model_hold *h = &m->holds[m->nr_holds];

	CHECK(m->nr_holds < MODEL_HOLDS);
	*h = (struct model_hold){ .object = o, .kind = kind, .pieces = 1 };
	switch (kind) {
	case HOLD_READ:
		begin_read(m, h);
		break;
	case HOLD_IOV:
		begin_iov(m, h);
		break;
	case HOLD_SECTION:
		begin_section(m, h);
		break;
	case HOLD_BATCH:
		begin_batch(m, h);
		break;
	case HOLD_MAP_RO:
		begin_map(m, h, ZS_MM_RO);
		break;
	case HOLD_MAP_RW:
		begin_map(m, h, ZS_MM_RW);
		break;
	case HOLD_MAP_WO:
		begin_map(m, h, ZS_MM_WO);
		break;
	}
	o->holds++;
	m->nr_holds++;
	m->reading_holds += is_reading(kind);
}

static void check_hold(struct model *m, const struct model_hold *h)
{
	model_compare(m, h->object, h->iov[0].iov_base, h->iov[0].iov_len, 0);
	if (h->pieces == 2)
		model_compare(m, h->object, h->iov[1].iov_base, h->iov[1].iov_len, h->iov[0].iov_len);
}

void model_check_holds(struct model *m)
{
	for (unsigned i = 0; i < m->nr_holds; i++)
		check_hold(m, &m->holds[i]);
}

void model_release(struct model *m, unsigned hold)
{
	struct model_hold h = m->holds[hold];

	check_hold(m, &h);
	m->holds[hold] = m->holds[--m->nr_holds];
	m->reading_holds -= is_reading(h.kind);
	h.object->holds--;
	switch (h.kind) {
	case HOLD_READ:
		zs_obj_read_end(m->pool, h.object->handle, h.iov[0].iov_base);
		break;
	case HOLD_IOV:
		zs_obj_read_iov_end(m->pool, h.object->handle);
		break;
	case HOLD_SECTION:
		zs_read_end(m->pool);
		break;
	case HOLD_BATCH:
		zs_obj_read_end_batch(m->pool);
		break;
	default:
		zs_unmap_object(m->pool, h.object->handle);
		break;
	}
	free(h.local);
}
