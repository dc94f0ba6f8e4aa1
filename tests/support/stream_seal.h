/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream_seal.h - make the digests of a saved device right again after it was changed, so that what looks at its contents
 * is reached. The format is in src/zram/stream.h.
 */
#ifndef TEST_STREAM_SEAL_H
#define TEST_STREAM_SEAL_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stddef.h>
#include <stdint.h>

#define SEAL_MAGIC 8u /* bytes before the first frame */
#define SEAL_HEAD 8u  /* type and length of a frame */

static inline uint32_t seal_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void seal_put(uint8_t *p, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

/* Where the frame after the one at `at` begins, n where that one is not whole. */
static inline size_t seal_next(const uint8_t *stream, size_t n, size_t at)
{
	size_t len;

	if (at > n || n - at < 2 * SEAL_HEAD)
		return n;
	len = seal_u32(stream + at + 4);
	return len > n - at - 2 * SEAL_HEAD ? n : at + 2 * SEAL_HEAD + len;
}

/* All frames that are whole. */
static inline void seal(uint8_t *stream, size_t n)
{
	for (size_t at = SEAL_MAGIC, next; at < n && n - at >= 2 * SEAL_HEAD; at = next) {
		next = at + 2 * SEAL_HEAD + seal_u32(stream + at + 4);
		if (next > n)
			return;
		seal_put(stream + next - 8, XXH64(stream, next - 8, 0), 8);
	}
}

#endif
