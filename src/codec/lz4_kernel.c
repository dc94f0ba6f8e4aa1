/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lz4_kernel.c - LZ4 blocks of the lengths that the kernel's own compressor makes, to the byte.
 *
 * The kernel has an older LZ4 than the library. Both make LZ4 blocks and differ in what they find near a block's end.
 * A prediction for the kernel needs the kernel's lengths, so its search is done here step by step:
 *
 *   table     for each hash of four bytes the position that had it last; positions begin as 0
 *   search    looks at one position after the other, at every 2nd after 64 without a match, at every 3rd after another
 *             64, ... (level times as many). The hash of a position is looked up and replaced in one step
 *   match     four bytes alike at the position found; extended backwards over literals, then forwards
 *   limits    no match begins in a block's last 12 bytes or ends in its last 5. A position is looked at only if the one
 *             that would come after it is not in the last 12 either, which is where the library is one byte ahead
 *   after a   the position two bytes before its end goes into the table, and the one right behind it is looked at
 *   match     first, without literals
 *
 * The decompressor is that of all LZ4.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bits.h"
#include "base/work.h"
#include "codec/backend.h"
#include "codec/bytes.h"

#define HASH_BITS 13u
#define HASH_FACTOR 2654435761u
#define TABLE_BYTES ((size_t)2 << HASH_BITS)
#define SKIP_SHIFT 6u   /* positions without a match before the step grows: 64 */
#define LEAST_MATCH 4u
#define TAIL_START 12u  /* no match begins in so many last bytes */
#define TAIL_LITERALS 5u /* or ends in so many */
#define NIBBLE 15u      /* a length of so much or more goes on in bytes of its own */

#define LONGEST 65536u  /* positions have 16 bits; for longer blocks the kernel has a table of another sort */

/* A block under way. Positions count from its start. */
struct block {
	const uint8_t *src;
	uint16_t *table;
	uint8_t *out;      /* where the next byte goes */
	uint32_t last;     /* the last position at which a match may begin */
	uint32_t end;      /* where a match has to end */
	uint32_t anchor;   /* literals since here have not been written */
	uint32_t at, from; /* the match, and what it repeats */
};

static uint32_t hash_at(const struct block *b, uint32_t at)
{
	return zsi_load32(b->src + at) * HASH_FACTOR >> (32 - HASH_BITS);
}

/* The position that was in the table for this one's hash, which it takes the place of. */
static uint32_t look_up(struct block *b, uint32_t hash, uint32_t at)
{
	uint32_t from = b->table[hash];

	b->table[hash] = (uint16_t)at;
	return from;
}

static bool alike(const struct block *b, uint32_t x, uint32_t y)
{
	return zsi_load32(b->src + x) == zsi_load32(b->src + y);
}

/* The next match from b->at on; false: there is none. */
static bool search(struct block *b, unsigned level)
{
	uint32_t next = b->at, step = 1, tried = level << SKIP_SHIFT;
	uint32_t hash = hash_at(b, next);

	for (;;) {
		const uint32_t at = next, this_hash = hash;

		next += step;
		step = tried++ >> SKIP_SHIFT;
		if (next > b->last)
			return false;
		hash = hash_at(b, next);
		b->from = look_up(b, this_hash, at);
		if (alike(b, b->from, at)) {
			b->at = at;
			return true;
		}
	}
}

static void extend_backwards(struct block *b)
{
	while (b->at > b->anchor && b->from > 0 && b->src[b->at - 1] == b->src[b->from - 1]) {
		b->at--;
		b->from--;
	}
}

static uint32_t match_length(const struct block *b)
{
	uint32_t len = LEAST_MATCH;

	while (b->at + len + 8 <= b->end) {
		uint64_t difference = zsi_load64(b->src + b->at + len) ^ zsi_load64(b->src + b->from + len);

		if (difference != 0)
			return len + (uint32_t)zsi_equal_bytes(difference);
		len += 8;
	}
	while (b->at + len < b->end && b->src[b->at + len] == b->src[b->from + len])
		len++;
	return len;
}

/* The rest of a length, behind its nibble. */
static void put_length(struct block *b, uint32_t rest)
{
	for (; rest >= 255; rest -= 255)
		*b->out++ = 255;
	*b->out++ = (uint8_t)rest;
}

/* A token and the literals up to `to`. */
static uint8_t *put_literals(struct block *b, uint32_t to)
{
	uint8_t *token = b->out++;
	uint32_t n = to - b->anchor;

	*token = (uint8_t)(zsi_min(n, NIBBLE) << 4);
	if (n >= NIBBLE)
		put_length(b, n - NIBBLE);
	memcpy(b->out, b->src + b->anchor, n);
	b->out += n;
	return token;
}

static void put_match(struct block *b, uint8_t *token, uint32_t len)
{
	uint32_t n = len - LEAST_MATCH;

	zsi_store16(b->out, b->at - b->from);
	b->out += 2;
	*token |= (uint8_t)zsi_min(n, NIBBLE);
	if (n >= NIBBLE)
		put_length(b, n - NIBBLE);
}

/* The match, and those that follow it without a literal between. False: the block's tail has begun. */
static bool put_matches(struct block *b)
{
	extend_backwards(b);
	do {
		uint8_t *token = put_literals(b, b->at);
		uint32_t len = match_length(b);

		put_match(b, token, len);
		b->at += len;
		b->anchor = b->at;
		if (b->at > b->last)
			return false;
		b->table[hash_at(b, b->at - 2)] = (uint16_t)(b->at - 2);
		b->from = look_up(b, hash_at(b, b->at), b->at);
	} while (alike(b, b->from, b->at));
	b->at++;
	return true;
}

/* dst has room for the bound. */
static size_t compress(uint16_t *table, unsigned level, const uint8_t *src, size_t n, uint8_t *dst)
{
	struct block b = { .src = src, .table = table, .out = dst };

	if (n > TAIL_START) {
		b.last = (uint32_t)n - TAIL_START;
		b.end = (uint32_t)n - TAIL_LITERALS;
		memset(table, 0, TABLE_BYTES);
		b.at = 1;
		while (search(&b, level) && put_matches(&b))
			;
	}
	(void)put_literals(&b, (uint32_t)n);
	return (size_t)(b.out - dst);
}

static int kernel_lz4_init(struct zsi_codec_ctx *x)
{
	if (x->block_size > LONGEST)
		return EINVAL;
	x->compress = zsi_work_alloc(TABLE_BYTES + zsi_lz4_bound(x->block_size));
	if (x->compress == NULL)
		return ENOMEM;
	x->bytes = zsi_work_bytes(x->compress);
	return 0;
}

static void kernel_lz4_fini(struct zsi_codec_ctx *x)
{
	zsi_work_free(x->compress);
}

static size_t kernel_lz4_compress(struct zsi_codec_ctx *x, const void *src, size_t n, void *dst, size_t capacity)
{
	uint8_t *scratch = (uint8_t *)x->compress + TABLE_BYTES;
	uint8_t *out = capacity >= zsi_lz4_bound(n) ? dst : scratch;
	size_t len = compress(x->compress, (unsigned)x->level, src, n, out);

	if (len > capacity)
		return 0;
	if (out == scratch)
		memcpy(dst, scratch, len);
	return len;
}

const struct zsi_codec zsi_codec_kernel_lz4 = {
	.name = "lz4",
	.kernel = &zsi_codec_kernel_lz4,
	.levels = zsi_lz4_levels,
	.bound = zsi_lz4_bound,
	.compress_init = kernel_lz4_init,
	.ctx_fini = kernel_lz4_fini,
	.compress = kernel_lz4_compress,
	.decompress = zsi_lz4_decompress,
};
