/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lzo_rle.c - lzo-rle, and lzo as the kernel makes it: the streams of lzo_stream.h. Neither levels nor dictionaries.
 *
 * The compressor does not look where the room ends, so unless there is room for everything the result is made in a
 * buffer of the context's and copied.
 *
 *   context = [ table, ZSI_LZO_TABLE_BYTES | buffer, the bound of a block ]
 */
#include <errno.h>
#include <string.h>

#include "base/work.h"
#include "codec/backend.h"
#include "codec/lzo_stream.h"

static int init(struct zsi_codec_ctx *x)
{
	x->compress = zsi_work_alloc(ZSI_LZO_TABLE_BYTES + zsi_lzo_bound(x->block_size));
	if (x->compress == NULL)
		return ENOMEM;
	x->bytes = zsi_work_bytes(x->compress);
	return 0;
}

static void fini(struct zsi_codec_ctx *x)
{
	zsi_work_free(x->compress);
}

static size_t compress(struct zsi_codec_ctx *x, enum zsi_lzo_version version, const void *src, size_t n, void *dst,
		       size_t capacity)
{
	uint8_t *scratch = (uint8_t *)x->compress + ZSI_LZO_TABLE_BYTES;
	uint8_t *out = capacity >= zsi_lzo_bound(n) ? dst : scratch;
	size_t len = zsi_lzo_compress(version, x->compress, src, n, out);

	if (len > capacity)
		return 0;
	if (out == scratch)
		memcpy(dst, scratch, len);
	return len;
}

static size_t rle_compress(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity)
{
	return compress(x, ZSI_LZO_RLE, src, n, dst, capacity);
}

static size_t plain_compress(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity)
{
	return compress(x, ZSI_LZO_PLAIN, src, n, dst, capacity);
}

static size_t rle_decompress(struct zsi_codec_ctx *x, const void *src, size_t len, void *dst, size_t n)
{
	(void)x;
	return zsi_lzo_decompress(ZSI_LZO_RLE, src, len, dst, n);
}

static size_t plain_decompress(struct zsi_codec_ctx *x, const void *src, size_t len, void *dst, size_t n)
{
	(void)x;
	return zsi_lzo_decompress(ZSI_LZO_PLAIN, src, len, dst, n);
}

const struct zsi_codec zsi_codec_lzo_rle = {
	.name = "lzo-rle",
	.kernel = &zsi_codec_lzo_rle,
	.bound = zsi_lzo_bound,
	.compress_init = init,
	.ctx_fini = fini,
	.compress = rle_compress,
	.decompress = rle_decompress,
};

const struct zsi_codec zsi_codec_kernel_lzo = {
	.name = "lzo",
	.kernel = &zsi_codec_kernel_lzo,
	.bound = zsi_lzo_bound,
	.compress_init = init,
	.ctx_fini = fini,
	.compress = plain_compress,
	.decompress = plain_decompress,
};
