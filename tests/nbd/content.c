/* SPDX-License-Identifier: BSD-3-Clause */
/* content.c - see content.h. */
#include "content.h"

#include <string.h>

static void fill_random(struct rng *rng, unsigned char *buf, size_t len)
{
	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		uint64_t word = rng_next(rng);
		memcpy(buf + i, &word, len - i < sizeof(word) ? len - i : sizeof(word));
	}
}

/* Words of a small vocabulary, as in text: compresses to a third or so. */
static void fill_words(struct rng *rng, unsigned char *buf, size_t len)
{
	static const char *const words[] = { "block ", "page ", "memory ", "compressed ",
					     "the ",   "of ",   "zspage ", "handle\n" };
	for (size_t i = 0; i < len;) {
		const char *word = words[rng_below(rng, sizeof(words) / sizeof(words[0]))];
		size_t n = strlen(word) < len - i ? strlen(word) : len - i;
		memcpy(buf + i, word, n);
		i += n;
	}
}

/* One machine word over and over: stores nothing. */
static void fill_same(struct rng *rng, unsigned char *buf, size_t len)
{
	uint64_t word = rng_one_in(rng, 2) ? 0 : rng_next(rng);
	for (size_t i = 0; i < len; i += sizeof(word))
		memcpy(buf + i, &word, len - i < sizeof(word) ? len - i : sizeof(word));
}

/* Random bytes and then zeros: any compressed size. */
static void fill_part(struct rng *rng, unsigned char *buf, size_t len)
{
	memset(buf, 0, len);
	for (size_t i = 0; i < len; i += 4096) {
		size_t n = (size_t)rng_below(rng, 4097);
		fill_random(rng, buf + i, n < len - i ? n : len - i);
	}
}

void content_fill(struct rng *rng, void *buf, size_t len)
{
	static void (*const kinds[])(struct rng *, unsigned char *, size_t) = { fill_random, fill_words, fill_same,
										fill_part,   fill_words, fill_part };
	kinds[rng_below(rng, sizeof(kinds) / sizeof(kinds[0]))](rng, buf, len);
}
