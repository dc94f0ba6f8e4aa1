/* SPDX-License-Identifier: BSD-3-Clause */
/* oldest.c - a bounded heap is filled during a walk over the table, then sorted where it lies. */
#include "zram/oldest.h"

#include <stddef.h>

#include "device/device.h"
#include "device/entry.h"
#include "device/layout.h"
#include "zram/walk.h"

/* Blocks looked at with one stream in hand: less than a millisecond. */
#define LOOKED_AT 65536u

/* Signed: times are of one moment or another, half the range apart at most. */
static bool is_younger(const struct zsi_old *a, const struct zsi_old *b)
{
	if (a->time != b->time)
		return (int32_t)(a->time - b->time) > 0;
	return a->index > b->index;
}

/* Let the one at i sink until none below it is younger. */
static void sink(struct zsi_old *at, unsigned n, unsigned i)
{
	struct zsi_old moving = at[i];

	for (unsigned child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && is_younger(&at[child + 1], &at[child]))
			child++;
		if (!is_younger(&at[child], &moving))
			break;
		at[i] = at[child];
	}
	at[i] = moving;
}

static void rise(struct zsi_old *at, unsigned i)
{
	struct zsi_old moving = at[i];

	for (; i > 0 && is_younger(&moving, &at[(i - 1) / 2]); i = (i - 1) / 2)
		at[i] = at[(i - 1) / 2];
	at[i] = moving;
}

static void sort(struct zsi_old *at, unsigned n)
{
	while (n > 1) {
		struct zsi_old youngest = at[0];

		at[0] = at[--n];
		sink(at, n, 0);
		at[n] = youngest;
	}
}

static int look(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	struct zsi_oldest *o = arg;
	uint64_t meta = atomic_load_explicit(&zsi_block_at(z, index)->meta, memory_order_relaxed);
	struct zsi_old this = { .index = index, .time = zsi_meta_time(meta) };

	(void)s;
	if (!zsi_oldest_counts(meta))
		return 0;
	if (o->n < o->room) {
		o->at[o->n] = this;
		rise(o->at, o->n++);
	} else if (is_younger(&o->at[0], &this)) {
		o->at[0] = this;
		sink(o->at, o->n, 0);
	}
	return 0;
}

void zsi_oldest_begin(struct zsi_oldest *o)
{
	o->n = o->next = 0;
	o->scanned = 0;
}

bool zsi_oldest_scan(struct zram *z, struct zsi_stream *s, struct zsi_oldest *o)
{
	if (o->scanned == UINT64_MAX)
		return true;
	(void)zsi_walk_some(z, s, &o->scanned, UINT64_MAX, LOOKED_AT, look, o);
	if (o->scanned != UINT64_MAX)
		return false;
	sort(o->at, o->n);
	return true;
}

const struct zsi_old *zsi_oldest_take(struct zsi_oldest *o)
{
	return o->next < o->n ? &o->at[o->next++] : NULL;
}

bool zsi_oldest_counts(uint64_t meta)
{
	return (meta & (ZSI_USED | ZSI_SAME | ZSI_WB)) == ZSI_USED;
}
