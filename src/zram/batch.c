/* SPDX-License-Identifier: BSD-3-Clause */
/* batch.c - blocks are copied one behind the other, get places in the file, are written, and leave memory. */
#include "zram/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "device/backing.h"
#include "device/block.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/streams.h"
#include "device/sum.h"

/* --- its memory --- */

static bool make_room(struct zram *z, struct zsi_batch *b, unsigned room)
{
	size_t data = room * z->block_size, each = sizeof(*b->blocks) + sizeof(*b->pieces) + sizeof(*b->runs);
	uint64_t bytes = data + room * each;

	if (!zsi_memory_try_charge(z, bytes))
		return false;
	b->memory = malloc(bytes);
	if (b->memory == NULL) {
		zsi_memory_uncharge(z, bytes);
		return false;
	}
	b->bytes = bytes;
	b->room = room;
	b->data = b->memory;
	b->blocks = (void *)(b->data + data);
	b->pieces = (void *)(b->blocks + room);
	b->runs = (void *)(b->pieces + room);
	return true;
}

void zsi_batch_open(struct zram *z, struct zsi_batch *b, uint64_t most)
{
	uint64_t wanted = atomic_load_explicit(&z->backing.batch_size, memory_order_relaxed);

	*b = (struct zsi_batch){ .room = 1 };
	b->blocks = &b->one_block;
	b->pieces = &b->one_piece;
	b->runs = &b->one_run;
	for (wanted = zsi_min(wanted, most / z->block_size); wanted > 1; wanted /= 2)
		if (make_room(z, b, (unsigned)wanted))
			return;
}

void zsi_batch_close(struct zram *z, struct zsi_batch *b)
{
	zsi_ring_close(b->ring);
	free(b->memory);
	zsi_memory_uncharge(z, b->bytes);
}

/* --- taking --- */

/* A locked block as it will be in the file, to `to`. */
static int copy(struct zram *z, struct zsi_stream *s, struct zsi_batched *c, uint8_t *to)
{
	if (z->backing.raw) {
		c->to_meta = ZSI_USED | ZSI_WB | z->block_size;
		if (zsi_block_load(z, s, c->index, c->meta, to) != 0)
			return -1;
		c->sum = z->table.sums != NULL ? zsi_sum(to, z->block_size) : 0;
		return 0;
	}
	const void *data = zs_obj_read_begin(z->pool, c->handle, s->copy);

	if (data == NULL)
		return zsi_fail(EIO, "%s: block %" PRIu64 " is damaged: its object is gone", z->name, c->index);
	memcpy(to, data, zsi_meta_size(c->meta));
	zs_obj_read_end(z->pool, c->handle, data);
	c->to_meta = (c->meta & (ZSI_USED | ZSI_HUGE | ZSI_INCOMPRESSIBLE | ZSI_PRIORITY_MASK | ZSI_DICT_MASK |
				 ZSI_SIZE_MASK)) |
		     ZSI_WB;
	c->sum = z->table.sums != NULL ? z->table.sums[c->index] : 0;
	return 0;
}

uint64_t zsi_batch_take(struct zram *z, struct zsi_stream *s, struct zsi_batch *b, uint64_t index, uint64_t meta)
{
	struct zsi_batched *c = &b->blocks[b->n];
	uint8_t *to = b->data != NULL ? b->data + b->used : s->out;

	*c = (struct zsi_batched){ .index = index, .handle = zsi_block_at(z, index)->handle, .meta = meta };
	if (copy(z, s, c, to) != 0) {
		b->error = errno;
		return meta;
	}
	b->pieces[b->n++] = (struct zsi_piece){ .data = to, .bytes = zsi_meta_size(c->to_meta) };
	b->used += zsi_backing_units(zsi_meta_size(c->to_meta)) << ZSI_BACKING_UNIT_SHIFT;
	return meta | ZSI_CHOSEN;
}

/* --- writing --- */

/* Places for the blocks: for how many there were any. errno is zsi_backing_alloc()'s where not for all. */
static unsigned place(struct zram *z, struct zsi_batch *b)
{
	for (unsigned i = 0; i < b->n; i++) {
		b->pieces[i].unit = zsi_backing_alloc(z, b->pieces[i].bytes);
		if (b->pieces[i].unit == UINT64_MAX)
			return i;
	}
	return b->n;
}

/* No place for a block. */
static int fail_place(struct zram *z, int error)
{
	if (error == ENOSPC)
		return zsi_fail(ENOSPC, "%s: writeback: the backing file is full", z->name);
	/* The kernel's error for it. */
	if (error == EDQUOT)
		return zsi_fail(EIO, "%s: writeback: writeback_limit is used up", z->name);
	return zsi_fail(error, "%s: writeback: the device has no backing_dev any more", z->name);
}

static void drop(struct zram *z, const struct zsi_batched *c)
{
	uint64_t meta = zsi_block_lock(z, c->index);

	zsi_block_unlock(z, c->index, meta & ~ZSI_CHOSEN);
}

/* After the block was written: is it still the one? Then it goes from memory. */
static bool put(struct zram *z, struct zsi_stream *s, const struct zsi_batched *c, uint64_t unit)
{
	struct zsi_stored stored = { .handle = unit, .meta = c->to_meta, .sum = c->sum };
	uint64_t meta = zsi_block_lock(z, c->index);
	bool same = (meta & ZSI_CHOSEN) != 0 && zsi_block_at(z, c->index)->handle == c->handle &&
		    zsi_meta_size(meta) == zsi_meta_size(c->meta);

	if (same)
		meta = zsi_block_replace(z, s, c->index, meta, &stored);
	else
		meta &= ~ZSI_CHOSEN;
	zsi_block_unlock(z, c->index, meta);
	return same;
}

/* After writing was tried. False: all that follow would fail too, with no room where the file is. */
static bool settle(struct zram *z, struct zsi_stream *s, struct zsi_batch *b, unsigned i)
{
	const struct zsi_batched *c = &b->blocks[i];
	const struct zsi_piece *p = &b->pieces[i];

	if (p->error != 0) {
		zsi_backing_cancel(z, p->unit, p->bytes);
		drop(z, c);
		if (p->error == ECANCELED)
			return false;
		b->error = p->error;
		(void)zsi_fail(p->error, "%s: writeback: block %" PRIu64 " can't be written to the backing file: %s",
			       z->name, c->index, strerror(p->error));
		return p->error != ENOSPC && p->error != EDQUOT;
	}
	zsi_count(s, ZSI_N_BACKED_WRITES_TOTAL, (int64_t)zsi_backing_units(p->bytes));
	if (put(z, s, c, p->unit))
		b->gone += zsi_meta_size(c->meta);
	else
		zsi_backing_free(z, p->unit, p->bytes);
	return true;
}

int zsi_batch_write(struct zram *z, struct zsi_stream *s, struct zsi_batch *b)
{
	unsigned placed = place(z, b);
	int error = placed < b->n ? errno : 0;
	bool go_on = true;

	for (unsigned i = placed; i < b->n; i++)
		drop(z, &b->blocks[i]);
	zsi_pieces_write(z, &b->ring, b->pieces, b->runs, placed);
	for (unsigned i = 0; i < placed; i++)
		go_on = settle(z, s, b, i) && go_on;
	b->n = 0;
	b->used = 0;
	if (!go_on) {
		errno = b->error;
		return -1;
	}
	return error == 0 ? 0 : fail_place(z, error);
}
