/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * algorithm.h - the compression algorithms that zs advise compares, with all their levels.
 *
 *   algorithm   a name and where it is: in the kernel's zram, in libzram, in both
 *   coder       the working memory of one thread for one algorithm, level, block size and dictionary
 *
 * lzo, lz4 and deflate are two algorithms each. The kernel's lzo and lz4 make other sizes than the libraries, and
 * libzram has them as the kernel does; the kernel's deflate is zlib's with a small window, libzram's is libdeflate. What the
 * kernel's lz4hc, zstd and deflate make is estimated: they are of other versions than the libraries.
 */
#ifndef ZS_ALGORITHM_H
#define ZS_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>

enum { IN_KERNEL = 1, IN_LIBRARY = 2 };

enum { LONGEST_BLOCK = 65536, MOST_LEVELS = 32 };

struct algorithm {
	const char *name;
	unsigned where;     /* IN_* */
	bool exact;         /* sizes are those of the kernel, to the byte */
	bool slow;          /* a quick advice tries its usual level on a part of the sample */
	bool dictionary;    /* takes one */
	int usual;          /* the level where none is said */
	const int *levels;  /* all that are tried, usual among them; NULL: it has none */
	size_t level_count; /* 1 where it has none */
	const int *few;     /* those of a quick survey */
	size_t few_count;
	int quarter_from, eighth_from; /* levels so slow that they are tried on a part of the survey */
	size_t (*bound)(size_t len);
	const struct coder_functions *functions;
};

extern const struct algorithm algorithms[];
extern const size_t algorithm_count;

struct dictionary {
	void *bytes;
	size_t size; /* 0: there is none */
};

struct coder;

/* For blocks of len bytes. NULL without memory. dictionary may be NULL, and must stay otherwise. */
struct coder *coder_create(const struct algorithm *algorithm, int level, size_t len,
			   const struct dictionary *dictionary);
void coder_destroy(struct coder *coder);

/* Room of at least bound(len). The compressed size, 0 on failure. */
size_t coder_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room);
/*
 * To decompress it afterwards, once for what was compressed from src to dst: some compressors keep a block elsewhere, and
 * only the last 64 or so. Apart from coder_compress(), whose time is taken. False without memory.
 */
bool coder_keep(struct coder *coder, const void *src, void *dst);
bool coder_decompress(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len);

#endif
