/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * block.c - storing, loading and freeing one block.
 *
 * A block is made without its lock: compressed into the stream's buffer, put into the pool. Only then it is locked and
 * what it held is replaced. So the new object is there before the old one goes, as in the kernel, and a write that
 * fails has changed nothing.
 *
 * At the limit, where that fails, a block that holds something is changed all the same. With the block locked:
 *
 *   of the same size class   its object gets the new bytes
 *   else                     a new object, which may use the reserve, and for which room is made where that is used up;
 *                            or the old one gets the bytes, if they fit
 *
 * Bytes of a smaller size class rather move, since a disk whose contents shrink must not stay full.
 */
#include "device/block.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "codec/codec.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/keep.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/same.h"
#include "device/streams.h"
#include "device/sum.h"
#include "device/table.h"
#include "device/yield.h"

/* The largest number of pages so far; a line that is only written while the pool grows. */
static void note_pages(struct zram *z)
{
	uint64_t pages = zs_get_total_pages(z->pool);
	uint64_t max = atomic_load_explicit(&z->max_used_pages, memory_order_relaxed);

	while (pages > max && !atomic_compare_exchange_weak_explicit(&z->max_used_pages, &max, pages,
								     memory_order_relaxed, memory_order_relaxed))
		;
}

static int fail_memory(struct zram *z, size_t len)
{
	return zsi_fail(ENOMEM, "%s: no memory for an object of %zu bytes%s", z->name, len,
			zsi_memory_limited(z) ? ": mem_limit is reached" : "");
}

static bool allocate(struct zram *z, const void *data, size_t len, unsigned flags, uint64_t *handle)
{
	zs_handle h = zs_malloc(z->pool, len, flags);

	if (zsi_unlikely(h == 0))
		return false;
	note_pages(z);
	(void)zsi_memory_note_most(z);
	(void)zs_obj_write(z->pool, h, data, len);
	*handle = h;
	return true;
}

int zsi_block_store(struct zram *z, const void *data, size_t len, uint64_t *handle)
{
	return zsi_likely(allocate(z, data, len, ZS_HEADROOM, handle)) ? 0 : fail_memory(z, len);
}

void zsi_block_shape(struct zram *z, struct zsi_stream *s, const void *data, struct zsi_stored *stored)
{
	const unsigned version = z->train.current;
	uint64_t word;
	size_t len;

	*stored = (struct zsi_stored){ .meta = 0 };
	if (zsi_same_filled(data, z->block_size, &word)) {
		stored->handle = word;
		stored->meta = ZSI_USED | ZSI_SAME | (word == 0 ? ZSI_ZERO : 0);
		if (zsi_unlikely(z->table.sums != NULL))
			stored->sum = zsi_sum(&word, sizeof(word));
		return;
	}
	stored->meta = ZSI_USED;
	len = zsi_codec_compress(zsi_ctx_get(z, s, ZSI_COMPRESSOR(0)), zsi_dict_of(z, 0, version), data, z->block_size,
				 s->out, (size_t)(s->block - s->out));
	zsi_ctx_put(z, s, ZSI_COMPRESSOR(0));
	if (len == 0 || len >= z->huge_size) {
		len = z->block_size;
		stored->meta |= ZSI_HUGE;
	} else {
		data = s->out;
		stored->meta |= (uint64_t)version << ZSI_DICT_SHIFT;
	}
	stored->meta |= len;
	stored->data = data;
	if (zsi_unlikely(z->table.sums != NULL))
		stored->sum = zsi_sum(data, len);
}

static bool make(struct zram *z, struct zsi_stored *stored, unsigned flags)
{
	if (!allocate(z, stored->data, zsi_meta_size(stored->meta), flags, &stored->handle))
		return false;
	stored->data = NULL;
	return true;
}

int zsi_block_make(struct zram *z, struct zsi_stored *stored, bool there)
{
	unsigned step = 0;

	if (stored->data == NULL || (there && zsi_likely(make(z, stored, ZS_NO_COMPACT))))
		return 0;
	if (!there) {
		do {
			if (zsi_likely(zsi_memory_leaves(z, zsi_memory_reserve(z)) && make(z, stored, 0)))
				return 0;
		} while (zsi_yield_memory(z, &step, false));
	}
	return fail_memory(z, zsi_meta_size(stored->meta));
}

static bool write_in_place(struct zram *z, uint64_t handle, struct zsi_stored *stored)
{
	size_t len = zsi_meta_size(stored->meta);

	if (len > zs_usable_size(z->pool, handle) || zs_obj_write(z->pool, handle, stored->data, len) != 0)
		return false;
	stored->handle = handle;
	stored->data = NULL;
	stored->in_place = true;
	return true;
}

static bool fit(struct zram *z, uint64_t index, uint64_t meta, struct zsi_stored *stored)
{
	uint64_t handle = zsi_block_at(z, index)->handle;
	unsigned class = zs_lookup_class_index(z->pool, zsi_meta_size(stored->meta));
	bool object = (meta & (ZSI_SAME | ZSI_WB)) == 0;
	/* Of what a save needs nothing may be changed. */
	bool changeable = object && !zsi_keep_wants(z, meta);

	if (changeable && class == zs_lookup_class_index(z->pool, zsi_meta_size(meta)) &&
	    write_in_place(z, handle, stored))
		return true;
	/* What had no object takes more than it gives back, so it leaves others half of the reserve. */
	if (!object && !zsi_memory_leaves(z, zsi_memory_reserve(z) / 2))
		return false;
	return make(z, stored, ZS_HEADROOM) || (changeable && write_in_place(z, handle, stored));
}

int zsi_block_fit(struct zram *z, uint64_t index, uint64_t meta, struct zsi_stored *stored)
{
	unsigned step = 0;

	do {
		if (fit(z, index, meta, stored))
			return 0;
	} while (zsi_yield_memory(z, &step, zsi_keep_wants(z, meta)));
	return fail_memory(z, zsi_meta_size(stored->meta));
}

void zsi_block_drop(struct zram *z, const struct zsi_stored *stored)
{
	if ((stored->meta & ZSI_SAME) == 0)
		zs_free(z->pool, stored->handle);
}

/* What the block counts as, added (by 1) or taken away (by -1). */
static void count_block(struct zsi_stream *s, uint64_t meta, int by)
{
	zsi_count(s, ZSI_N_STORED, by);
	if ((meta & ZSI_SAME) != 0) {
		zsi_count(s, ZSI_N_SAME, by);
		return;
	}
	if ((meta & ZSI_WB) != 0)
		zsi_count(s, ZSI_N_BACKED, by);
	else if ((meta & ZSI_HUGE) != 0)
		zsi_count(s, ZSI_N_HUGE, by);
	if ((meta & ZSI_DICT_MASK) != 0)
		zsi_count(s, (enum zsi_counter)(ZSI_N_DICT + zsi_meta_dict(meta)), by);
	if ((meta & ZSI_WB) == 0)
		zsi_count(s, ZSI_N_COMPR_BYTES, by * (int64_t)zsi_meta_size(meta));
}

/* Everything but the table's count of used blocks. */
static void release_content(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta)
{
	count_block(s, meta, -1);
	if (zsi_unlikely(z->save != NULL) && zsi_keep_takes(z, index, meta))
		return;
	zsi_block_free_handle(z, zsi_block_at(z, index)->handle, meta);
}

uint64_t zsi_block_replace(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta,
			   const struct zsi_stored *stored)
{
	const uint64_t times = ~((1ull << ZSI_TIME_SHIFT) - 1);
	/* A save does not want what was not there at its moment. */
	const uint64_t touched = zsi_unlikely(z->save != NULL) ? ZSI_TOUCHED : 0;

	if (zsi_unlikely(stored->in_place))
		count_block(s, meta, -1);
	else if ((meta & ZSI_USED) != 0)
		release_content(z, s, index, meta);
	else
		zsi_table_used(z, index);
	zsi_block_set_handle(z, index, stored->handle);
	if (zsi_unlikely(z->table.sums != NULL))
		z->table.sums[index] = stored->sum;
	count_block(s, stored->meta, 1);
	return stored->meta | touched | (meta & times);
}

uint64_t zsi_block_install(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta,
			   const struct zsi_stored *stored)
{
	meta = zsi_block_replace(z, s, index, meta, stored);
	if ((meta & (ZSI_HUGE | ZSI_WB)) == ZSI_HUGE)
		zsi_count(s, ZSI_N_HUGE_TOTAL, 1);
	return zsi_meta_accessed(s, meta);
}

uint64_t zsi_block_free(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta)
{
	if ((meta & ZSI_USED) == 0)
		return meta;
	release_content(z, s, index, meta);
	zsi_block_set_handle(z, index, 0);
	zsi_table_unused(z, index);
	return 0;
}

/* Whether the stored bytes are what was stored; counted, and -1 with EIO where not. */
static int check_sum(struct zram *z, struct zsi_stream *s, uint64_t index, const void *data, size_t len)
{
	if (zsi_likely(z->table.sums == NULL) || zsi_sum(data, len) == z->table.sums[index])
		return 0;
	zsi_count(s, ZSI_N_BAD_SUMS_TOTAL, 1);
	return zsi_fail(EIO, "%s: block %" PRIu64 " is damaged: its checksum is wrong", z->name, index);
}

/*
 * The contents, block_size bytes, from what is stored for a locked block that is USED and not SAME: zsi_meta_size(meta)
 * bytes at data. -1: EIO.
 */
static int expand(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta, const void *data, void *buf)
{
	size_t len = zsi_meta_size(meta);
	const unsigned priority = zsi_meta_priority(meta);

	if (check_sum(z, s, index, data, len) != 0)
		return -1;
	if (zsi_meta_plain(z, meta)) {
		memcpy(buf, data, len);
		return 0;
	}
	int result = zsi_codec_decompress(zsi_ctx_get(z, s, ZSI_DECOMPRESSOR(priority)),
					  zsi_dict_of(z, priority, zsi_meta_dict(meta)), data, len, buf, z->block_size);

	zsi_ctx_put(z, s, ZSI_DECOMPRESSOR(priority));
	if (zsi_likely(result == 0))
		return 0;
	return zsi_fail(EIO, "%s: block %" PRIu64 " is damaged: %s can't decompress it", z->name, index,
			zsi_codec_name(z->algs[priority].codec));
}

int zsi_block_load(struct zram *z, struct zsi_stream *s, uint64_t index, uint64_t meta, void *buf)
{
	const struct zsi_block *b = zsi_block_at(z, index);
	const void *data;
	int result;

	if ((meta & (ZSI_USED | ZSI_SAME)) != ZSI_USED) {
		if ((meta & ZSI_USED) != 0 && check_sum(z, s, index, &b->handle, sizeof(b->handle)) != 0)
			return -1;
		zsi_same_fill(buf, z->block_size, b->handle);
		return 0;
	}
	if (zsi_unlikely((meta & ZSI_WB) != 0))
		return zsi_block_read_backed(z, s, index, b->handle, meta, s->out) != 0 ?
			       -1 :
			       expand(z, s, index, meta, s->out, buf);
	data = zs_obj_read_begin(z->pool, b->handle, s->copy);
	if (zsi_unlikely(data == NULL))
		return zsi_fail(EIO, "%s: block %" PRIu64 " is damaged: its object is gone", z->name, index);
	result = expand(z, s, index, meta, data, buf);
	zs_obj_read_end(z->pool, b->handle, data);
	return result;
}
