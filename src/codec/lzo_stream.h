/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lzo_stream.h - LZO1X streams, written here: what lzo and lzo-rle share.
 *
 * A stream is literals and instructions. Each instruction copies bytes from some distance back, and its two lowest bits
 * (of the opcode or of the distance) say how many literals, 0 to 3, come right behind it. More have an instruction of
 * their own. By the opcode:
 *
 *   0000LLLL            3 + L literals, if none came right before; else a copy of 2 or 3 bytes, which only other
 *                       compressors make
 *   0001HLLL D D        a far copy: a distance of 16384 + H * 16384 + D, of at most 48 KiB. 16384 ends the stream
 *   001LLLLL D D        a near copy: a distance of 1 + D, of at most 16 KiB
 *   LLLDDDSS D          a short copy of 3 to 8 bytes: a distance of 1 + D, of at most 2 KiB
 *
 * An L of 0 goes on in bytes of its own, a zero for each 255. lzo-rle's streams begin with 17 and a version, and in
 * them a far copy with all bits of H and D set is a run of zeros: 4 + X * 8 + L of them, X being one more byte. (The
 * kernel's document on the LZO stream has all of this, with the few bits that are left out here.)
 */
#ifndef ZSI_CODEC_LZO_STREAM_H
#define ZSI_CODEC_LZO_STREAM_H

#include <stddef.h>
#include <stdint.h>

/* The two sorts of streams. What reads the second reads the first too. */
enum zsi_lzo_version {
	ZSI_LZO_PLAIN, /* the kernel's "lzo" */
	ZSI_LZO_RLE,   /* the kernel's "lzo-rle" */
};

/* Opcodes begin here, each with the bits below it. */
enum {
	ZSI_LZO_FAR = 16,
	ZSI_LZO_NEAR = 32,
	ZSI_LZO_SHORT = 64,
};

/* First bytes above this stand for so many literals more; it alone says that a version follows. */
#define ZSI_LZO_FIRST 17u

#define ZSI_LZO_END_BYTES 3u          /* FAR | 1, 0, 0 */
#define ZSI_LZO_SHORT_DISTANCE 0x800u /* the longest of a short copy */
#define ZSI_LZO_NEAR_DISTANCE 0x4000u /* of a near one */
#define ZSI_LZO_LEAST_RUN 4u          /* zeros */
#define ZSI_LZO_LONGEST_RUN (ZSI_LZO_LEAST_RUN + 0x7ffu)

/* What the compressor needs: zeroed by each call. */
#define ZSI_LZO_TABLE_BYTES ((size_t)2 << 13)

/* The most that n bytes can become. */
size_t zsi_lzo_bound(size_t n);

/*
 * Compress n bytes, 1 to 64 KiB, into dst, which has room for the bound. The length is the kernel's.
 */
size_t zsi_lzo_compress(enum zsi_lzo_version version, void *table, const uint8_t *src, size_t n, uint8_t *dst);

/*
 * Decompress what must become exactly n bytes, of a version of at most newest. n, or 0 where src is damaged. Whatever
 * it is, nothing is read outside of it and nothing written outside of dst's n bytes.
 */
size_t zsi_lzo_decompress(enum zsi_lzo_version newest, const uint8_t *src, size_t len, uint8_t *dst, size_t n);

#endif
