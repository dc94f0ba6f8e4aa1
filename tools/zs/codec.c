/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec.c - see codec.h.
 *
 * Both do what the kernel's zram does by default: lz4 with acceleration 1, zstd at level 3, each page on its own,
 * without a checksum.
 */
#include "codec.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static void *lz4_create(void)
{
	return malloc((size_t)LZ4_sizeofState());
}

static size_t lz4_bound(size_t len)
{
	return (size_t)LZ4_compressBound((int)len);
}

static size_t lz4_compress(void *context, const void *src, size_t len, void *dst, size_t room)
{
	int n = LZ4_compress_fast_extState(context, src, dst, (int)len, (int)room, 1);
	return n > 0 ? (size_t)n : 0;
}

static bool lz4_decompress(void *context, const void *src, size_t src_len, void *dst, size_t len)
{
	(void)context;
	return LZ4_decompress_safe(src, dst, (int)src_len, (int)len) == (int)len;
}

struct zstd_context {
	ZSTD_CCtx *compress;
	ZSTD_DCtx *decompress;
};

static void zstd_destroy(void *context)
{
	struct zstd_context *zstd = context;
	if (!zstd)
		return;
	ZSTD_freeCCtx(zstd->compress);
	ZSTD_freeDCtx(zstd->decompress);
	free(zstd);
}

static void *zstd_create(void)
{
	struct zstd_context *zstd = malloc(sizeof(*zstd));
	if (!zstd)
		return NULL;
	zstd->compress = ZSTD_createCCtx();
	zstd->decompress = ZSTD_createDCtx();
	if (!zstd->compress || !zstd->decompress) {
		zstd_destroy(zstd);
		return NULL;
	}
	return zstd;
}

static size_t zstd_compress(void *context, const void *src, size_t len, void *dst, size_t room)
{
	enum { LEVEL = 3 }; /* zram's and the library's default */
	struct zstd_context *zstd = context;
	size_t n = ZSTD_compressCCtx(zstd->compress, dst, room, src, len, LEVEL);
	return ZSTD_isError(n) ? 0 : n;
}

static bool zstd_decompress(void *context, const void *src, size_t src_len, void *dst, size_t len)
{
	struct zstd_context *zstd = context;
	return ZSTD_decompressDCtx(zstd->decompress, dst, len, src, src_len) == len;
}

static const struct codec codecs[] = {
	{ "lz4", lz4_create, free, lz4_bound, lz4_compress, lz4_decompress },
	{ "zstd", zstd_create, zstd_destroy, ZSTD_compressBound, zstd_compress, zstd_decompress },
};

const struct codec *codec_find(const char *name)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (strcmp(codecs[i].name, name) == 0)
			return &codecs[i];
	return NULL;
}
