/* SPDX-License-Identifier: BSD-3-Clause */
/* load.c - zram_load(): a device from a stream. Nothing is believed that was not checked: the whole device goes if not. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zram/device.h"
#include "zram/stream.h"
#include "zram/sum.h"

#define NAME_BYTES 64u
#define KNOWN_FLAGS (ZRAM_CHECKSUM | ZRAM_TRAIN_DICT)

/* As save.c puts a block's flags. */
#define FLAGS_SHIFT (ZSI_DICT_SHIFT - 10)

struct loader {
	struct zsi_io io;
	struct zram *z;
	uint64_t disksize;
	uint32_t block_size;
	uint32_t flags;
	uint32_t current; /* dictionary */
	char name[NAME_BYTES];
	char algorithm[ZSI_PRIORITIES][NAME_BYTES];
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
					"loading: algorithm '%.32s' of priority %u was asked for, the saved device has "
					"'%s'",
					asked, p, l->algorithm[p]);
	}
	return 0;
}

/* An algorithm as the header has it. z->lock is held. */
static int take_algorithm_locked(struct loader *l, unsigned p)
{
	struct zsi_alg *a = &l->z->algs[p];
	uint32_t level = zsi_take_u32(&l->io);
	bool has_level = zsi_take_u32(&l->io) != 0;
	uint32_t n = zsi_take_u32(&l->io);
	const uint8_t *dict = zsi_take_bytes(&l->io, n);

	if (dict == NULL)
		return zsi_bad_frame(&l->io, "the header is too short");
	if (l->algorithm[p][0] == '\0')
		return 0;
	if (zsi_alg_set_locked(l->z, p, l->algorithm[p]) != 0)
		return -1;
	if (has_level) {
		a->level = (int)level;
		a->has_level = true;
	}
	if (n > 0) {
		a->dict_data = malloc(n);
		if (a->dict_data == NULL)
			return zsi_fail(ENOMEM, "%s: loading: no memory for a dictionary", l->z->name);
		memcpy(a->dict_data, dict, n);
		a->dict_data_bytes = n;
	}
	return 0;
}

/* The names first, since the options are checked before anything is made; then from the start again. */
static int read_names(struct loader *l)
{
	size_t start = l->io.pos;

	for (unsigned p = 0; p < ZSI_PRIORITIES; p++) {
		if (!take_string(&l->io, l->algorithm[p]))
			return zsi_bad_frame(&l->io, "an algorithm's name is too long");
		(void)zsi_take_u64(&l->io);
		(void)zsi_take_bytes(&l->io, zsi_take_u32(&l->io));
	}
	if (l->io.failed || l->io.pos != l->io.len)
		return zsi_bad_frame(&l->io, "the header has not the length it should have");
	l->io.pos = start;
	return l->algorithm[0][0] != '\0' ? 0 : zsi_bad_frame(&l->io, "it has no algorithm");
}

static int read_header(struct loader *l, const struct zram_options *options)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
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
	if (!take_string(&l->io, l->name) || l->disksize == 0 || (l->flags & ~KNOWN_FLAGS) != 0 || l->current >= ZSI_DICTS)
		return zsi_bad_frame(&l->io, "the header is out of range");
	if (read_names(l) != 0)
		return -1;
	if (options != NULL) {
		size_t given = options->struct_size;

		memcpy(&o, options, given < sizeof(o) ? given : sizeof(o));
		o.struct_size = sizeof(o);
	}
	if (check_options(l, &o) != 0)
		return -1;
	o.block_size = l->block_size;
	o.disksize = 0;
	o.flags |= l->flags;
	o.comp_algorithm = NULL;
	memset(o.recomp_algorithm, 0, sizeof(o.recomp_algorithm));
	l->z = zram_create(l->name, &o);
	return l->z != NULL ? 0 : -1;
}

static int initialise(struct loader *l)
{
	char ignored[NAME_BYTES];
	int result = 0;

	if (l->disksize % l->block_size != 0)
		return zsi_bad_frame(&l->io, "its size is no multiple of its blocks");
	zsi_lock(&l->z->lock, ZSI_RANK_DEVICE);
	for (unsigned p = 0; p < ZSI_PRIORITIES && result == 0; p++) {
		(void)take_string(&l->io, ignored);
		result = take_algorithm_locked(l, p);
	}
	if (result == 0)
		result = zsi_device_init_locked(l->z, l->disksize);
	zsi_unlock(&l->z->lock, ZSI_RANK_DEVICE);
	return result;
}

/* --- dictionaries and blocks --- */

static int read_dicts(struct loader *l)
{
	int result = 0;

	zsi_lock(&l->z->lock, ZSI_RANK_DEVICE);
	while (result == 0 && l->io.pos < l->io.len) {
		uint32_t version = zsi_take_u32(&l->io);
		uint32_t n = zsi_take_u32(&l->io);
		const uint8_t *bytes = zsi_take_bytes(&l->io, n);

		if (bytes == NULL || version == 0 || version >= ZSI_DICTS || n < ZSI_CODEC_DICT_MIN ||
		    n > ZSI_CODEC_DICT_MAX || l->z->train.versions[version] != NULL)
			result = zsi_bad_frame(&l->io, "a dictionary is out of range");
		else
			result = zsi_train_adopt(l->z, version, bytes, n);
	}
	zsi_unlock(&l->z->lock, ZSI_RANK_DEVICE);
	return result;
}

/* Whether flags and length go together, and the device has what the block needs. */
static bool block_possible(const struct loader *l, uint64_t meta, uint32_t len)
{
	const uint64_t known = ZSI_USED | ZSI_SAME | ZSI_ZERO | ZSI_HUGE | ZSI_INCOMPRESSIBLE | ZSI_PRIORITY_MASK |
			       ZSI_DICT_MASK;
	unsigned version = zsi_meta_dict(meta);

	if ((meta & ~known) != 0 || (meta & ZSI_USED) == 0)
		return false;
	if ((meta & ZSI_SAME) != 0)
		return len == sizeof(uint64_t);
	if ((meta & ZSI_HUGE) != 0)
		return len == l->block_size;
	return len > 0 && len <= l->block_size && l->z->algs[zsi_meta_priority(meta)].codec != NULL &&
	       (version == 0 || l->z->train.versions[version] != NULL);
}

static int install(struct loader *l, struct zsi_stream *s, uint64_t index, struct zsi_stored *stored)
{
	struct zram *z = l->z;

	if (zsi_table_make(z, index) != 0) {
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
	uint64_t meta = (uint64_t)zsi_take_u32(&l->io) << FLAGS_SHIFT;
	uint32_t len = zsi_take_u32(&l->io);
	const uint8_t *data = zsi_take_bytes(&l->io, len);
	struct zsi_stored stored = { .meta = meta };

	if (data == NULL || index >= z->table.nr_blocks || !block_possible(l, meta, len))
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
	if (z->table.sums != NULL)
		stored.sum = zsi_sum(data, len);
	l->blocks++;
	return install(l, s, index, &stored);
}

static int read_blocks(struct loader *l)
{
	struct zsi_stream *s = zsi_enter(l->z);
	int result = 0;

	if (s == NULL)
		return -1;
	while (result == 0 && l->io.pos < l->io.len)
		result = read_block(l, s);
	zsi_leave(s);
	return result;
}

static int read_rest(struct loader *l)
{
	enum zsi_frame last = ZSI_FRAME_HEADER, type;

	for (;;) {
		if (zsi_read_frame(&l->io, &type) != 0)
			return -1;
		if (type < last || type == ZSI_FRAME_HEADER)
			return zsi_bad_frame(&l->io, "a frame is out of its place");
		last = type;
		if (type == ZSI_FRAME_END)
			break;
		if ((type == ZSI_FRAME_DICT ? read_dicts(l) : read_blocks(l)) != 0)
			return -1;
	}
	if (zsi_take_u64(&l->io) != l->blocks || l->io.failed || l->io.pos != l->io.len)
		return zsi_bad_frame(&l->io, "it has not as many blocks as it says");
	if (l->current != 0 && l->z->train.versions[l->current] == NULL)
		return zsi_bad_frame(&l->io, "its current dictionary is missing");
	l->z->train.current = l->current;
	return 0;
}

struct zram *zram_load(int fd, const struct zram_options *options)
{
	struct loader l = { 0 };

	if (zsi_io_init(&l.io, "loading", fd) != 0 || read_header(&l, options) != 0 || initialise(&l) != 0 ||
	    read_rest(&l) != 0) {
		int error = errno;

		zram_destroy(l.z);
		l.z = NULL;
		errno = error;
	}
	int error = errno;

	zsi_io_fini(&l.io);
	errno = error;
	return l.z;
}
