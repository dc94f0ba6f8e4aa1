/* SPDX-License-Identifier: BSD-3-Clause */
/* model_object.c - the map of live objects and what they hold. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model.h"
#include "pattern.h"

struct model_object *model_pick(struct model *m)
{
	return m->count == 0 ? NULL : m->objects[choose(&m->choose, m->count)];
}

struct model_object *model_pick_free(struct model *m)
{
	for (int tries = 0; tries < 4; tries++) {
		struct model_object *o = model_pick(m);

		if (o != NULL && o->holds == 0)
			return o;
	}
	return NULL;
}

void model_adopt(struct model *m, zs_handle handle, size_t size)
{
	struct model_object *o = calloc(1, sizeof(*o));

	CHECK(o != NULL && handle != 0 && m->count < m->config.max_objects);
	o->handle = handle;
	o->size = size;
	o->usable = zs_usable_size(m->pool, handle);
	CHECK_MSG(o->usable >= size && o->usable <= m->config.page_size, "usable %zu of %zu", o->usable, size);
	o->shadow = malloc(o->usable);
	CHECK(o->shadow != NULL);
	o->position = m->count;
	m->objects[m->count++] = o;
	m->bytes_requested += size;
	if (choose(&m->choose, 16) != 0)
		model_write(m, o, size);
}

zs_handle model_forget(struct model *m, struct model_object *o)
{
	zs_handle handle = o->handle;

	CHECK(o->holds == 0);
	m->objects[o->position] = m->objects[--m->count];
	m->objects[o->position]->position = o->position;
	m->bytes_requested -= o->size;
	m->graves[m->nr_graves++ % MODEL_GRAVES] = handle;
	free(o->shadow);
	free(o);
	return handle;
}

void model_write(struct model *m, struct model_object *o, size_t len)
{
	pattern_fill(m->scratch, len, o->handle, m->version++, 0);
	CHECK(zs_obj_write(m->pool, o->handle, m->scratch, len) == 0);
	memcpy(o->shadow, m->scratch, len);
	if (len > o->known)
		o->known = len;
}

void model_compare(struct model *m, const struct model_object *o, const uint8_t *bytes, size_t len, size_t offset)
{
	size_t end = offset + len < o->known ? offset + len : o->known;

	for (size_t i = offset; i < end; i++)
		CHECK_MSG(bytes[i - offset] == o->shadow[i], "handle %#llx, size %zu: byte %zu is %#x, should be %#x",
			  (unsigned long long)o->handle, o->size, i, bytes[i - offset], o->shadow[i]);
	(void)m;
}

void model_compare_stored(struct model *m, const struct model_object *o)
{
	const uint8_t *mem = zs_obj_read_begin(m->pool, o->handle, m->scratch);

	CHECK(mem != NULL && (uintptr_t)mem % 8 == 0);
	CHECK(m->source != NULL || mem != m->scratch);
	if (memcmp(mem, o->shadow, o->known) != 0)
		model_compare(m, o, mem, o->known, 0);
	zs_obj_read_end(m->pool, o->handle, mem);
	if (o->known > 0) {
		size_t start = choose(&m->choose, o->known);
		size_t len = choose(&m->choose, o->known - start + 1);

		m->scratch[len] = 0x5a;
		CHECK(zs_obj_read(m->pool, o->handle, start, m->scratch, len) == 0);
		CHECK_MSG(memcmp(m->scratch, o->shadow + start, len) == 0, "handle %#llx: %zu bytes from %zu",
			  (unsigned long long)o->handle, len, start);
		CHECK(m->scratch[len] == 0x5a);
	}
	/* Compaction may move it to a larger slot, never to a smaller one. */
	CHECK(zs_usable_size(m->pool, o->handle) >= o->usable);
}
