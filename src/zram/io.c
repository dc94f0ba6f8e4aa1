/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io.c - ranges of bytes, cut into blocks.
 *
 * A whole block is compressed from the caller's memory and decompressed into it. A part of a block goes through the
 * stream's buffer; one that is written is read, changed and made again with the block locked from the first to the
 * last.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "device/backing.h"
#include "device/block.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/streams.h"
#include "device/table.h"
#include "device/yield.h"
#include "zram/evict.h"
#include "zram/train.h"
#include "zram/trim.h"

/* Blocks for which a stream is held at most, so that a closing gate needn't wait for a whole request. */
#define BATCH 16u

/* Discarding an unused block is a matter of nanoseconds. */
#define DISCARD_BATCH 4096u

/* Whether [offset, offset + len) is on the device; EINVAL. */
static int check_range(struct zram *z, uint64_t offset, uint64_t len)
{
	uint64_t size = atomic_load_explicit(&z->disksize, memory_order_relaxed);

	if (zsi_unlikely(size == 0))
		return zsi_fail(EINVAL, "%s: the device is not initialised: set disksize first", z->name);
	if (zsi_unlikely(len > size || offset > size - len))
		return zsi_fail(EINVAL, "%s: %" PRIu64 " bytes at %" PRIu64 " end behind the device's %" PRIu64,
				z->name, len, offset, size);
	return 0;
}

/* A stream, and the range still on the device: another thread may have reset it and made it smaller. */
static struct zsi_stream *enter_for(struct zram *z, uint64_t offset, uint64_t len)
{
	struct zsi_stream *s = zsi_gate_enter(z);

	if (s != NULL && zsi_unlikely(check_range(z, offset, len) != 0)) {
		zsi_stream_leave(s);
		return NULL;
	}
	return s;
}

/* --- reading --- */

/* len bytes at `in` of a block. */
static int read_block(struct zram *z, struct zsi_stream *s, uint64_t index, size_t in, void *buf, size_t len)
{
	uint64_t meta;
	void *whole = len == z->block_size ? buf : s->block;
	int result;

	zsi_count(s, ZSI_N_READS_TOTAL, 1);
	if (!zsi_table_has(&z->table, index)) {
		memset(buf, 0, len);
		return 0;
	}
	meta = zsi_block_lock(z, index);
	result = zsi_block_load(z, s, index, meta, whole);
	zsi_block_unlock(z, index, (meta & ZSI_USED) != 0 ? zsi_meta_accessed(s, meta) : meta);
	if (result == 0 && whole != buf)
		memcpy(buf, s->block + in, len);
	return result;
}

/* --- writing --- */

/* Whether the block holds something; others may change that at any time. */
static bool is_there(struct zram *z, uint64_t index)
{
	return zsi_table_has(&z->table, index) &&
	       (atomic_load_explicit(&zsi_block_at(z, index)->meta, memory_order_relaxed) & ZSI_USED) != 0;
}

/* For a block that holds nothing yet no part of the table is made where there is no memory for its object. */
static int make_entry(struct zram *z, uint64_t index, bool object)
{
	if (zsi_likely(zsi_table_has(&z->table, index)))
		return 0;
	for (unsigned step = 0; object && !zsi_memory_leaves(z, zsi_memory_reserve(z));)
		if (!zsi_yield_memory(z, &step, false))
			return zsi_fail(ENOMEM, "%s: no memory for a new block: mem_limit is reached", z->name);
	return zsi_yield_make_chunk(z, index);
}

static int write_whole(struct zram *z, struct zsi_stream *s, uint64_t index, const void *data)
{
	struct zsi_stored stored;
	uint64_t meta;
	bool there;
	int result;

	/* Compressing hides that its entry has to come from far. */
	if (zsi_likely(zsi_table_has(&z->table, index)))
		__builtin_prefetch(zsi_block_at(z, index), 1);
	zsi_block_shape(z, s, data, &stored);
	if (zsi_unlikely(make_entry(z, index, stored.data != NULL) != 0))
		return -1;
	there = is_there(z, index);
	result = zsi_block_make(z, &stored, there);
	meta = zsi_block_lock(z, index);
	if (zsi_unlikely(result != 0) && (meta & ZSI_USED) != 0)
		result = zsi_block_fit(z, index, meta, &stored);
	else if (zsi_unlikely(result != 0) && there)
		result = zsi_block_make(z, &stored, false);
	if (zsi_likely(result == 0))
		meta = zsi_block_install(z, s, index, meta, &stored);
	zsi_block_unlock(z, index, meta);
	if (zsi_unlikely(result != 0))
		zsi_table_check_empty(z, index);
	return result;
}

/* buf NULL: zeros. */
static int write_part(struct zram *z, struct zsi_stream *s, uint64_t index, size_t in, const void *buf, size_t len)
{
	struct zsi_stored stored;
	uint64_t meta;
	int result;

	if (zsi_unlikely(make_entry(z, index, true) != 0))
		return -1;
	meta = zsi_block_lock(z, index);
	result = zsi_block_load(z, s, index, meta, s->block);
	if (result == 0) {
		if (buf != NULL)
			memcpy(s->block + in, buf, len);
		else
			memset(s->block + in, 0, len);
		zsi_block_shape(z, s, s->block, &stored);
		result = zsi_block_make(z, &stored, (meta & ZSI_USED) != 0);
		if (zsi_unlikely(result != 0) && (meta & ZSI_USED) != 0)
			result = zsi_block_fit(z, index, meta, &stored);
	}
	if (result == 0)
		meta = zsi_block_install(z, s, index, meta, &stored);
	zsi_block_unlock(z, index, meta);
	if (result != 0)
		zsi_table_check_empty(z, index);
	return result;
}

static int write_block(struct zram *z, struct zsi_stream *s, uint64_t index, size_t in, const void *buf, size_t len)
{
	int result = len == z->block_size ? write_whole(z, s, index, buf) : write_part(z, s, index, in, buf, len);

	zsi_count(s, ZSI_N_WRITES_TOTAL, 1);
	if (zsi_unlikely((z->flags & ZRAM_TRAIN_DICT) != 0))
		zsi_train_look(z, s);
	return result;
}

/* --- requests --- */

struct transfer {
	uint8_t *to; /* exactly one of these two is not NULL */
	const uint8_t *from;
	size_t len;
	uint64_t offset;
};

/* Some blocks with one stream; after an error the rest begins with the block that had it. */
static int transfer_some(struct zram *z, struct zsi_stream *s, struct transfer *t)
{
	int result = 0;

	for (unsigned n = 0; n < BATCH && t->len > 0; n++) {
		size_t in = (size_t)(t->offset & (z->block_size - 1));
		size_t part = (size_t)zsi_min(t->len, z->block_size - in);
		uint64_t index = t->offset >> z->block_shift;

		if (t->to != NULL) {
			if (t->len > part)
				zsi_block_prefetch(z, index + 1);
			result = read_block(z, s, index, in, t->to, part);
			t->to += part;
		} else {
			/*
			 * What the next one held is not read, only freed: bringing that near costs more than it
			 * spares.
			 */
			zsi_block_prefetch_entry(z, index);
			result = write_block(z, s, index, in, t->from, part);
			t->from += part;
		}
		if (zsi_unlikely(result != 0))
			break;
		t->offset += part;
		t->len -= part;
	}
	return result;
}

/* Whether empty parts of the table may be all that a refused write needs. They can't go while a stream is held. */
static bool table_has_room(struct zram *z)
{
	return errno == ENOMEM && atomic_load_explicit(&z->table.nr_pending, memory_order_relaxed) > 0;
}

/* Of a request that is over; errno and the message stay. */
static void count_failure(struct zram *z, enum zsi_counter which)
{
	int error = errno;
	struct zsi_stream *s = zsi_gate_enter(z);

	if (s != NULL) {
		zsi_count(s, which, 1);
		zsi_stream_leave(s);
	}
	errno = error;
}

/* What a write that was refused memory can do: empty parts of the table go, once; blocks go to a file, while any do. */
static bool make_room(struct zram *z, bool *trimmed, bool trim, uint32_t rounds)
{
	if (trim && !*trimmed) {
		zsi_trim_table(z, true);
		*trimmed = true;
		return true;
	}
	return zsi_evict(z, rounds);
}

static int transfer(struct zram *z, struct transfer t)
{
	int result = check_range(z, t.offset, t.len);
	bool trimmed = false;

	while (result == 0 && t.len > 0) {
		const uint8_t *from = t.from;
		uint32_t rounds = zsi_evict_rounds(z);
		struct zsi_stream *s = enter_for(z, t.offset, t.len);
		uint64_t offset = t.offset;

		if (zsi_unlikely(s == NULL))
			return -1;
		result = transfer_some(z, s, &t);
		bool refused = result != 0 && from != NULL && errno == ENOMEM, trim = refused && table_has_room(z);

		zsi_stream_leave(s);
		if (zsi_likely(result == 0))
			continue;
		if (refused && make_room(z, &trimmed, trim, rounds)) {
			t.from = from + (t.offset - offset);
			result = 0;
			continue;
		}
		count_failure(z, from == NULL ? ZSI_N_FAILED_READS_TOTAL : ZSI_N_FAILED_WRITES_TOTAL);
	}
	return result;
}

int zram_pread(struct zram *z, void *buf, size_t len, uint64_t offset)
{
	return transfer(z, (struct transfer){ .to = buf, .len = len, .offset = offset });
}

int zram_pwrite(struct zram *z, const void *buf, size_t len, uint64_t offset)
{
	return transfer(z, (struct transfer){ .from = buf, .len = len, .offset = offset });
}

/* --- discarding --- */

static void discard_block(struct zram *z, struct zsi_stream *s, uint64_t index)
{
	uint64_t meta = zsi_block_lock(z, index);

	zsi_block_unlock(z, index, zsi_block_free(z, s, index, meta));
}

/* Whole blocks [index, end). */
static int discard_blocks(struct zram *z, uint64_t index, uint64_t end)
{
	const uint64_t blocks = end - index;
	bool chunks = false;

	while (index < end) {
		struct zsi_stream *s = enter_for(z, index << z->block_shift, (end - index) << z->block_shift);

		if (s == NULL)
			return -1;
		chunks = blocks >= 1ull << z->table.chunk_shift;
		for (unsigned n = 0; n < DISCARD_BATCH && index < end; n++) {
			uint64_t next = index + 1;

			if (zsi_table_has(&z->table, index))
				discard_block(z, s, index);
			else
				next = zsi_min(zsi_table_hole_end(&z->table, index), end);
			zsi_count(s, ZSI_N_NOTIFY_FREE_TOTAL, (int64_t)(next - index));
			index = next;
		}
		zsi_stream_leave(s);
		zsi_trim_table(z, false);
	}
	if (chunks)
		zsi_trim_table(z, true);
	return 0;
}

int zram_discard(struct zram *z, uint64_t offset, uint64_t len)
{
	if (check_range(z, offset, len) != 0)
		return -1;
	uint64_t first = zsi_div_up(offset, z->block_size);
	uint64_t end = (offset + len) >> z->block_shift;

	return first < end ? discard_blocks(z, first, end) : 0;
}

/* A part of one block, once. */
static int try_zero_part(struct zram *z, uint64_t offset, size_t len)
{
	struct zsi_stream *s = enter_for(z, offset, len);
	uint64_t index = offset >> z->block_shift;
	int result = 0;

	if (s == NULL)
		return -1;
	/* What reads as zeros anyway stays a hole. */
	if (zsi_table_has(&z->table, index) &&
	    (atomic_load_explicit(&zsi_block_at(z, index)->meta, memory_order_relaxed) & (ZSI_USED | ZSI_LOCK)) != 0)
		result = write_part(z, s, index, (size_t)(offset & (z->block_size - 1)), NULL, len);
	zsi_stream_leave(s);
	return result;
}

static int zero_part(struct zram *z, uint64_t offset, size_t len)
{
	uint32_t rounds;

	do {
		rounds = zsi_evict_rounds(z);
		if (try_zero_part(z, offset, len) == 0)
			return 0;
	} while (errno == ENOMEM && zsi_evict(z, rounds));
	/* A range that is not on the device was no request. */
	if (errno != EINVAL)
		count_failure(z, ZSI_N_FAILED_WRITES_TOTAL);
	return -1;
}

int zram_zero(struct zram *z, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;
	uint64_t first_whole, end_whole;

	if (check_range(z, offset, len) != 0)
		return -1;
	if (len == 0)
		return 0;
	first_whole = zsi_round_up(offset, z->block_size);
	end_whole = end & ~(uint64_t)(z->block_size - 1);
	/* Inside one block. */
	if (first_whole > end_whole)
		return zero_part(z, offset, (size_t)len);
	if (offset < first_whole && zero_part(z, offset, (size_t)(first_whole - offset)) != 0)
		return -1;
	if (first_whole < end_whole &&
	    discard_blocks(z, first_whole >> z->block_shift, end_whole >> z->block_shift) != 0)
		return -1;
	return end > end_whole ? zero_part(z, end_whole, (size_t)(end - end_whole)) : 0;
}

int zram_flush(struct zram *z)
{
	struct zsi_stream *s = zsi_gate_enter(z);
	int result = 0;

	if (s == NULL)
		return -1;
	if (z->backing.fd >= 0 && zsi_backing_io.sync(z->backing.fd) != 0)
		result = zsi_fail(errno, "%s: the backing file can't be made durable: %s", z->name, strerror(errno));
	zsi_stream_leave(s);
	return result;
}
