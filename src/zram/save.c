/* SPDX-License-Identifier: BSD-3-Clause */
/* save.c - zram_save(): the state of one moment as a stream, while the device is in use. See save.h and stream.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/lock.h"
#include "codec/codec.h"
#include "device/block.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/keep.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/sum.h"
#include "device/table.h"
#include "zram/stream.h"
#include "zram/walk.h"

/* Blocks looked at with one stream in hand. */
#define BATCH 64u

struct saver {
	struct zram *z;
	struct zsi_save save;
	struct zsi_io io;
	uint64_t blocks;
	const struct zsi_dict *trained[ZSI_DICTS]; /* those of the moment */
};

/* --- writing --- */

static int flush_blocks(struct saver *v)
{
	return v->io.len == 0 ? 0 : zsi_write_frame(&v->io, ZSI_FRAME_BLOCKS);
}

static void put_head(struct saver *v, uint64_t index, uint64_t flags, size_t len, uint32_t sum)
{
	zsi_put_u64(&v->io, index);
	zsi_put_u32(&v->io, (uint32_t)((flags & ZSI_SAVED_FLAGS) >> ZSI_SAVED_SHIFT));
	zsi_put_u32(&v->io, (uint32_t)len);
	/* The one from when it was written: a block that was damaged since is no better after it was loaded. */
	if (v->z->table.sums != NULL)
		zsi_put_u32(&v->io, sum);
}

/*
 * One that was written back plain is compressed again, without a trained dictionary: the moment may have had others. It
 * stays as it is where it gains nothing, or is damaged.
 */
static int put_plain(struct saver *v, struct zsi_stream *s, const struct zsi_kept *k)
{
	struct zram *z = v->z;
	uint32_t sum = k->sum;
	size_t len = 0;

	if (zsi_block_read_backed(z, s, k->index, k->handle, k->meta, s->block) != 0)
		return -1;
	if (z->table.sums == NULL || zsi_sum(s->block, z->block_size) == sum) {
		len = zsi_codec_compress(zsi_ctx_get(z, s, ZSI_COMPRESSOR(0)), zsi_dict_of(z, 0, 0), s->block,
					 z->block_size, s->out, (size_t)(s->block - s->out));
		zsi_ctx_put(z, s, ZSI_COMPRESSOR(0));
	}
	if (len == 0 || len >= z->huge_size) {
		put_head(v, k->index, ZSI_USED | ZSI_HUGE, z->block_size, sum);
		zsi_put_bytes(&v->io, s->block, z->block_size);
		return 0;
	}
	put_head(v, k->index, ZSI_USED, len, z->table.sums != NULL ? zsi_sum(s->out, len) : 0);
	zsi_put_bytes(&v->io, s->out, len);
	return 0;
}

static int put_object(struct saver *v, struct zsi_stream *s, const struct zsi_kept *k)
{
	const void *data = zs_obj_read_begin(v->z->pool, k->handle, s->copy);

	if (data == NULL)
		return zsi_fail(EIO, "%s: saving: the object of block %" PRIu64 " is gone", v->z->name, k->index);
	zsi_put_bytes(&v->io, data, zsi_meta_size(k->meta));
	zs_obj_read_end(v->z->pool, k->handle, data);
	return 0;
}

/* A block's record, from what is stored. There is room. s: for objects that span two pages. */
static int put_block(struct saver *v, struct zsi_stream *s, const struct zsi_kept *k)
{
	size_t len = zsi_meta_size(k->meta);
	int result = 0;

	v->blocks++;
	if ((k->meta & (ZSI_WB | ZSI_HUGE)) == ZSI_WB && zsi_meta_plain(v->z, k->meta))
		return put_plain(v, s, k);
	put_head(v, k->index, k->meta, (k->meta & ZSI_SAME) != 0 ? sizeof(k->handle) : len, k->sum);
	if ((k->meta & ZSI_SAME) != 0)
		zsi_put_u64(&v->io, k->handle);
	else if ((k->meta & ZSI_WB) != 0)
		result = zsi_block_read_backed(v->z, s, k->index, k->handle, k->meta, zsi_put_space(&v->io, len));
	else
		result = put_object(v, s, k);
	return result;
}

static bool has_room(const struct saver *v)
{
	return zsi_io_room(&v->io) >= ZSI_RECORD_HEAD + v->z->block_size;
}

/* The blocks of one batch, while there is room. *index: where to go on. */
static int put_batch(struct saver *v, struct zsi_stream *s, uint64_t *index)
{
	struct zram *z = v->z;
	int result = 0;

	for (unsigned n = 0; n < BATCH && *index < z->table.nr_blocks && result == 0 && has_room(v); n++) {
		if (!zsi_table_has(&z->table, *index)) {
			*index = zsi_table_hole_end(&z->table, *index);
			continue;
		}
		uint64_t meta = zsi_block_lock(z, *index);
		struct zsi_kept k = zsi_keep_content(z, *index, meta);

		if ((meta & (ZSI_USED | ZSI_TOUCHED)) == ZSI_USED) {
			result = put_block(v, s, &k);
			meta |= ZSI_TOUCHED;
		}
		zsi_block_unlock(z, *index, meta);
		++*index;
	}
	return result;
}

/* The next of what is kept, which is the caller's then. False: there is none, or the save has failed. */
static bool take_kept(struct saver *v, struct zsi_kept *k)
{
	bool have;

	zsi_lock(&v->save.lock, ZSI_RANK_TABLE);
	have = v->save.error == 0 && v->save.nr_kept > 0;
	if (have)
		*k = v->save.kept[--v->save.nr_kept];
	zsi_unlock(&v->save.lock, ZSI_RANK_TABLE);
	return have;
}

/* What was kept until now, a batch at a time. *none: there was no more. */
static int put_kept(struct saver *v, struct zsi_stream *s, bool *none)
{
	int result = 0;

	*none = false;
	for (unsigned n = 0; n < BATCH && result == 0 && has_room(v); n++) {
		struct zsi_kept k;

		if (!take_kept(v, &k)) {
			*none = true;
			return 0;
		}
		result = put_block(v, s, &k);
		zsi_keep_free(v->z, &k);
	}
	return result;
}

static int save_error(struct saver *v)
{
	int error;

	zsi_lock(&v->save.lock, ZSI_RANK_TABLE);
	error = v->save.error;
	zsi_unlock(&v->save.lock, ZSI_RANK_TABLE);
	return error == 0 ? 0 : zsi_fail(error, "%s: saving: no memory for what changes meanwhile", v->z->name);
}

/* Nothing more is kept once all blocks are TOUCHED: so what is kept is looked at after the last of them. */
static int write_blocks(struct saver *v)
{
	uint64_t index = 0;
	bool done = false;

	while (!done) {
		struct zsi_stream *s = zsi_gate_enter(v->z);
		int result;

		if (s == NULL)
			return -1;
		result = put_batch(v, s, &index);
		if (result == 0)
			result = put_kept(v, s, &done);
		zsi_stream_leave(s);
		if (result != 0 || save_error(v) != 0)
			return -1;
		done = done && index >= v->z->table.nr_blocks;
		if (!has_room(v) && flush_blocks(v) != 0)
			return -1;
	}
	return flush_blocks(v);
}

/* One that is longer than a frame goes on in the next. */
static int write_dict(struct saver *v, enum zsi_dict_kind kind, unsigned number, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		zsi_put_u32(&v->io, (uint32_t)kind);
		zsi_put_u32(&v->io, number);
		zsi_put_u32(&v->io, (uint32_t)n);
		size_t part = zsi_min(n - at, zsi_io_room(&v->io));

		zsi_put_bytes(&v->io, bytes + at, part);
		if (zsi_write_frame(&v->io, ZSI_FRAME_DICT) != 0)
			return -1;
		at += part;
	}
	return 0;
}

/* Those of algorithms are fixed, trained ones stay while there is a save. */
static int write_dicts(struct saver *v)
{
	for (unsigned p = 0; p < ZSI_PRIORITIES; p++) {
		const struct zsi_alg *a = &v->z->algs[p];

		if (write_dict(v, ZSI_DICT_OF_ALGORITHM, p, a->dict_data, a->dict_data_bytes) != 0)
			return -1;
	}
	for (unsigned n = 1; n < ZSI_DICTS; n++) {
		const struct zsi_dict *d = v->trained[n];

		if (d != NULL && write_dict(v, ZSI_DICT_TRAINED, n, d->data, d->data_bytes) != 0)
			return -1;
	}
	return 0;
}

/* --- the moment --- */

static void put_header(struct saver *v)
{
	struct zram *z = v->z;

	zsi_put_u32(&v->io, ZSI_STREAM_VERSION);
	zsi_put_u32(&v->io, (uint32_t)z->block_size);
	zsi_put_u64(&v->io, zram_disksize(z));
	zsi_put_u32(&v->io, z->flags);
	zsi_put_u32(&v->io, z->train.current);
	zsi_put_counted(&v->io, z->name, strlen(z->name));
	for (unsigned p = 0; p < ZSI_PRIORITIES; p++) {
		const struct zsi_alg *a = &z->algs[p];
		const char *name = a->codec != NULL ? zsi_codec_name(a->codec) : "";

		zsi_put_counted(&v->io, name, strlen(name));
		zsi_put_u32(&v->io, (uint32_t)a->level);
		zsi_put_u32(&v->io, (a->has_level ? ZSI_ALG_HAS_LEVEL : 0) | (a->kernel ? ZSI_ALG_KERNEL : 0));
	}
}

static int take_mark(struct zram *z, struct zsi_stream *s, uint64_t index, void *arg)
{
	uint64_t meta = zsi_block_lock(z, index);

	(void)s;
	(void)arg;
	zsi_block_unlock(z, index, meta & ~ZSI_TOUCHED);
	return 0;
}

/* Everything but what blocks hold is noted, and from here on blocks keep what they held. */
static int begin(struct saver *v)
{
	struct zram *z = v->z;
	int result = 0;

	/* Nobody makes marks while there is no save. */
	if (z->marks_left && zsi_walk_blocks(z, 0, UINT64_MAX, take_mark, NULL) != 0)
		return -1;
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	if (z->pool == NULL) {
		result = zsi_fail(EINVAL, "%s: saving: the device is not initialised: set disksize first", z->name);
	} else {
		z->marks_left = true;
		zsi_gate_close(z);
		put_header(v);
		for (unsigned n = 0; n < ZSI_DICTS; n++)
			v->trained[n] = z->train.versions[n];
		z->save = &v->save;
		zsi_gate_open(z);
	}
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return result;
}

static void end(struct saver *v)
{
	struct zram *z = v->z;

	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	zsi_gate_close(z);
	z->save = NULL;
	for (size_t i = 0; i < v->save.nr_kept; i++)
		zsi_keep_free(z, &v->save.kept[i]);
	zsi_gate_open(z);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	free(v->save.kept);
}

static int write_all(struct saver *v)
{
	if (zsi_write_magic(&v->io) != 0 || zsi_write_frame(&v->io, ZSI_FRAME_HEADER) != 0 || write_dicts(v) != 0 ||
	    write_blocks(v) != 0)
		return -1;
	zsi_put_u64(&v->io, v->blocks);
	return zsi_write_frame(&v->io, ZSI_FRAME_END);
}

int zram_save(struct zram *z, int fd)
{
	struct saver v = { .z = z };
	int result = -1, error;

	/* One at a time; and a reset waits for it. */
	zsi_lock(&z->save_lock, ZSI_RANK_SAVE);
	if (zsi_io_init(&v.io, z->name, fd) == 0 && begin(&v) == 0) {
		result = write_all(&v);
		error = errno;
		end(&v);
		errno = error;
	}
	error = errno;
	zsi_io_fini(&v.io);
	zsi_unlock(&z->save_lock, ZSI_RANK_SAVE);
	errno = error;
	return result;
}
