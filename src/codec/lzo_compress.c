/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lzo_compress.c - see lzo_stream.h. A compressor that makes streams of the lengths that the kernel's makes.
 *
 *   part      what distances reach: a block is compressed in parts of so many bytes, each with an empty table. Literals
 *             at the end of one are written with the first instruction of the next
 *   table     for each hash of four bytes the position, in the part, that had it last; positions begin as 0
 *   search    looks at one position after the other, at every 2nd after 32 literals, at every 3rd after 64, ...
 *   match     four bytes alike at the position found, extended forwards, eight bytes at a time
 *   run       in lzo-rle four zeros at a position are looked at as a run first, and don't go into the table
 *   limits    nothing begins in a part's last 20 bytes, so a match may be extended by whole words
 *   hint      where the lowest bits of the last instruction are, which take up to three literals
 */
#include <stdbool.h>
#include <string.h>

#include "base/bits.h"
#include "codec/bytes.h"
#include "codec/lzo_stream.h"

#define HASH_BITS 13u
#define HASH_FACTOR 0x1824429du
#define SKIP_SHIFT 5u /* literals before the step grows: 32 */
#define TAIL 20u      /* bytes at a part's end in which nothing begins */
#define LEAST_MATCH 4u
#define SHORT_LONGEST 8u
#define NEAR_LONGEST 33u
#define FAR_LONGEST 9u
#define FAR_PART_PLAIN 0xc000u /* the farthest distance, and one: the length of a part */
#define FAR_PART_RLE 0xbfffu   /* one less, since the farthest means a run */

_Static_assert(ZSI_LZO_TABLE_BYTES == sizeof(uint16_t) << HASH_BITS, "a table of positions");

/* A block under way. */
struct block {
	uint16_t *table;
	const uint8_t *part;  /* the part's first byte */
	const uint8_t *limit; /* nothing begins from here on */
	const uint8_t *since; /* the part's first byte, or the last instruction's end */
	size_t carried;       /* literals before since that have not been written */
	uint8_t *out;         /* where the next byte goes */
	uint8_t *hint;
};

size_t zsi_lzo_bound(size_t n)
{
	return n + n / 16 + 64 + 3 + 2;
}

/* The rest of a length whose own bits are 0. */
static uint8_t *put_rest(uint8_t *out, size_t rest)
{
	for (; rest > 255; rest -= 255)
		*out++ = 0;
	*out++ = (uint8_t)rest;
	return out;
}

/* An instruction for n literals, at least four. */
static uint8_t *put_literal_count(uint8_t *out, size_t n)
{
	if (n <= 18) {
		*out++ = (uint8_t)(n - 3);
		return out;
	}
	*out++ = 0;
	return put_rest(out, n - 18);
}

/* The literals up to at. Behind it there are at least TAIL bytes, so whole words are moved. */
static inline void put_literals(struct block *b, const uint8_t *at)
{
	const uint8_t *from = b->since - b->carried;
	size_t n = (size_t)(at - from);

	if (n == 0)
		return;
	if (n <= 3)
		*b->hint |= (uint8_t)n;
	else
		b->out = put_literal_count(b->out, n);
	zsi_move16(b->out, from);
	for (size_t i = 16; zsi_unlikely(i < n); i += 16)
		zsi_move16(b->out + i, from + i);
	b->out += n;
}

/* How many bytes at x and y are alike, four being known. Whole words from the limit on. */
static inline size_t match_length(const uint8_t *limit, const uint8_t *x, const uint8_t *y)
{
	size_t len = LEAST_MATCH;

	for (;;) {
		uint64_t difference = zsi_load64(x + len) ^ zsi_load64(y + len);

		if (difference != 0)
			return len + zsi_equal_bytes(difference);
		len += sizeof(difference);
		if (zsi_unlikely(x + len >= limit))
			return len;
	}
}

/* Zeros from at on, of which four are known. */
static size_t run_length(const uint8_t *limit, const uint8_t *at)
{
	size_t most = zsi_min((size_t)(limit - at), ZSI_LZO_LONGEST_RUN), len = ZSI_LZO_LEAST_RUN;

	while (len + 8 <= most) {
		uint64_t word = zsi_load64(at + len);

		if (word != 0)
			return len + zsi_equal_bytes(word);
		len += sizeof(word);
	}
	while (len < most && at[len] == 0)
		len++;
	return len;
}

static inline size_t put_run(struct block *b, size_t len)
{
	size_t n = len - ZSI_LZO_LEAST_RUN;

	b->out[0] = (uint8_t)(ZSI_LZO_FAR | 8 | (n & 7));
	b->out[1] = 0xfc;
	b->out[2] = 0xff;
	b->out[3] = (uint8_t)(n >> 3);
	b->hint = b->out + 1;
	b->out += 4;
	return len;
}

/* Near and far copies. opcode has their bits; of the distance what is encoded. */
static inline void put_long_copy(struct block *b, unsigned opcode, size_t longest, size_t len, size_t distance)
{
	if (zsi_likely(len <= longest)) {
		*b->out++ = (uint8_t)(opcode | (len - 2));
	} else {
		*b->out++ = (uint8_t)opcode;
		b->out = put_rest(b->out, len - longest);
	}
	zsi_store16(b->out, (uint32_t)(distance << 2));
	b->hint = b->out;
	b->out += 2;
}

/* Bytes whose encoding a decompressor would take for a run: see lzo_stream.h. One that is shorter it would not. */
static bool looks_like_run(size_t len, size_t distance)
{
	return (distance & 0x403f) == 0x403f && len >= 261 && len <= 264;
}

/* The length that was written, which may be less. */
static inline size_t put_copy(struct block *b, size_t len, size_t distance, bool rle)
{
	if (len <= SHORT_LONGEST && distance <= ZSI_LZO_SHORT_DISTANCE) {
		distance--;
		b->out[0] = (uint8_t)((len - 1) << 5 | (distance & 7) << 2);
		b->out[1] = (uint8_t)(distance >> 3);
		b->hint = b->out;
		b->out += 2;
	} else if (zsi_likely(distance <= ZSI_LZO_NEAR_DISTANCE)) {
		put_long_copy(b, ZSI_LZO_NEAR, NEAR_LONGEST, len, distance - 1);
	} else {
		distance -= ZSI_LZO_NEAR_DISTANCE;
		if (rle && looks_like_run(len, distance))
			len = 260;
		put_long_copy(b, ZSI_LZO_FAR | (unsigned)(distance >> 11 & 8), FAR_LONGEST, len, distance);
	}
	return len;
}

/* What b->table had for the four bytes at, which take its place. */
static inline const uint8_t *look_up(struct block *b, const uint8_t *at, uint32_t word)
{
	uint16_t *entry = &b->table[word * HASH_FACTOR >> (32 - HASH_BITS)];
	const uint8_t *found = b->part + *entry;

	*entry = (uint16_t)(at - b->part);
	return found;
}

/* The rest of a part, from at on, but its last literals. Works on a copy of b, which no store of a byte can change. */
static inline void compress_part(struct block *block, const uint8_t *at, const bool rle)
{
	struct block b = *block;

	while (zsi_likely(at < b.limit)) {
		const uint32_t word = zsi_load32(at);

		if (rle && word == 0) {
			put_literals(&b, at);
			at += put_run(&b, run_length(b.limit, at));
		} else {
			const uint8_t *found = look_up(&b, at, word);

			if (zsi_load32(found) != word) {
				at += 1 + ((size_t)(at - b.since) >> SKIP_SHIFT);
				continue;
			}
			put_literals(&b, at);
			at += put_copy(&b, match_length(b.limit, at, found), (size_t)(at - found), rle);
		}
		b.carried = 0;
		b.since = at;
	}
	*block = b;
}

/* The literals behind the last instruction, the last n bytes before end; first: they are all there is. */
static void put_last_literals(struct block *b, const uint8_t *end, size_t n, bool first)
{
	if (n == 0)
		return;
	if (first && n <= UINT8_MAX - ZSI_LZO_FIRST)
		*b->out++ = (uint8_t)(ZSI_LZO_FIRST + n);
	else if (n <= 3)
		*b->hint |= (uint8_t)n;
	else
		b->out = put_literal_count(b->out, n);
	memcpy(b->out, end - n, n);
	b->out += n;
}

size_t zsi_lzo_compress(enum zsi_lzo_version version, void *table, const uint8_t *src, size_t n, uint8_t *dst)
{
	struct block b = { .table = table, .out = dst };
	const bool rle = version == ZSI_LZO_RLE;
	const size_t part_bytes = rle ? FAR_PART_RLE : FAR_PART_PLAIN;
	const uint8_t *const end = src + n, *first;

	if (rle) {
		*b.out++ = ZSI_LZO_FIRST;
		*b.out++ = ZSI_LZO_RLE;
	}
	first = b.out;
	while (n > TAIL) {
		size_t part = zsi_min(n, part_bytes);

		memset(table, 0, ZSI_LZO_TABLE_BYTES);
		b.part = b.since = src;
		b.limit = src + part - TAIL;
		/* At least five literals come first. */
		const uint8_t *at = src + 1 + (b.carried < 4 ? 4 - b.carried : 0);

		if (rle)
			compress_part(&b, at, true);
		else
			compress_part(&b, at, false);
		src += part;
		n -= part;
		b.carried += (size_t)(src - b.since);
	}
	put_last_literals(&b, end, b.carried + n, b.out == first);
	b.out[0] = ZSI_LZO_FAR | 1;
	b.out[1] = 0;
	b.out[2] = 0;
	return (size_t)(b.out + ZSI_LZO_END_BYTES - dst);
}
