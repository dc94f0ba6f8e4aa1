/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zstd.c - Zstandard: one frame a block, with the content size in it and no checksum, as the kernel makes them.
 *
 * Its errors are sizes beyond any block's, so decompressing passes them on as they are.
 */
#define ZSTD_STATIC_LINKING_ONLY /* custom memory, dictionaries by reference; shared libraries have them too */
#include <errno.h>
#include <stdlib.h>
#include <zdict.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/work.h"
#include "codec/backend.h"

static void zstd_levels(int *min, int *max, int *dflt)
{
	*min = ZSTD_minCLevel();
	*max = ZSTD_maxCLevel();
	*dflt = ZSTD_CLEVEL_DEFAULT;
}

static size_t zstd_bound(size_t n)
{
	return ZSTD_compressBound(n);
}

static void zstd_ctx_fini(struct zsi_codec_ctx *x)
{
	ZSTD_freeCCtx(x->compress);
	ZSTD_freeDCtx(x->decompress);
}

static size_t zstd_compress(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity)
{
	size_t len = ZSTD_compressCCtx(x->compress, dst, capacity, src, n, x->level);

	return ZSTD_isError(len) ? 0 : len;
}

/* The compressor takes its memory when it knows level and size: that is made to happen here, where it may fail. */
static int take_memory(struct zsi_codec_ctx *x)
{
	size_t room = zstd_bound(x->block_size);
	char *block = calloc(1, x->block_size + room);
	size_t len = block == NULL ? 0 : zstd_compress(x, block, x->block_size, block + x->block_size, room);

	free(block);
	return len > 0 ? 0 : ENOMEM;
}

/* zstd asks through these for all that a context takes, so that it is counted, and goes back when the context goes. */
static void *take(void *opaque, size_t bytes)
{
	struct zsi_codec_ctx *x = opaque;
	void *p = zsi_work_alloc(bytes);

	x->held += zsi_work_bytes(p);
	return p;
}

static void give_back(void *opaque, void *p)
{
	struct zsi_codec_ctx *x = opaque;

	x->held -= zsi_work_bytes(p);
	zsi_work_free(p);
}

static int zstd_compress_init(struct zsi_codec_ctx *x)
{
	x->compress = ZSTD_createCCtx_advanced((ZSTD_customMem){ take, give_back, x });
	if (x->compress == NULL || take_memory(x) != 0)
		return ENOMEM;
	x->bytes = x->held;
	return 0;
}

static int zstd_decompress_init(struct zsi_codec_ctx *x)
{
	x->decompress = ZSTD_createDCtx_advanced((ZSTD_customMem){ take, give_back, x });
	if (x->decompress == NULL)
		return ENOMEM;
	x->bytes = x->held;
	return 0;
}

static size_t zstd_decompress(struct zsi_codec_ctx *x, const void *src, size_t len, void *dst, size_t n)
{
	return ZSTD_decompressDCtx(x->decompress, dst, n, src, len);
}

static void zstd_dict_fini(struct zsi_codec_dict *d)
{
	ZSTD_freeCDict(d->compress);
	ZSTD_freeDDict(d->decompress);
}

/* Any bytes will do as a dictionary, but what begins like a trained one must be one. */
static int check_dict(const struct zsi_codec_dict *d)
{
	size_t header;

	if (ZDICT_getDictID(d->data, d->data_bytes) == 0)
		return 0;
	header = ZDICT_getDictHeaderSize(d->data, d->data_bytes);
	if (!ZDICT_isError(header))
		return 0;
	return ZSTD_getErrorCode(header) == ZSTD_error_memory_allocation ? ENOMEM : EINVAL;
}

static int zstd_dict_init(struct zsi_codec_dict *d)
{
	int error = check_dict(d);

	if (error != 0)
		return error;
	d->compress = ZSTD_createCDict_byReference(d->data, d->data_bytes, d->level);
	d->decompress = ZSTD_createDDict_byReference(d->data, d->data_bytes);
	if (d->compress == NULL || d->decompress == NULL) {
		zstd_dict_fini(d);
		return ENOMEM;
	}
	d->bytes = ZSTD_sizeof_CDict(d->compress) + ZSTD_sizeof_DDict(d->decompress);
	return 0;
}

static size_t zstd_compress_dict(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t n,
				 void *dst, size_t capacity)
{
	size_t len = ZSTD_compress_usingCDict(x->compress, dst, capacity, src, n, d->compress);

	return ZSTD_isError(len) ? 0 : len;
}

static size_t zstd_decompress_dict(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t len,
				   void *dst, size_t n)
{
	return ZSTD_decompress_usingDDict(x->decompress, dst, n, src, len, d->decompress);
}

const struct zsi_codec zsi_codec_zstd = {
	.name = "zstd",
	.levels = zstd_levels,
	.bound = zstd_bound,
	.compress_init = zstd_compress_init,
	.decompress_init = zstd_decompress_init,
	.ctx_fini = zstd_ctx_fini,
	.compress = zstd_compress,
	.decompress = zstd_decompress,
	.dict_init = zstd_dict_init,
	.dict_fini = zstd_dict_fini,
	.compress_dict = zstd_compress_dict,
	.decompress_dict = zstd_decompress_dict,
};
