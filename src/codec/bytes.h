/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes.h - numbers of several bytes in streams, and runs of bytes, for the compressors that are written here.
 *
 * Everything works at any address and gives the same on machines of either byte order: what is loaded is
 * little-endian, as the streams are.
 */
#ifndef ZSI_CODEC_BYTES_H
#define ZSI_CODEC_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t zsi_load16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t zsi_load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return v;
}

static inline uint64_t zsi_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline void zsi_store16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

/*
 * Of the eight bytes that a difference, not 0, of two zsi_load64() stands for: how many before the first that differs.
 */
static inline size_t zsi_equal_bytes(uint64_t difference)
{
	return (size_t)__builtin_ctzll(difference) / 8;
}

/* One move of 8, or 16 bytes. The two places may overlap where what is read lies wholly before what is written. */
static inline void zsi_move8(uint8_t *to, const uint8_t *from)
{
	memcpy(to, from, 8);
}

static inline void zsi_move16(uint8_t *to, const uint8_t *from)
{
	memcpy(to, from, 16);
}

#endif
