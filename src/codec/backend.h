/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * backend.h - what one algorithm's file gives to codec.c, which has checked everything by then.
 *
 * The structs are opaque to users of codec.h. An init function fills in the fields marked "its own" and returns 0, or
 * an errno; what it made until then is left to fini, which takes any field that is NULL. Files that offer no dictionary
 * leave those functions NULL, and those whose decompressor needs no memory leave decompress_init NULL.
 */
#ifndef ZSI_CODEC_BACKEND_H
#define ZSI_CODEC_BACKEND_H

#include <stddef.h>

struct zsi_codec;

struct zsi_codec_ctx {
	const struct zsi_codec *codec;
	int level;
	size_t block_size; /* bytes, the longest block */
	size_t bytes;      /* its own: memory that the two took when they were made */
	size_t held;       /* its own, if it is of use to it: memory that they hold now */
	void *compress;    /* its own, NULL where it does not compress */
	void *decompress;  /* its own, NULL where decompressing needs no memory, or it does not decompress */
};

struct zsi_codec_dict {
	const struct zsi_codec *codec;
	int level;
	const void *data; /* the caller's */
	size_t data_bytes;
	size_t bytes;     /* its own: memory that the two hold */
	void *compress;   /* its own, immutable after init */
	void *decompress; /* its own, immutable after init */
};

struct zsi_codec {
	const char *name;
	const struct zsi_codec *kernel; /* the one for the same streams whose lengths are the kernel's; NULL: there is none */
	void (*levels)(int *min, int *max, int *dflt); /* NULL: it has none */
	size_t (*bound)(size_t n);
	int (*compress_init)(struct zsi_codec_ctx *x);
	int (*decompress_init)(struct zsi_codec_ctx *x);
	void (*ctx_fini)(struct zsi_codec_ctx *x);
	size_t (*compress)(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity);
	/* The length of the result, or anything but n. */
	size_t (*decompress)(struct zsi_codec_ctx *x, const void *src, size_t len, void *dst, size_t n);
	int (*dict_init)(struct zsi_codec_dict *d);
	void (*dict_fini)(struct zsi_codec_dict *d);
	size_t (*compress_dict)(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t n,
				void *dst, size_t capacity);
	size_t (*decompress_dict)(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t len,
				  void *dst, size_t n);
};

extern const struct zsi_codec zsi_codec_lz4;
extern const struct zsi_codec zsi_codec_lz4hc;
extern const struct zsi_codec zsi_codec_lzo; /* where there is liblzo2 */
extern const struct zsi_codec zsi_codec_lzo_rle;
extern const struct zsi_codec zsi_codec_zstd;
extern const struct zsi_codec zsi_codec_deflate;

/* What lz4 and lzo have as .kernel. They are not in the table, but for the second where there is no liblzo2. */
extern const struct zsi_codec zsi_codec_kernel_lz4;
extern const struct zsi_codec zsi_codec_kernel_lzo;

/* LZ4's formats are one, so both of its compressors decompress alike. */
void zsi_lz4_levels(int *min, int *max, int *dflt);
size_t zsi_lz4_bound(size_t n);
size_t zsi_lz4_decompress(struct zsi_codec_ctx *x, const void *src, size_t len, void *dst, size_t n);
size_t zsi_lz4_decompress_dict(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t len,
			       void *dst, size_t n);

#endif
