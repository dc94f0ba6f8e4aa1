/* SPDX-License-Identifier: BSD-3-Clause */
/* limit_cache.c - the cache of limit.h. */
#include "limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

struct fifo *fifo_make(struct zs_pool *pool, uint32_t piece_bytes, unsigned flags, uint64_t most_values)
{
	struct fifo *f = pages(sizeof(*f));

	f->pool = pool;
	f->piece_bytes = piece_bytes;
	f->flags = flags;
	f->room = 1024;
	while (f->room < most_values)
		f->room *= 2;
	f->value = pages(f->room * sizeof(*f->value));
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

/* The oldest value, if there is one, and where `enough` says that memory is to be had, only while there is more. */
static bool evict(struct fifo *f, uint64_t enough)
{
	struct value oldest = { 0 };

	pthread_mutex_lock(&f->lock);
	bool any = f->tail != f->head && f->live > enough;

	if (any) {
		oldest = f->value[f->tail++ & (f->room - 1)];
		f->live -= oldest.size;
	}
	pthread_mutex_unlock(&f->lock);
	if (!any)
		return false;
	if (f->pool == NULL)
		free(oldest.pointer);
	for (uint32_t i = 0; f->pool != NULL && i * f->piece_bytes < oldest.size; i++)
		zs_free(f->pool, oldest.handle[i]);
	return true;
}

static void store_plain(struct fifo *f, struct value *v, const uint8_t *bytes)
{
	while (evict(f, f->bound > v->size ? f->bound - v->size : 0))
		;
	v->pointer = malloc(v->size);
	if (v->pointer == NULL)
		fail(errno, "malloc");
	memcpy(v->pointer, bytes, v->size);
	/* The compiler must not know that nobody reads it. */
	__asm__ volatile("" : : "r"(v->pointer) : "memory");
}

static void store_pieces(struct fifo *f, struct value *v, const uint8_t *bytes)
{
	uint64_t refusals = 0;

	for (uint32_t done = 0, i = 0; done < v->size; i++) {
		uint32_t left = v->size - done, size = left < f->piece_bytes ? left : f->piece_bytes;

		while ((v->handle[i] = zs_malloc(f->pool, size, f->flags)) == 0) {
			if (errno != ENOMEM)
				fail(errno, "zs_malloc of %" PRIu32 " bytes", size);
			refusals++;
			if (!evict(f, 0))
				fail(0, "nothing left to evict for %" PRIu32 " bytes", size);
		}
		if (zs_obj_write(f->pool, v->handle[i], bytes + done, size) != 0)
			fail(errno, "zs_obj_write");
		done += size;
	}
	if (refusals > 0) {
		pthread_mutex_lock(&f->lock);
		f->refusals += refusals;
		pthread_mutex_unlock(&f->lock);
	}
}

void fifo_set(struct fifo *f, const uint8_t *bytes, uint32_t size)
{
	struct value v = { .size = size };

	if (f->pool != NULL)
		store_pieces(f, &v, bytes);
	else
		store_plain(f, &v, bytes);
	pthread_mutex_lock(&f->lock);
	bool full = f->head - f->tail == f->room;

	if (!full)
		f->value[f->head++ & (f->room - 1)] = v;
	f->live += size;
	pthread_mutex_unlock(&f->lock);
	if (full)
		fail(0, "more than %" PRIu64 " values", f->room);
}

void fifo_empty(struct fifo *f)
{
	while (evict(f, 0))
		;
	release_pages(f->value, f->room * sizeof(*f->value));
	release_pages(f, sizeof(*f));
}
