/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * algorithm.h - the compression algorithms that zs advise compares, with all their levels.
 *
 *   algorithm   a name and where it is: in the kernel's zram, in libzram, in both
 *   coder       the working memory of one thread for one algorithm, level, block size and dictionary
 *
 * deflate is two algorithms, since the kernel's is zlib's with a small window and libzram's is libdeflate.
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
	bool dictionary;    /* takes one */
	int usual;          /* the level where none is said */
	const int *levels;  /* all that are tried, usual among them; NULL: it has none */
	size_t level_count; /* 1 where it has none */
	const int *few;     /* those of a quick survey */
	size_t few_count;
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

/* NULL without memory. dictionary may be NULL, and must stay otherwise. */
struct coder *coder_create(const struct algorithm *algorithm, int level, const struct dictionary *dictionary);
void coder_destroy(struct coder *coder);

/* Room of at least bound(len). The compressed size, 0 on failure. */
size_t coder_compress(struct coder *coder, const void *src, size_t len, void *dst, size_t room);
bool coder_decompress(struct coder *coder, const void *src, size_t src_len, void *dst, size_t len);

#endif
