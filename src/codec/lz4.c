/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lz4.c - LZ4, fast. The level is what LZ4 calls acceleration, as in the kernel: 1 is the densest, and the default.
 *
 * A context is one LZ4_stream_t. Without a dictionary it is cleared by each call, all 16 KiB: the variants that do not
 * clear it do so anyway from 4 KiB of input on. A dictionary is a stream that has loaded it; a block starts from a copy
 * of that, which costs as much as clearing does. The kernel's lengths differ by little: see lz4_kernel.c.
 */
#include <errno.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "base/work.h"
#include "codec/backend.h"

static int lz4_compress_init(struct zsi_codec_ctx *x)
{
	x->compress = zsi_work_alloc(sizeof(LZ4_stream_t));
	if (x->compress == NULL)
		return ENOMEM;
	x->bytes = zsi_work_bytes(x->compress);
	return 0;
}

static void lz4_ctx_fini(struct zsi_codec_ctx *x)
{
	zsi_work_free(x->compress);
}

static size_t lz4_compress(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity)
{
	return (size_t)LZ4_compress_fast_extState(x->compress, src, dst, (int)n, (int)capacity, x->level);
}

static int lz4_dict_init(struct zsi_codec_dict *d)
{
	LZ4_stream_t *stream = malloc(sizeof(*stream));

	if (stream == NULL)
		return ENOMEM;
	(void)LZ4_initStream(stream, sizeof(*stream));
	(void)LZ4_loadDict(stream, d->data, (int)d->data_bytes);
	d->compress = stream;
	d->bytes = sizeof(*stream);
	return 0;
}

static void lz4_dict_fini(struct zsi_codec_dict *d)
{
	free(d->compress);
}

static size_t lz4_compress_dict(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t n,
				void *dst, size_t capacity)
{
	memcpy(x->compress, d->compress, sizeof(LZ4_stream_t));
	return (size_t)LZ4_compress_fast_continue(x->compress, src, dst, (int)n, (int)capacity, d->level);
}

const struct zsi_codec zsi_codec_lz4 = {
	.name = "lz4",
	.kernel = &zsi_codec_kernel_lz4,
	.levels = zsi_lz4_levels,
	.bound = zsi_lz4_bound,
	.compress_init = lz4_compress_init,
	.ctx_fini = lz4_ctx_fini,
	.compress = lz4_compress,
	.decompress = zsi_lz4_decompress,
	.dict_init = lz4_dict_init,
	.dict_fini = lz4_dict_fini,
	.compress_dict = lz4_compress_dict,
	.decompress_dict = zsi_lz4_decompress_dict,
};
