/* SPDX-License-Identifier: BSD-3-Clause */
/* codec.c - see codec.h: the table, and what all algorithms have in common. */
#include "codec/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bits.h"
#include "codec/backend.h"

#ifdef ZSI_HAVE_LZO2
#define LZO zsi_codec_lzo
#else
#define LZO zsi_codec_kernel_lzo
#endif

/* In the order in which they are listed: from fast to dense. */
static const struct zsi_codec *const codecs[] = {
	&zsi_codec_lzo_rle, &LZO,            &zsi_codec_lz4,
	&zsi_codec_lz4hc,   &zsi_codec_zstd, &zsi_codec_deflate,
};

enum { CODEC_COUNT = sizeof(codecs) / sizeof(codecs[0]) };

const struct zsi_codec *zsi_codec_at(unsigned i)
{
	return i < CODEC_COUNT ? codecs[i] : NULL;
}

const struct zsi_codec *zsi_codec_find(const char *name)
{
	for (unsigned i = 0; i < CODEC_COUNT; i++)
		if (strcmp(codecs[i]->name, name) == 0)
			return codecs[i];
	return NULL;
}

const char *zsi_codec_name(const struct zsi_codec *c)
{
	return c->name;
}

const struct zsi_codec *zsi_codec_kernel(const struct zsi_codec *c)
{
	return c->kernel;
}

bool zsi_codec_levels(const struct zsi_codec *c, int *min, int *max, int *dflt)
{
	*min = *max = *dflt = 0;
	if (c->levels == NULL)
		return false;
	c->levels(min, max, dflt);
	return true;
}

bool zsi_codec_takes_dict(const struct zsi_codec *c)
{
	return c->dict_init != NULL;
}

size_t zsi_codec_bound(const struct zsi_codec *c, size_t n)
{
	return c->bound(n);
}

/* Whether level is one of c's; without levels every number is ignored. */
static bool level_fits(const struct zsi_codec *c, int level)
{
	int min, max, dflt;

	return !zsi_codec_levels(c, &min, &max, &dflt) || (level >= min && level <= max);
}

struct zsi_codec_dict *zsi_codec_dict_create(const struct zsi_codec *c, int level, const void *bytes, size_t n)
{
	struct zsi_codec_dict *d;
	int error;

	if (c->dict_init == NULL || !level_fits(c, level) || n < ZSI_CODEC_DICT_MIN || n > ZSI_CODEC_DICT_MAX) {
		errno = EINVAL;
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->codec = c;
	d->level = level;
	d->data = bytes;
	d->data_bytes = n;
	error = c->dict_init(d);
	if (error != 0) {
		free(d);
		errno = error;
		return NULL;
	}
	return d;
}

void zsi_codec_dict_destroy(struct zsi_codec_dict *d)
{
	if (d == NULL)
		return;
	d->codec->dict_fini(d);
	free(d);
}

size_t zsi_codec_dict_bytes(const struct zsi_codec_dict *d)
{
	return sizeof(*d) + d->bytes;
}

bool zsi_codec_decompresses_without(const struct zsi_codec *c)
{
	return c->decompress_init == NULL;
}

struct zsi_codec_ctx *zsi_codec_ctx_create(const struct zsi_codec *c, int level, size_t block_size,
					   enum zsi_codec_use use)
{
	struct zsi_codec_ctx *x;
	int error = 0;

	if (!level_fits(c, level) || block_size == 0 || block_size > ZSI_CODEC_BLOCK_MAX) {
		errno = EINVAL;
		return NULL;
	}
	x = calloc(1, sizeof(*x));
	if (x == NULL)
		return NULL;
	x->codec = c;
	x->level = level;
	x->block_size = block_size;
	if ((use & ZSI_CODEC_COMPRESS) != 0)
		error = c->compress_init(x);
	if (error == 0 && (use & ZSI_CODEC_DECOMPRESS) != 0 && c->decompress_init != NULL)
		error = c->decompress_init(x);
	if (error != 0) {
		zsi_codec_ctx_destroy(x);
		errno = error;
		return NULL;
	}
	return x;
}

void zsi_codec_ctx_destroy(struct zsi_codec_ctx *x)
{
	if (x == NULL)
		return;
	x->codec->ctx_fini(x);
	free(x);
}

size_t zsi_codec_ctx_bytes(const struct zsi_codec_ctx *x)
{
	return sizeof(*x) + x->bytes;
}

size_t zsi_codec_compress(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t n, void *dst,
			  size_t capacity)
{
	ZSI_ASSERT(n > 0 && n <= x->block_size && x->compress != NULL);
	/* The libraries take lengths as int or 32 bits, and nothing here becomes longer than its bound. */
	capacity = zsi_min(capacity, 2 * ZSI_CODEC_BLOCK_MAX);
	if (zsi_unlikely(capacity == 0))
		return 0;
	if (zsi_likely(d == NULL))
		return x->codec->compress(x, src, n, dst, capacity);
	ZSI_ASSERT(d->codec == x->codec);
	return x->codec->compress_dict(x, d, src, n, dst, capacity);
}

int zsi_codec_decompress(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t len,
			 void *dst, size_t n)
{
	size_t got;

	ZSI_ASSERT(n > 0 && n <= x->block_size && len <= 2 * ZSI_CODEC_BLOCK_MAX);
	ZSI_ASSERT(x->decompress != NULL || zsi_codec_decompresses_without(x->codec));
	if (zsi_likely(d == NULL)) {
		got = x->codec->decompress(x, src, len, dst, n);
	} else {
		ZSI_ASSERT(d->codec == x->codec);
		got = x->codec->decompress_dict(x, d, src, len, dst, n);
	}
	if (zsi_likely(got == n))
		return 0;
	errno = EIO;
	return -1;
}
