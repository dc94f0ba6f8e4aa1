/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec.h - the compressors, behind one table.
 *
 * A codec's context holds the working memory of one thread. compress gets a destination of bound(len) bytes, which is
 * always enough, so the size is what it takes, larger than the page too where a page can't be compressed.
 */
#ifndef ZS_CODEC_H
#define ZS_CODEC_H

#include <stdbool.h>
#include <stddef.h>

struct codec {
	const char *name;
	void *(*create)(void); /* NULL: no memory */
	void (*destroy)(void *context);
	size_t (*bound)(size_t len);
	/* Bytes written to dst, 0 on failure. */
	size_t (*compress)(void *context, const void *src, size_t len, void *dst, size_t room);
	/* Whether src decompressed to exactly len bytes. */
	bool (*decompress)(void *context, const void *src, size_t src_len, void *dst, size_t len);
};

/* NULL if there is none of that name. */
const struct codec *codec_find(const char *name);

#endif
