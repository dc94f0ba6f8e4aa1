/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * load.c - zram_load(): a device from a stream. Nothing is believed that was not checked: the whole device goes if
 * not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/versioned.h"
#include "codec/codec.h"
#include "device/algs.h"
#include "device/block.h"
#include "device/device.h"
#include "device/dict.h"
#include "device/entry.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/keep.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/sum.h"
#include "device/yield.h"
#include "zram/init.h"
#include "zram/stream.h"

#define NAME_BYTES 64u
#define KNOWN_FLAGS (ZRAM_CHECKSUM | ZRAM_TRAIN_DICT)

/* A dictionary that comes in parts grows by this much at least, whatever the stream says of its size. */
#define DICT_STEP ((size_t)1 << 20)

/* A dictionary of which all, or some, was read. */
struct part {
	uint32_t kind, number, bytes;
	uint8_t *data; /* NULL: none is begun */
	size_t have, room;
};

struct loader {
	struct zsi_io io;
	struct zram *z;
	uint64_t disksize;
	uint32_t block_size;
	uint32_t flags;
	uint32_t current; /* dictionary */
	char name[NAME_BYTES];
	char algorithm[ZSI_PRIORITIES][NAME_BYTES];
	int32_t level[ZSI_PRIORITIES];
	uint32_t alg_flags[ZSI_PRIORITIES];
	struct part dict;
	bool initialised;
	uint64_t blocks;
};

static bool take_string(struct zsi_io *io, char to[NAME_BYTES])
{
	uint32_t n = zsi_take_u32(io);
	const uint8_t *bytes = n < NAME_BYTES ? zsi_take_bytes(io, n) : NULL;

	if (bytes == NULL || memchr(bytes, '\0', n) != NULL)
		return false;
	memcpy(to, bytes, n);
	to[n] = '\0';
	return true;
}

/* --- the header --- */

/* What the caller asks for must be what the stream has. */
static int check_options(const struct loader *l, const struct zram_options *o)
{
	if (o->disksize != 0 && o->disksize != l->disksize)
		return zsi_fail(EINVAL, "loading: disksize %" PRIu64 " was asked for, the saved device has %" PRIu64,
				o->disksize, l->disksize);
	if (o->block_size != 0 && o->block_size != l->block_size)
		return zsi_fail(EINVAL, "loading: block_size %zu was asked for, the saved device has %" PRIu32,
				o->block_size, l->block_size);
	if (o->algorithm_params != NULL)
		return zsi_fail(EINVAL, "loading: algorithm_params are those of the saved device: pass NULL");
	for (unsigned p = 0; p < ZSI_PRIORITIES; p++) {
		const char *asked = p == 0 ? o->comp_algorithm : o->recomp_algorithm[p - 1];

		if (asked != NULL && strcmp(asked, l->algorithm[p]) != 0)
			return zsi_fail(EINVAL,
					"loading: algorithm '%s' of priority %u was asked for, the saved device has "
					"'%s'",
					asked, p, l->algorithm[p]);
	}
	return 0;
}

static int read_algorithms(struct loader *l)
{
	for (unsigned p = 0; p < ZSI_PRIORITIES; p++) {
		if (!take_string(&l->io, l->algorithm[p]))
			return zsi_bad_frame(&l->io, "an algorithm's name is too long");
		l->level[p] = (int32_t)zsi_take_u32(&l->io);
		l->alg_flags[p] = zsi_take_u32(&l->io);
		if ((l->alg_flags[p] & ~(ZSI_ALG_HAS_LEVEL | ZSI_ALG_KERNEL)) != 0)
			return zsi_bad_frame(&l->io, "an algorithm's flags are unknown");
	}
	if (l->io.failed || l->io.pos != l->io.len)
		return zsi_bad_frame(&l->io, "the header has not the length it should have");
	return l->algorithm[0][0] != '\0' ? 0 : zsi_bad_frame(&l->io, "it has no algorithm");
}

static int read_header(struct loader *l)
{
	enum zsi_frame type;

	if (zsi_read_magic(&l->io) != 0 || zsi_read_frame(&l->io, &type) != 0)
		return -1;
	if (type != ZSI_FRAME_HEADER)
		return zsi_bad_frame(&l->io, "it does not begin with a header");
	uint32_t version = zsi_take_u32(&l->io);

	if (version != ZSI_STREAM_VERSION)
		return zsi_fail(EINVAL, "loading: the stream has format version %" PRIu32 ", this library knows %u",
				version, ZSI_STREAM_VERSION);
	l->block_size = zsi_take_u32(&l->io);
	l->disksize = zsi_take_u64(&l->io);
	l->flags = zsi_take_u32(&l->io);
	l->current = zsi_take_u32(&l->io);
	if (!take_string(&l->io, l->name) || l->block_size == 0 || l->disksize == 0 ||
	    l->disksize % l->block_size != 0 || (l->flags & ~KNOWN_FLAGS) != 0 || l->current >= ZSI_DICTS)
		return zsi_bad_frame(&l->io, "the header is out of range");
	return read_algorithms(l);
}

/* A device with the algorithms of the header, not initialised: their dictionaries come later. */
static int make_device(struct loader *l, struct zram_options *o)
{
	int result = 0;

	if (check_options(l, o) != 0)
		return -1;
	o->block_size = l->block_size;
	o->disksize = 0;
	o->flags |= l->flags;
	o->comp_algorithm = NULL;
	memset(o->recomp_algorithm, 0, sizeof(o->recomp_algorithm));
	l->z = zram_create(o->name != NULL ? o->name : l->name, o);
	if (l->z == NULL)
		return -1;
	zsi_lock(&l->z->lock, ZSI_RANK_DEVICE);
	for (unsigned p = 0; p < ZSI_PRIORITIES && result == 0; p++) {
		if (l->algorithm[p][0] == '\0')
			continue;
		result = zsi_algs_set_locked(l->z, p, l->algorithm[p]);
		l->z->algs[p].kernel = (l->alg_flags[p] & ZSI_ALG_KERNEL) != 0;
		if (result == 0 && (l->alg_flags[p] & ZSI_ALG_HAS_LEVEL) != 0) {
			l->z->algs[p].level = l->level[p];
			l->z->algs[p].has_level = true;
		}
	}
	zsi_unlock(&l->z->lock, ZSI_RANK_DEVICE);
	return result;
}

/* With the first frame that is not an algorithm's dictionary. */
static int initialise(struct loader *l)
{
	int result;

	if (l->initialised)
		return 0;
	l->initialised = true;
	zsi_lock(&l->z->lock, ZSI_RANK_DEVICE);
	result = zsi_init_locked(l->z, l->disksize);
	zsi_unlock(&l->z->lock, ZSI_RANK_DEVICE);
	return result;
}

/* --- dictionaries --- */

static bool is_placed(const struct loader *l, const struct part *d)
{
	return d->kind == ZSI_DICT_TRAINED ? l->z->train.versions[d->number] != NULL :
					     l->z->algs[d->number].dict_data != NULL;
}

static bool dict_possible(const struct loader *l, const struct part *d)
{
	if (d->bytes < ZSI_CODEC_DICT_MIN || d->bytes > ZSI_CODEC_DICT_MAX)
		return false;
	if (d->kind == ZSI_DICT_TRAINED)
		return d->number != 0 && d->number < ZSI_DICTS && !is_placed(l, d);
	return d->kind == ZSI_DICT_OF_ALGORITHM && !l->initialised && d->number < ZSI_PRIORITIES &&
	       l->z->algs[d->number].codec != NULL && !is_placed(l, d);
}

/* A complete one to its place. */
static int place_dict(struct loader *l)
{
	struct part *d = &l->dict;
	int result = 0;

	if (d->kind == ZSI_DICT_OF_ALGORITHM) {
		l->z->algs[d->number].dict_data = d->data;
		l->z->algs[d->number].dict_data_bytes = d->bytes;
		d->data = NULL;
	} else {
		result = initialise(l);
		zsi_lock(&l->z->lock, ZSI_RANK_DEVICE);
		if (result == 0)
			result = zsi_dict_adopt(l->z, d->number, d->data, d->bytes);
		zsi_unlock(&l->z->lock, ZSI_RANK_DEVICE);
	}
	free(d->data);
	*d = (struct part){ 0 };
	return result;
}

static int add_to_dict(struct part *d, const void *bytes, size_t n)
{
	if (d->have + n > d->room) {
		size_t room = zsi_min(d->bytes, zsi_max(d->room * 2, zsi_max(n, DICT_STEP)));
		uint8_t *more = realloc(d->data, room);

		if (more == NULL)
			return zsi_fail(ENOMEM, "loading: no memory for a dictionary");
		d->data = more;
		d->room = room;
	}
	memcpy(d->data + d->have, bytes, n);
	d->have += n;
	return 0;
}

static int read_dict(struct loader *l)
{
	struct part *d = &l->dict;
	struct part new = { .kind = zsi_take_u32(&l->io) };

	new.number = zsi_take_u32(&l->io);
	new.bytes = zsi_take_u32(&l->io);
	size_t n = l->io.len - l->io.pos;

	if (d->data == NULL ? !dict_possible(l, &new) :
			      new.kind != d->kind || new.number != d->number || new.bytes != d->bytes)
		return zsi_bad_frame(&l->io, "a dictionary is out of range");
	if (d->data == NULL)
		*d = new;
	if (n == 0 || n > d->bytes - d->have)
		return zsi_bad_frame(&l->io, "a dictionary has not as many bytes as it says");
	if (add_to_dict(d, zsi_take_bytes(&l->io, n), n) != 0)
		return -1;
	return d->have == d->bytes ? place_dict(l) : 0;
}

/* --- blocks --- */

/* Whether flags and length go together, and the device has what the block needs. */
static bool block_possible(const struct loader *l, uint64_t meta, uint32_t len)
{
	const uint64_t compressed = ZSI_PRIORITY_MASK | ZSI_DICT_MASK;
	unsigned version = zsi_meta_dict(meta);

	if ((meta & ~ZSI_SAVED_FLAGS) != 0 || (meta & ZSI_USED) == 0)
		return false;
	if ((meta & ZSI_SAME) != 0)
		return (meta & (compressed | ZSI_HUGE | ZSI_INCOMPRESSIBLE)) == 0 && len == sizeof(uint64_t);
	if ((meta & ZSI_ZERO) != 0)
		return false;
	if ((meta & ZSI_HUGE) != 0)
		return (meta & compressed) == 0 && len == l->block_size;
	return len > 0 && len <= l->block_size && l->z->algs[zsi_meta_priority(meta)].codec != NULL &&
	       (version == 0 || l->z->train.versions[version] != NULL);
}

static int install(struct loader *l, struct zsi_stream *s, uint64_t index, struct zsi_stored *stored)
{
	struct zram *z = l->z;

	if (zsi_yield_make_chunk(z, index) != 0) {
		zsi_block_drop(z, stored);
		return -1;
	}
	uint64_t meta = zsi_block_lock(z, index);
	bool twice = (meta & ZSI_USED) != 0;

	if (!twice)
		meta = zsi_meta_accessed(s, zsi_block_replace(z, s, index, meta, stored));
	zsi_block_unlock(z, index, meta);
	if (!twice)
		return 0;
	zsi_block_drop(z, stored);
	return zsi_bad_frame(&l->io, "a block is there twice");
}

static int read_block(struct loader *l, struct zsi_stream *s)
{
	struct zram *z = l->z;
	uint64_t index = zsi_take_u64(&l->io);
	uint64_t meta = (uint64_t)zsi_take_u32(&l->io) << ZSI_SAVED_SHIFT;
	uint32_t len = zsi_take_u32(&l->io);
	uint32_t sum = (l->flags & ZRAM_CHECKSUM) != 0 ? zsi_take_u32(&l->io) : 0;
	const uint8_t *data = zsi_take_bytes(&l->io, len);
	struct zsi_stored stored = { .meta = meta };

	if (data == NULL || l->io.failed || index >= z->table.nr_blocks || !block_possible(l, meta, len))
		return zsi_bad_frame(&l->io, "a block is out of range");
	if ((meta & ZSI_SAME) != 0) {
		l->io.pos -= len;
		stored.handle = zsi_take_u64(&l->io);
		data = (const uint8_t *)&stored.handle;
		if ((stored.handle == 0) != ((meta & ZSI_ZERO) != 0))
			return zsi_bad_frame(&l->io, "a block's flags contradict its word");
	} else {
		stored.meta |= len;
		if (zsi_block_store(z, data, len, &stored.handle) != 0)
			return -1;
	}
	/* One that came along is the older, and stays. */
	if ((l->flags & ZRAM_CHECKSUM) != 0)
		stored.sum = sum;
	else if (z->table.sums != NULL)
		stored.sum = zsi_sum(data, len);
	l->blocks++;
	return install(l, s, index, &stored);
}

static int read_blocks(struct loader *l)
{
	struct zsi_stream *s = zsi_gate_enter(l->z);
	int result = 0;

	if (s == NULL)
		return -1;
	while (result == 0 && l->io.pos < l->io.len)
		result = read_block(l, s);
	zsi_stream_leave(s);
	return result;
}

/* A frame's contents. */
static int read_frame(struct loader *l, enum zsi_frame type)
{
	if (type == ZSI_FRAME_DICT)
		return read_dict(l);
	if (l->dict.data != NULL)
		return zsi_bad_frame(&l->io, "the rest of a dictionary is missing");
	if (initialise(l) != 0)
		return -1;
	return type == ZSI_FRAME_BLOCKS ? read_blocks(l) : 0;
}

static int read_rest(struct loader *l)
{
	enum zsi_frame last = ZSI_FRAME_HEADER, type;

	do {
		if (zsi_read_frame(&l->io, &type) != 0)
			return -1;
		if (type < last || type == ZSI_FRAME_HEADER)
			return zsi_bad_frame(&l->io, "a frame is out of its place");
		last = type;
		if (read_frame(l, type) != 0)
			return -1;
	} while (type != ZSI_FRAME_END);
	if (zsi_take_u64(&l->io) != l->blocks || l->io.failed || l->io.pos != l->io.len)
		return zsi_bad_frame(&l->io, "it has not as many blocks as it says");
	if (l->current != 0 && l->z->train.versions[l->current] == NULL)
		return zsi_bad_frame(&l->io, "its current dictionary is missing");
	l->z->train.current = l->current;
	return 0;
}

struct zram *zram_load(int fd, const struct zram_options *options)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct loader l = { 0 };

	if (options != NULL && !zsi_copy_versioned(&o, sizeof(o), options, sizeof(size_t))) {
		(void)zsi_fail(EINVAL, "loading: options: start from ZRAM_OPTIONS_INIT");
		return NULL;
	}
	o.struct_size = sizeof(o);
	bool ok = zsi_io_init(&l.io, "loading", fd) == 0 && read_header(&l) == 0 && make_device(&l, &o) == 0 &&
		  read_rest(&l) == 0;
	int error = errno;

	if (!ok) {
		zram_destroy(l.z);
		l.z = NULL;
	}
	free(l.dict.data);
	zsi_io_fini(&l.io);
	errno = error;
	return l.z;
}
