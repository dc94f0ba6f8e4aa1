/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * same.c - blocks that are one machine word over and over.
 *
 * Most blocks are not, and show it in their first words or their last; only what passes those is looked at as a whole,
 * by comparing every vector with one that is full of the first word. That reads each byte once, where a memcmp() of the
 * block with itself shifted by a word reads it twice.
 */
#include <string.h>

#include "base/bits.h"
#include "device/same.h"

typedef uint64_t vector __attribute__((vector_size(32)));

enum { VECTORS = 8 }; /* looked at between two chances to stop */

/* The loop for whatever vectors the compiler may use in the function that it is inlined into. */
static inline __attribute__((always_inline)) bool all_words_are(const uint8_t *at, size_t bytes, uint64_t word)
{
	const vector want = { word, word, word, word };
	const uint8_t *end = at + bytes;

	while (at + sizeof(vector) * VECTORS <= end) {
		vector wrong = { 0 };

		for (unsigned i = 0; i < VECTORS; i++) {
			vector v;

			memcpy(&v, at + i * sizeof(v), sizeof(v));
			wrong |= v ^ want;
		}
		if ((wrong[0] | wrong[1] | wrong[2] | wrong[3]) != 0)
			return false;
		at += sizeof(vector) * VECTORS;
	}
	for (; at < end; at += sizeof(word))
		if (memcmp(at, &word, sizeof(word)) != 0)
			return false;
	return true;
}

static bool all_words_are_plain(const uint8_t *at, size_t bytes, uint64_t word)
{
	return all_words_are(at, bytes, word);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static bool all_words_are_avx2(const uint8_t *at, size_t bytes, uint64_t word)
{
	return all_words_are(at, bytes, word);
}
#endif

bool zsi_same_filled(const void *data, size_t bytes, uint64_t *word)
{
	const uint8_t *at = data;
	uint64_t first, last, second;

	memcpy(&first, at, sizeof(first));
	memcpy(&second, at + sizeof(first), sizeof(second));
	/* The end is looked at only then: it is in a cache line of its own, far from where reading goes on. */
	if (zsi_likely(first != second))
		return false;
	memcpy(&last, at + bytes - sizeof(last), sizeof(last));
	if (first != last)
		return false;
	*word = first;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return all_words_are_avx2(at, bytes, first);
#endif
	return all_words_are_plain(at, bytes, first);
}

void zsi_same_fill(void *data, size_t bytes, uint64_t word)
{
	if (word == 0) {
		memset(data, 0, bytes);
		return;
	}
	for (size_t i = 0; i < bytes; i += sizeof(word))
		memcpy((uint8_t *)data + i, &word, sizeof(word));
}
