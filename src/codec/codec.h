/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec.h - the compression algorithms behind one table, under the names that the kernel's zram gives them.
 *
 *   codec    an algorithm; static, immutable, shared by everyone
 *   level    how hard it tries; what the number means is the algorithm's business
 *   dict     a dictionary, digested for one algorithm and level; read-only once made, shared by any number of threads
 *   ctx      the working memory for one algorithm, level and block size: of one thread at a time. What it is for, to
 *            compress or to decompress, is said when it is made; the one is large, the other small or nothing
 *   bound    the most that n bytes can become when compressed
 *
 * What is compressed here is one block on its own, without a checksum, as the kernel does it: lz4 and lz4hc make LZ4
 * blocks, lzo LZO1X-1, lzo-rle the kernel's extension of that, zstd a frame with the content size, deflate a raw stream
 * without header. Only names whose algorithm is here are found: 842, which the kernel has too, is not.
 *
 * No lock is taken. Compressing and decompressing allocate nothing, but for the first use of a zstd dictionary in a
 * context, which may; when there is no memory for it the block counts as one that does not fit.
 */
#ifndef ZSI_CODEC_CODEC_H
#define ZSI_CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>

/* What an algorithm is asked to do. */
struct zsi_codec_params {
	int level;
	bool has_level;   /* else the algorithm's default */
	const void *dict; /* not owned; NULL: none */
	size_t dict_bytes;
};

struct zsi_codec;
struct zsi_codec_dict;
struct zsi_codec_ctx;

/* Blocks are at most this long, bytes. */
#define ZSI_CODEC_BLOCK_MAX 65536u

/* A dictionary is at least and at most so long, bytes: less is too short to be of any use to zstd and LZ4 alike. */
#define ZSI_CODEC_DICT_MIN 8u
#define ZSI_CODEC_DICT_MAX (1u << 30)

/* The algorithm of that name, or NULL. The ith of all there are, or NULL past the last. */
const struct zsi_codec *zsi_codec_find(const char *name);
const struct zsi_codec *zsi_codec_at(unsigned i);

const char *zsi_codec_name(const struct zsi_codec *c);

/*
 * A codec for the same streams, with the same levels and name and without dictionaries, that makes each block as long
 * as the kernel's zram does; c itself where it does so anyway. The kernel's LZ4 and LZO are not the libraries'. NULL:
 * it is not known what the kernel would make.
 */
const struct zsi_codec *zsi_codec_kernel(const struct zsi_codec *c);

/* The least and the highest level, and the one to use where none is asked for. False: it has no levels; all are 0. */
bool zsi_codec_levels(const struct zsi_codec *c, int *min, int *max, int *dflt);

bool zsi_codec_takes_dict(const struct zsi_codec *c);

/* Bytes that always hold what n bytes, at most ZSI_CODEC_BLOCK_MAX, are compressed to. */
size_t zsi_codec_bound(const struct zsi_codec *c, size_t n);

/*
 * Digest a dictionary. The bytes are not copied: they must stay, unchanged, until it is destroyed. NULL: EINVAL the
 * algorithm takes none, the level is out of range, the dictionary is too short, too long or damaged; ENOMEM.
 */
struct zsi_codec_dict *zsi_codec_dict_create(const struct zsi_codec *c, int level, const void *bytes, size_t n);
void zsi_codec_dict_destroy(struct zsi_codec_dict *d); /* NULL is a no-op; nobody may be using it */

/* Memory that it holds beside the bytes it was made from. */
size_t zsi_codec_dict_bytes(const struct zsi_codec_dict *d);

/* What a context is for. */
enum zsi_codec_use {
	ZSI_CODEC_COMPRESS = 1,
	ZSI_CODEC_DECOMPRESS = 2,
	ZSI_CODEC_BOTH = ZSI_CODEC_COMPRESS | ZSI_CODEC_DECOMPRESS,
};

/*
 * A context for blocks of up to block_size bytes; level is ignored where there are none. NULL: EINVAL the level or
 * block_size is out of range; ENOMEM.
 */
struct zsi_codec_ctx *zsi_codec_ctx_create(const struct zsi_codec *c, int level, size_t block_size,
					   enum zsi_codec_use use);
void zsi_codec_ctx_destroy(struct zsi_codec_ctx *x); /* NULL is a no-op */

/* Memory that it took when it was made. libdeflate does not tell: for it, the most that its versions take. */
size_t zsi_codec_ctx_bytes(const struct zsi_codec_ctx *x);

/* Whether decompressing needs no memory: then any number of threads may use one context for it at once. */
bool zsi_codec_decompresses_without(const struct zsi_codec *c);

/*
 * Compress n bytes, 1 to the context's block_size. The compressed size, or 0 when it does not fit into capacity, which
 * is no error; nothing is written past capacity. With capacity of at least zsi_codec_bound() it always fits, and the
 * size depends on nothing but the input, algorithm, level and dictionary. With less, algorithms give up a few bytes
 * before the room is really used up: a result of capacity minus 16 or more bytes may be refused.
 *
 * dict, or NULL, is one made for the same algorithm; its level is then the one that counts.
 */
size_t zsi_codec_compress(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t n, void *dst,
			  size_t capacity);

/*
 * Decompress what must become exactly n bytes, with the dictionary that it was compressed with. 0, or -1 with EIO when
 * src is damaged, of another length or of another dictionary, as far as that shows: none of the formats has a checksum
 * here. Whatever src is, nothing is read outside of it and nothing written outside of dst's n bytes; on failure what
 * these hold is undefined.
 */
int zsi_codec_decompress(struct zsi_codec_ctx *x, const struct zsi_codec_dict *d, const void *src, size_t len,
			 void *dst, size_t n);

/*
 * Train a dictionary on n samples that lie one after the other in samples, sizes[i] bytes each: blocks such as will be
 * compressed, a hundred times as many bytes as the dictionary is to have or at least ten. Takes seconds where samples
 * are many megabytes. Bytes written to out; 0: EINVAL they are too few, too small or too much alike, or capacity is
 * less than 256; ENOMEM.
 */
size_t zsi_codec_dict_train(void *out, size_t capacity, const void *samples, const size_t *sizes, unsigned n);

#endif
