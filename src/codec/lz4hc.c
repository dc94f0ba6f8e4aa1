/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lz4hc.c - LZ4, searching harder: the same format, slower to compress, as fast to decompress.
 *
 * A context's stream is 256 KiB. Clearing it for each block would cost as much as compressing one, so it is reset the
 * fast way: the positions in its tables go on growing, and what earlier blocks left there lies before the start of the
 * present one. The result is the same. A dictionary is a stream that has loaded it, and a block starts from a copy.
 */
#include <errno.h>
#include <lz4.h>
#define LZ4_HC_STATIC_LINKING_ONLY /* LZ4_resetStreamHC_fast(); shared libraries have it too */
#include <lz4hc.h>
#include <string.h>

#include "base/work.h"
#include "codec/backend.h"

static void lz4hc_levels(int *min, int *max, int *dflt)
{
	*min = LZ4HC_CLEVEL_MIN;
	*max = LZ4HC_CLEVEL_MAX;
	*dflt = LZ4HC_CLEVEL_DEFAULT;
}

static LZ4_streamHC_t *create_stream(int level)
{
	LZ4_streamHC_t *stream = zsi_work_alloc(sizeof(*stream));

	if (stream != NULL) {
		(void)LZ4_initStreamHC(stream, sizeof(*stream));
		LZ4_resetStreamHC_fast(stream, level);
	}
	return stream;
}

static int lz4hc_compress_init(struct zsi_codec_ctx *x)
{
	x->compress = create_stream(x->level);
	if (x->compress == NULL)
		return ENOMEM;
	x->bytes = zsi_work_bytes(x->compress);
	return 0;
}

static void lz4hc_ctx_fini(struct zsi_codec_ctx *x)
{
	zsi_work_free(x->compress);
}

static size_t lz4hc_compress(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity)
{
	LZ4_resetStreamHC_fast(x->compress, x->level);
	return (size_t)LZ4_compress_HC_continue(x->compress, src, dst, (int)n, (int)capacity);
}

static int lz4hc_dict_init(struct zsi_codec_dict *d)
{
	LZ4_streamHC_t *stream = create_stream(d->level);

	if (stream == NULL)
		return ENOMEM;
	(void)LZ4_loadDictHC(stream, d->data, (int)d->data_bytes);
	d->compress = stream;
	d->bytes = zsi_work_bytes(stream);
	return 0;
}

static void lz4hc_dict_fini(struct zsi_codec_dict *d)
{
	zsi_work_free(d->compress);
}

static size_t lz4hc_compress_dict(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t n,
				  void *dst, size_t capacity)
{
	memcpy(x->compress, d->compress, sizeof(LZ4_streamHC_t));
	return (size_t)LZ4_compress_HC_continue(x->compress, src, dst, (int)n, (int)capacity);
}

const struct zsi_codec zsi_codec_lz4hc = {
	.name = "lz4hc",
	.levels = lz4hc_levels,
	.bound = zsi_lz4_bound,
	.compress_init = lz4hc_compress_init,
	.ctx_fini = lz4hc_ctx_fini,
	.compress = lz4hc_compress,
	.decompress = zsi_lz4_decompress,
	.dict_init = lz4hc_dict_init,
	.dict_fini = lz4hc_dict_fini,
	.compress_dict = lz4hc_compress_dict,
	.decompress_dict = zsi_lz4_decompress_dict,
};
