/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lz4_format.c - what LZ4's compressors have in common: the streams, so the decompressor and the longest they become.
 */
#include <lz4.h>

#include "codec/backend.h"

/* The library's own limit, LZ4_ACCELERATION_MAX in its source: what is above counts as this. */
#define ACCELERATION_MAX 65537

void zsi_lz4_levels(int *min, int *max, int *dflt)
{
	*min = 1;
	*max = ACCELERATION_MAX;
	*dflt = 1;
}

size_t zsi_lz4_bound(size_t n)
{
	return (size_t)LZ4_COMPRESSBOUND(n);
}

/* A negative length, for what is damaged, becomes one that is no block's. */
size_t zsi_lz4_decompress(struct zsi_codec_ctx *x, const void *src, size_t len, void *dst, size_t n)
{
	(void)x;
	return (size_t)LZ4_decompress_safe(src, dst, (int)len, (int)n);
}

size_t zsi_lz4_decompress_dict(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t len,
			       void *dst, size_t n)
{
	(void)x;
	return (size_t)LZ4_decompress_safe_usingDict(src, dst, (int)len, (int)n, d->data, (int)d->data_bytes);
}
