/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * deflate.c - raw deflate, by libdeflate, which is faster than zlib and denser at the same level. As
 * in the kernel it takes no dictionary.
 */
#include <errno.h>
#include <libdeflate.h>

#include "codec/backend.h"

/* libdeflate's: 0, which only copies, is of no use here; the default is zlib's and the kernel's. */
enum { LEVEL_MIN = 1, LEVEL_MAX = 12, LEVEL_DEFAULT = 6 };

/* It does not tell what it takes: this is what its versions from 1.8 to 1.24 do, rounded up. unit_codec compares. */
enum {
	LEVEL_HASH_CHAINS = 2,
	LEVEL_OPTIMAL = 10,
	FASTEST_BYTES = 208 << 10,
	HASH_CHAINS_BYTES = 680 << 10,
	OPTIMAL_BYTES = 8832 << 10,
	DECOMPRESSOR_BYTES = 12 << 10,
};

static void deflate_levels(int *min, int *max, int *dflt)
{
	*min = LEVEL_MIN;
	*max = LEVEL_MAX;
	*dflt = LEVEL_DEFAULT;
}

static size_t deflate_bound(size_t n)
{
	return libdeflate_deflate_compress_bound(NULL, n); /* NULL: at any level */
}

static void deflate_ctx_fini(struct zsi_codec_ctx *x)
{
	libdeflate_free_compressor(x->compress);
	libdeflate_free_decompressor(x->decompress);
}

/* libdeflate's tables of matches are of one size from level 2 on, of another from 10 on. */
static size_t compressor_bytes(int level)
{
	if (level < LEVEL_HASH_CHAINS)
		return FASTEST_BYTES;
	return level < LEVEL_OPTIMAL ? HASH_CHAINS_BYTES : OPTIMAL_BYTES;
}

static int deflate_compress_init(struct zsi_codec_ctx *x)
{
	x->compress = libdeflate_alloc_compressor(x->level);
	if (x->compress == NULL)
		return ENOMEM;
	x->bytes += compressor_bytes(x->level);
	return 0;
}

static int deflate_decompress_init(struct zsi_codec_ctx *x)
{
	x->decompress = libdeflate_alloc_decompressor();
	if (x->decompress == NULL)
		return ENOMEM;
	x->bytes += DECOMPRESSOR_BYTES;
	return 0;
}

static size_t deflate_compress(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity)
{
	return libdeflate_deflate_compress(x->compress, src, n, dst, capacity);
}

/* Without a place for the length, only a stream of exactly n bytes succeeds; nothing may follow its end. */
static size_t deflate_decompress(struct zsi_codec_ctx *x, const void *src, size_t len, void *dst, size_t n)
{
	size_t used = 0;
	enum libdeflate_result result = libdeflate_deflate_decompress_ex(x->decompress, src, len, dst, n, &used, NULL);

	return result == LIBDEFLATE_SUCCESS && used == len ? n : 0;
}

const struct zsi_codec zsi_codec_deflate = {
	.name = "deflate",
	.levels = deflate_levels,
	.bound = deflate_bound,
	.compress_init = deflate_compress_init,
	.decompress_init = deflate_decompress_init,
	.ctx_fini = deflate_ctx_fini,
	.compress = deflate_compress,
	.decompress = deflate_decompress,
};
