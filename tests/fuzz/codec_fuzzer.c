/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec_fuzzer.c - bytes to the compressors that are written here. The first says what the others are:
 *
 *   a stream   lzo-rle's decompressor gives a block or says that it is damaged; it reads and writes nothing outside. What
 *              of it liblzo2 takes for lzo is the same block for it
 *   a block    lzo-rle, and lzo and lz4 as the kernel has them, compress and give it back; liblzo2 and liblz4 read what
 *              the last two make
 *
 * Everything lies in memory of just its size, so that the sanitizers see what is outside.
 */
#include <lz4.h>
#ifdef HAVE_LZO2
#include <lzo/lzo1x.h>
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codec/backend.h"
#include "codec/codec.h"

#define BLOCK 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *copy_of(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	CHECK(copy != NULL);
	if (n > 0)
		memcpy(copy, data, n);
	return copy;
}

/* Whether the stream is one of lzo's that becomes n bytes. False where there is no liblzo2 to ask. */
static bool lzo2_reads(const uint8_t *stream, size_t len, uint8_t *back, size_t n)
{
#ifdef HAVE_LZO2
	lzo_uint got = n;

	return lzo1x_decompress_safe(stream, len, back, &got, NULL) == LZO_E_OK && got == n;
#else
	(void)stream, (void)len, (void)back, (void)n;
	return false;
#endif
}

static void try_stream(const uint8_t *data, size_t len, size_t n)
{
	struct zsi_codec_ctx *x = zsi_codec_ctx_create(zsi_codec_find("lzo-rle"), 0, n, ZSI_CODEC_DECOMPRESS);
	uint8_t *src = copy_of(data, len), *ours = malloc(n), *theirs = malloc(n);
	int result;

	CHECK(x != NULL && ours != NULL && theirs != NULL);
	result = zsi_codec_decompress(x, NULL, src, len, ours, n);
	/* An lzo stream never begins with 17 where it is not empty. */
	if (len > 0 && src[0] != 17 && lzo2_reads(src, len, theirs, n))
		CHECK(result == 0 && memcmp(ours, theirs, n) == 0);
	free(theirs);
	free(ours);
	free(src);
	zsi_codec_ctx_destroy(x);
}

/* What another library makes of a stream, where there is one. */
static void read_by_library(const struct zsi_codec *codec, const uint8_t *stream, size_t len, const uint8_t *block,
			    size_t n)
{
	uint8_t *back = malloc(n);
	bool read = false;

	CHECK(back != NULL);
	if (strcmp(zsi_codec_name(codec), "lz4") == 0)
		read = LZ4_decompress_safe((const char *)stream, (char *)back, (int)len, (int)n) == (int)n;
	else if (strcmp(zsi_codec_name(codec), "lzo") == 0)
		read = lzo2_reads(stream, len, back, n);
	CHECK(read ? memcmp(block, back, n) == 0 : strcmp(zsi_codec_name(codec), "lz4") != 0);
	free(back);
}

static void try_block(const struct zsi_codec *codec, const uint8_t *data, size_t n)
{
	const size_t bound = zsi_codec_bound(codec, n);
	struct zsi_codec_ctx *x = zsi_codec_ctx_create(codec, 1, n, ZSI_CODEC_BOTH);
	uint8_t *src = copy_of(data, n), *packed = malloc(bound), *back = malloc(n), *stream, *tight;
	size_t len;

	CHECK(x != NULL && packed != NULL && back != NULL);
	len = zsi_codec_compress(x, NULL, src, n, packed, bound);
	CHECK(len > 0 && len <= bound);
	stream = copy_of(packed, len);
	CHECK(zsi_codec_decompress(x, NULL, stream, len, back, n) == 0 && memcmp(src, back, n) == 0);
	read_by_library(codec, stream, len, src, n);
	/* In just that much room it is the same, in less there is none. */
	tight = malloc(len);
	CHECK(tight != NULL && zsi_codec_compress(x, NULL, src, n, tight, len) == len);
	CHECK(memcmp(tight, stream, len) == 0);
	CHECK(zsi_codec_compress(x, NULL, src, n, tight, len - 1) == 0);
	free(tight);
	free(stream);
	free(back);
	free(packed);
	free(src);
	zsi_codec_ctx_destroy(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "lzo-rle", "lzo", "lz4" };
	static uint8_t block[ZSI_CODEC_BLOCK_MAX];
	size_t n = size - 1;

	if (size < 2 || n > ZSI_CODEC_BLOCK_MAX)
		return 0;
	if (data[0] < 128) {
		try_stream(data + 1, n, data[0] % 2 == 0 ? BLOCK : 1 + (size_t)data[0] * 100);
		return 0;
	}
	memcpy(block, data + 1, n);
	/* Now and then over and over up to 64 KiB, which has the far distances. */
	if (data[0] % 16 == 1)
		for (; n < sizeof(block); n++)
			block[n] = (uint8_t)(block[n + 1 - size] + (n % 251 == 0));
	for (unsigned i = 0; i < 3; i++)
		try_block(zsi_codec_kernel(zsi_codec_find(names[i])), block, n);
	return 0;
}
