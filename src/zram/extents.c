/* SPDX-License-Identifier: BSD-3-Clause */
/* extents.c - which parts of a range have data. */
#include <errno.h>
#include <inttypes.h>

#include "base/bits.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/table.h"

/* Blocks looked at with a stream in hand; between two batches the callback runs, with none. */
#define BATCH 4096u

/* What there is of a block. A word that is just being written counts as it was. */
static unsigned kind_of(struct zram *z, uint64_t index)
{
	uint64_t meta = atomic_load_explicit(&zsi_block_at(z, index)->meta, memory_order_relaxed);

	if ((meta & ZSI_USED) == 0)
		return ZRAM_EXTENT_HOLE | ZRAM_EXTENT_ZERO;
	return (meta & ZSI_ZERO) != 0 ? ZRAM_EXTENT_ZERO : 0;
}

/* From block index on: how far blocks are alike, at most to end, and of what kind. False: the device is gone. */
static bool run_of(struct zram *z, uint64_t *index, uint64_t end, unsigned *kind, bool *more)
{
	struct zsi_stream *s = zsi_gate_enter(z);
	const struct zsi_table *t = &z->table;
	uint64_t at = *index;
	bool first = !*more;

	if (s == NULL)
		return false;
	*more = false;
	if (end > t->nr_blocks) {
		zsi_stream_leave(s);
		(void)zsi_fail(EINVAL, "%s: the device was reset and is smaller now", z->name);
		return false;
	}
	for (unsigned n = 0; at < end; n++) {
		bool present = zsi_table_has(t, at);
		unsigned k = present ? kind_of(z, at) : ZRAM_EXTENT_HOLE | ZRAM_EXTENT_ZERO;

		if (n == BATCH) {
			*more = true;
			break;
		}
		if (first)
			*kind = k;
		else if (k != *kind)
			break;
		first = false;
		at = present ? at + 1 : zsi_min(zsi_table_hole_end(t, at), end);
	}
	*index = at;
	zsi_stream_leave(s);
	return true;
}

int zram_extents(struct zram *z, uint64_t offset, uint64_t len, zram_extent_fn fn, void *arg)
{
	uint64_t size = atomic_load_explicit(&z->disksize, memory_order_relaxed);
	uint64_t end = offset + len;

	if (size == 0 || len > size || offset > size - len)
		return zsi_fail(EINVAL, "%s: %" PRIu64 " bytes at %" PRIu64 " end behind the device's %" PRIu64,
				z->name, len, offset, size);
	while (offset < end) {
		uint64_t index = offset >> z->block_shift, next;
		unsigned kind = 0;
		bool more = false;
		int result;

		do {
			if (!run_of(z, &index, zsi_div_up(end, z->block_size), &kind, &more))
				return -1;
		} while (more);
		next = zsi_min(index << z->block_shift, end);
		result = fn(offset, next - offset, kind, arg);
		if (result != 0)
			return result;
		offset = next;
	}
	return 0;
}
