/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * algorithm.c - the algorithms and their levels that are tried.
 *
 * Each block is compressed on its own and without a checksum, as the kernel's zram and libzram do. A dictionary is
 * digested once for each coder; a block then starts from a copy of that.
 */
#include "algorithm.h"

#include <libdeflate.h>
#include <lz4.h>
#define LZ4_HC_STATIC_LINKING_ONLY /* LZ4_resetStreamHC_fast() */
#include <lz4hc.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "block_coder.h"

struct coder {
	const struct algorithm *algorithm;
	int level;
	size_t len; /* of a block */
	const struct dictionary *dictionary;
	void *compress, *decompress; /* states */
	void *digest[2];             /* of the dictionary: to compress, to decompress */
};

/* open fills in the states, false without memory; close takes what open left, whole or not. */
struct coder_functions {
	bool (*open)(struct coder *coder);
	void (*close)(struct coder *coder);
	size_t (*compress)(struct coder *coder, const void *src, size_t len, void *dst, size_t room);
	bool (*decompress)(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len);
	bool (*keep)(struct coder *coder, const void *src, void *dst); /* NULL: compress has done it */
};

static void free_all(struct coder *coder)
{
	free(coder->compress);
	free(coder->decompress);
	free(coder->digest[0]);
}

static size_t lz4_bound(size_t len)
{
	return (size_t)LZ4_COMPRESSBOUND(len);
}

static bool lz4_open(struct coder *coder)
{
	coder->compress = malloc(sizeof(LZ4_stream_t));
	if (coder->compress == NULL || coder->dictionary == NULL)
		return coder->compress != NULL;
	coder->digest[0] = malloc(sizeof(LZ4_stream_t));
	if (coder->digest[0] == NULL)
		return false;
	LZ4_initStream(coder->digest[0], sizeof(LZ4_stream_t));
	LZ4_loadDict(coder->digest[0], coder->dictionary->bytes, (int)coder->dictionary->size);
	return true;
}

static size_t lz4_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room)
{
	if (coder->dictionary == NULL)
		return (size_t)LZ4_compress_fast_extState(coder->compress, src, dst, (int)len, (int)room, coder->level);
	memcpy(coder->compress, coder->digest[0], sizeof(LZ4_stream_t));
	return (size_t)LZ4_compress_fast_continue(coder->compress, src, dst, (int)len, (int)room, coder->level);
}

static bool lz4_decompress(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len)
{
	int n = coder->dictionary != NULL
			? LZ4_decompress_safe_usingDict(src, dst, (int)src_len, (int)len, coder->dictionary->bytes,
							(int)coder->dictionary->size)
			: LZ4_decompress_safe(src, dst, (int)src_len, (int)len);
	return n == (int)len;
}

static bool lz4hc_open(struct coder *coder)
{
	coder->compress = malloc(sizeof(LZ4_streamHC_t));
	if (coder->compress == NULL)
		return false;
	LZ4_initStreamHC(coder->compress, sizeof(LZ4_streamHC_t));
	if (coder->dictionary == NULL)
		return true;
	coder->digest[0] = malloc(sizeof(LZ4_streamHC_t));
	if (coder->digest[0] == NULL)
		return false;
	LZ4_initStreamHC(coder->digest[0], sizeof(LZ4_streamHC_t));
	LZ4_resetStreamHC_fast(coder->digest[0], coder->level);
	LZ4_loadDictHC(coder->digest[0], coder->dictionary->bytes, (int)coder->dictionary->size);
	return true;
}

static size_t lz4hc_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room)
{
	if (coder->dictionary != NULL)
		memcpy(coder->compress, coder->digest[0], sizeof(LZ4_streamHC_t));
	else
		LZ4_resetStreamHC_fast(coder->compress, coder->level);
	return (size_t)LZ4_compress_HC_continue(coder->compress, src, dst, (int)len, (int)room);
}

static bool zstd_open(struct coder *coder)
{
	const struct dictionary *dictionary = coder->dictionary;
	coder->compress = ZSTD_createCCtx();
	coder->decompress = ZSTD_createDCtx();
	if (dictionary != NULL) {
		coder->digest[0] = ZSTD_createCDict(dictionary->bytes, dictionary->size, coder->level);
		coder->digest[1] = ZSTD_createDDict(dictionary->bytes, dictionary->size);
	}
	return coder->compress != NULL && coder->decompress != NULL && (dictionary == NULL || (coder->digest[0] != NULL && coder->digest[1] != NULL));
}

static void zstd_close(struct coder *coder)
{
	ZSTD_freeCCtx(coder->compress);
	ZSTD_freeDCtx(coder->decompress);
	ZSTD_freeCDict(coder->digest[0]);
	ZSTD_freeDDict(coder->digest[1]);
}

static size_t zstd_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room)
{
	size_t n = coder->dictionary != NULL ? ZSTD_compress_usingCDict(coder->compress, dst, room, src, len, coder->digest[0])
				     : ZSTD_compressCCtx(coder->compress, dst, room, src, len, coder->level);
	return ZSTD_isError(n) ? 0 : n;
}

static bool zstd_decompress(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len)
{
	size_t n = coder->dictionary != NULL
			   ? ZSTD_decompress_usingDDict(coder->decompress, dst, len, src, src_len, coder->digest[1])
			   : ZSTD_decompressDCtx(coder->decompress, dst, len, src, src_len);
	return n == len;
}

static size_t libdeflate_bound(size_t len)
{
	return libdeflate_deflate_compress_bound(NULL, len);
}

static bool libdeflate_open(struct coder *coder)
{
	coder->compress = libdeflate_alloc_compressor(coder->level);
	coder->decompress = libdeflate_alloc_decompressor();
	return coder->compress != NULL && coder->decompress != NULL;
}

static void libdeflate_close(struct coder *coder)
{
	libdeflate_free_compressor(coder->compress);
	libdeflate_free_decompressor(coder->decompress);
}

static size_t libdeflate_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room)
{
	return libdeflate_deflate_compress(coder->compress, src, len, dst, room);
}

static bool libdeflate_decompress(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len)
{
	return libdeflate_deflate_decompress(coder->decompress, src, src_len, dst, len, NULL) == LIBDEFLATE_SUCCESS;
}

/* The kernel's zram: raw deflate, a window of 2 KiB, MAX_MEM_LEVEL of its zlib. */
enum { KERNEL_WINDOW_BITS = -11, KERNEL_MEMORY_LEVEL = 8 };

static size_t zlib_bound(size_t len)
{
	return compressBound(len) + len / 8; /* small windows take more than compressBound() allows for */
}

static bool zlib_open(struct coder *coder)
{
	z_stream *deflater = calloc(1, sizeof(*deflater)), *inflater = calloc(1, sizeof(*inflater));
	bool good = deflater != NULL && inflater != NULL &&
		    deflateInit2(deflater, coder->level, Z_DEFLATED, KERNEL_WINDOW_BITS, KERNEL_MEMORY_LEVEL,
				 Z_DEFAULT_STRATEGY) == Z_OK;
	if (good && inflateInit2(inflater, KERNEL_WINDOW_BITS) != Z_OK) {
		deflateEnd(deflater);
		good = false;
	}
	if (!good) {
		free(deflater);
		free(inflater);
		return false;
	}
	coder->compress = deflater;
	coder->decompress = inflater;
	return true;
}

static void zlib_close(struct coder *coder)
{
	if (coder->compress != NULL)
		deflateEnd(coder->compress);
	if (coder->decompress != NULL)
		inflateEnd(coder->decompress);
	free(coder->compress);
	free(coder->decompress);
}

/* zlib only reads what it is given, but its field is not const. */
static unsigned char *unconst(const void *src)
{
	union {
		const void *in;
		unsigned char *out;
	} u = { .in = src };
	return u.out;
}

static size_t zlib_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room)
{
	z_stream *z = coder->compress;
	deflateReset(z);
	z->next_in = unconst(src);
	z->avail_in = (unsigned)len;
	z->next_out = dst;
	z->avail_out = (unsigned)room;
	return deflate(z, Z_FINISH) == Z_STREAM_END ? z->total_out : 0;
}

static bool zlib_decompress(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len)
{
	z_stream *z = coder->decompress;
	inflateReset(z);
	z->next_in = unconst(src);
	z->avail_in = (unsigned)src_len;
	z->next_out = dst;
	z->avail_out = (unsigned)len;
	return inflate(z, Z_FINISH) == Z_STREAM_END && z->total_out == len;
}

/* What only libzram has: what is compressed stays in a device, and its place there stands for it. */
static size_t device_bound(size_t len)
{
	(void)len;
	return sizeof(size_t);
}

static bool device_open(struct coder *coder)
{
	const struct algorithm *a = coder->algorithm;
	char parameters[40] = "";
	if (!(a->where & IN_LIBRARY))
		snprintf(parameters, sizeof(parameters), a->levels != NULL ? "kernel=1 level=%d" : "kernel=1",
			 coder->level);
	coder->compress = block_coder_create(a->name, parameters, coder->len);
	return coder->compress != NULL;
}

static void device_close(struct coder *coder)
{
	block_coder_destroy(coder->compress);
}

static size_t device_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room)
{
	(void)len;
	(void)dst;
	(void)room;
	return block_coder_compress(coder->compress, src);
}

static bool device_keep(struct coder *coder, const void *src, void *dst)
{
	size_t place;
	bool kept = block_coder_keep(coder->compress, src, &place);
	memcpy(dst, &place, sizeof(place));
	return kept;
}

static bool device_decompress(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len)
{
	size_t place;
	(void)src_len;
	(void)len;
	memcpy(&place, src, sizeof(place));
	return block_coder_decompress(coder->compress, place, dst);
}

static const struct coder_functions device_functions = { device_open, device_close, device_compress,
							 device_decompress, device_keep };
static const struct coder_functions lz4_functions = { lz4_open, free_all, lz4_compress, lz4_decompress, NULL };
static const struct coder_functions lz4hc_functions = { lz4hc_open, free_all, lz4hc_compress, lz4_decompress, NULL };
static const struct coder_functions zstd_functions = { zstd_open, zstd_close, zstd_compress, zstd_decompress, NULL };
static const struct coder_functions zlib_functions = { zlib_open, zlib_close, zlib_compress, zlib_decompress, NULL };
static const struct coder_functions libdeflate_functions = { libdeflate_open, libdeflate_close, libdeflate_compress,
							     libdeflate_decompress, NULL };

/* Of LZ4's accelerations and zstd's negative levels, which go on for thousands, those that still compress something. */
static const int lz4_levels[] = { 1, 2, 3, 4, 6, 8, 12, 16 };
static const int lz4hc_levels[] = { 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const int zstd_levels[] = { -7, -5, -3, -1, 1,  2,  3,  4,  5,  6,  7,  8,  9,
				   10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22 };
static const int deflate_levels[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const int lz4_few[] = { 1, 4 };
static const int lz4hc_few[] = { 3, 9 };
static const int zstd_few[] = { -1, 1, 3, 9 };
static const int deflate_few[] = { 1, 6 };

enum { ZLIB_LEVELS = 9 };

#define LIST(array) (array), sizeof(array) / sizeof((array)[0])
#define EVERYWHERE (IN_KERNEL | IN_LIBRARY)

/* The columns are those of struct algorithm; the last but two where all levels are tried on all of the survey. */
#define NEVER INT_MAX, INT_MAX

/* clang-format off */
const struct algorithm algorithms[] = {
	{ "lzo-rle", EVERYWHERE, true, false, false, 0, NULL, 1, NULL, 1, NEVER, device_bound, &device_functions },
	{ "lzo", IN_KERNEL, true, false, false, 0, NULL, 1, NULL, 1, NEVER, device_bound, &device_functions },
	{ "lz4", IN_KERNEL, true, false, false, 1, LIST(lz4_levels), LIST(lz4_few), NEVER, device_bound,
	  &device_functions },
	{ "lz4hc", EVERYWHERE, false, true, true, 9, LIST(lz4hc_levels), LIST(lz4hc_few), 10, 12, lz4_bound,
	  &lz4hc_functions },
	{ "zstd", EVERYWHERE, false, false, true, 3, LIST(zstd_levels), LIST(zstd_few), 10, 13, ZSTD_compressBound,
	  &zstd_functions },
	{ "deflate", IN_KERNEL, false, true, false, 6, deflate_levels, ZLIB_LEVELS, LIST(deflate_few), 7, 9, zlib_bound,
	  &zlib_functions },
	{ "lzo", IN_LIBRARY, false, false, false, 0, NULL, 1, NULL, 1, NEVER, device_bound, &device_functions },
	{ "lz4", IN_LIBRARY, false, false, true, 1, LIST(lz4_levels), LIST(lz4_few), NEVER, lz4_bound, &lz4_functions },
	{ "deflate", IN_LIBRARY, false, true, false, 6, LIST(deflate_levels), LIST(deflate_few), 8, 10,
	  libdeflate_bound, &libdeflate_functions },
};
/* clang-format on */
const size_t algorithm_count = sizeof(algorithms) / sizeof(algorithms[0]);

struct coder *coder_create(const struct algorithm *algorithm, int level, size_t len,
			   const struct dictionary *dictionary)
{
	struct coder *coder = calloc(1, sizeof(*coder));
	if (coder == NULL)
		return NULL;
	coder->algorithm = algorithm;
	coder->level = level;
	coder->len = len;
	coder->dictionary = dictionary;
	if (algorithm->functions->open(coder))
		return coder;
	coder_destroy(coder);
	return NULL;
}

void coder_destroy(struct coder *coder)
{
	if (coder == NULL)
		return;
	coder->algorithm->functions->close(coder);
	free(coder);
}

size_t coder_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room)
{
	return coder->algorithm->functions->compress(coder, src, len, dst, room);
}

bool coder_decompress(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len)
{
	return coder->algorithm->functions->decompress(coder, src, src_len, dst, len);
}

bool coder_keep(struct coder *coder, const void *src, void *dst)
{
	return coder->algorithm->functions->keep == NULL || coder->algorithm->functions->keep(coder, src, dst);
}
