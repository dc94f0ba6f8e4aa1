/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lzo_decompress.c - see lzo_stream.h. A decompressor for streams that may be damaged.
 *
 *   copy   an instruction, decoded: a length, a distance and the literals behind it
 *   last   how many literals came right before an instruction, which decides what an opcode below 16 means: none, 1 to 3,
 *          or, from an instruction of their own, MANY
 *   room   what an instruction reads and writes is looked at before. Each is followed by at least the end, so it may
 *          always look at END bytes. Where there are SLACK bytes more than needed, whole words are moved
 *   usual  instructions that a block nearly consists of. As long as there is room for any of them they are done in a loop
 *          of their own, with a table instead of branches that nobody can predict
 */
#include <stdbool.h>
#include <string.h>

#include "base/bits.h"
#include "codec/bytes.h"
#include "codec/lzo_stream.h"

#define END ZSI_LZO_END_BYTES
#define SLACK 32u
#define MANY 4u
#define VERSIONED_LEAST 5u /* bytes of a stream with a version */

/* A stream under way. */
struct stream {
	const uint8_t *in, *in_end;
	uint8_t *out, *out_start, *out_end;
	bool rle;
};

struct copy {
	size_t len;
	size_t distance; /* 0: zeros */
	unsigned literals;
};

static inline size_t in_left(const struct stream *s)
{
	return (size_t)(s->in_end - s->in);
}

static inline size_t out_left(const struct stream *s)
{
	return (size_t)(s->out_end - s->out);
}

/* A length whose own bits were 0, of which `least` is known; s->in is behind the opcode. 0: it has no end. */
static size_t take_rest(struct stream *s, size_t least)
{
	const uint8_t *in = s->in;

	while (in < s->in_end && *in == 0)
		in++;
	if (in == s->in_end)
		return 0;
	least += (size_t)(in - s->in) * 255 + *in;
	s->in = in + 1;
	return least;
}

/* A near or far copy's length and the two bytes behind. False: damaged. */
static inline bool take_long(struct stream *s, size_t bits, size_t most, struct copy *c, size_t *distance)
{
	uint32_t word;

	s->in++;
	c->len = bits + 2;
	if (zsi_unlikely(bits == 0)) {
		c->len = take_rest(s, most + 2);
		if (c->len == 0 || in_left(s) < 2)
			return false;
	}
	word = zsi_load16(s->in);
	s->in += 2;
	*distance = word >> 2;
	c->literals = word & 3;
	return true;
}

/* A far copy, a run or the end. False: damaged, or the end. */
static bool take_far(struct stream *s, struct copy *c)
{
	unsigned code = s->in[0];
	size_t distance;

	if (s->rle && (code & 8) != 0 && (zsi_load16(s->in + 1) & 0xfffc) == 0xfffc) {
		if (in_left(s) < 4)
			return false;
		c->literals = s->in[1] & 3;
		c->len = ((size_t)s->in[3] << 3 | (code & 7)) + ZSI_LZO_LEAST_RUN;
		c->distance = 0;
		s->in += 4;
		return true;
	}
	if (!take_long(s, code & 7, 7, c, &distance))
		return false;
	c->distance = ZSI_LZO_NEAR_DISTANCE + ((size_t)(code & 8) << 11) + distance;
	return c->distance != ZSI_LZO_NEAR_DISTANCE;
}

/* Copies of two or three bytes behind literals, which our compressor does not make. */
static void take_tiny(struct stream *s, unsigned last, struct copy *c)
{
	unsigned code = s->in[0];

	c->len = last == MANY ? 3 : 2;
	c->distance = (code >> 2) + ((size_t)s->in[1] << 2) + 1 + (last == MANY ? ZSI_LZO_SHORT_DISTANCE : 0);
	c->literals = code & 3;
	s->in += 2;
}

/* The instruction at s->in, which is not one for literals. False: damaged, or the end. */
static inline bool take_copy(struct stream *s, unsigned last, struct copy *c)
{
	unsigned code = s->in[0];

	if (code >= ZSI_LZO_SHORT) {
		c->len = (code >> 5) + 1;
		c->distance = (code >> 2 & 7) + ((size_t)s->in[1] << 3) + 1;
		c->literals = code & 3;
		s->in += 2;
		return true;
	}
	if (code >= ZSI_LZO_NEAR) {
		if (!take_long(s, code & 31, 31, c, &c->distance))
			return false;
		c->distance++;
		return true;
	}
	if (code >= ZSI_LZO_FAR)
		return take_far(s, c);
	take_tiny(s, last, c);
	return true;
}

/* Bytes that repeat with a distance of less than 8, in whole words; up to 7 bytes more than len are written. */
static void repeat(uint8_t *out, size_t distance, size_t len)
{
	const uint8_t *from = out - distance;
	size_t whole = distance; /* a multiple of distance, 8 or more */

	while (whole < 8)
		whole += distance;
	for (size_t i = 0; i < whole && i < len; i++)
		out[i] = from[i];
	for (size_t i = whole; i < len; i += 8)
		zsi_move8(out + i, out + (i - whole));
}

/* There are SLACK bytes more than len. */
static inline void copy_words(uint8_t *out, size_t distance, size_t len)
{
	const uint8_t *from = out - distance;

	if (zsi_likely(distance >= 16)) {
		zsi_move16(out, from);
		for (size_t i = 16; zsi_unlikely(i < len); i += 16)
			zsi_move16(out + i, from + i);
	} else if (distance >= 8) {
		for (size_t i = 0; i < len; i += 8)
			zsi_move8(out + i, from + i);
	} else {
		repeat(out, distance, len);
	}
}

/* What c says, and its literals. False: there is no room, or the distance leads out. */
static inline bool do_copy(struct stream *s, const struct copy *c)
{
	if (zsi_unlikely(in_left(s) < c->literals + END || out_left(s) < c->len + c->literals ||
			 c->distance > (size_t)(s->out - s->out_start)))
		return false;
	if (zsi_likely(out_left(s) >= c->len + SLACK && in_left(s) >= 4)) {
		if (zsi_likely(c->distance != 0))
			copy_words(s->out, c->distance, c->len);
		else
			memset(s->out, 0, c->len);
		s->out += c->len;
		memcpy(s->out, s->in, 4);
	} else {
		for (size_t i = 0; i < c->len; i++)
			s->out[i] = c->distance != 0 ? *(s->out + i - c->distance) : 0;
		s->out += c->len;
		for (unsigned i = 0; i < c->literals; i++)
			s->out[i] = s->in[i];
	}
	s->out += c->literals;
	s->in += c->literals;
	return true;
}

/* n literals. False: they are not there, or there is no room. */
static inline bool do_literals(struct stream *s, size_t n)
{
	if (zsi_unlikely(n > out_left(s) || in_left(s) < n + END))
		return false;
	if (zsi_likely(n + SLACK <= out_left(s) && n + SLACK <= in_left(s))) {
		zsi_move16(s->out, s->in);
		for (size_t i = 16; i < n; i += 16)
			zsi_move16(s->out + i, s->in + i);
	} else {
		memcpy(s->out, s->in, n);
	}
	s->out += n;
	s->in += n;
	return true;
}

/* --- the usual instructions --- */

/*
 * How to decode a short or near copy: distance = 1 + low + ((word & mask) << 3 >> shift), word being the two bytes
 * behind.
 */
struct usual {
	uint16_t mask;
	uint8_t len; /* 0: it is not usual */
	uint8_t low;
	uint8_t shift;
};

/* clang-format off */
#define USUAL_SHORT(c) { 0xff, ((c) >> 5) + 1, (c) >> 2 & 7, 0 }
#define USUAL_NEAR(c) { 0xfffc, ((c) & 31) + 2, 0, 5 }
#define FOUR(what, c) what(c), what((c) + 1), what((c) + 2), what((c) + 3)
#define SIXTEEN(what, c) FOUR(what, c), FOUR(what, (c) + 4), FOUR(what, (c) + 8), FOUR(what, (c) + 12)
#define SIXTY_FOUR(what, c) \
	SIXTEEN(what, c), SIXTEEN(what, (c) + 16), SIXTEEN(what, (c) + 32), SIXTEEN(what, (c) + 48)

static const struct usual usual[256] = {
	/* That of 32 goes on. */
	[33] = USUAL_NEAR(33), USUAL_NEAR(34), USUAL_NEAR(35), FOUR(USUAL_NEAR, 36), FOUR(USUAL_NEAR, 40),
	FOUR(USUAL_NEAR, 44), SIXTEEN(USUAL_NEAR, 48),
	SIXTY_FOUR(USUAL_SHORT, 64), SIXTY_FOUR(USUAL_SHORT, 128), SIXTY_FOUR(USUAL_SHORT, 192),
};
/* clang-format on */

#define USUAL_LONGEST 33u /* bytes copied, and written in words of 16; then a word of 4 for the literals */
#define USUAL_OUT (USUAL_LONGEST + 15 + 4)
#define USUAL_IN (1 + 24 + END) /* an opcode for 18 literals, which are moved in words of 16 and 8 */

/* Copies and literals as long as they are usual and there is room. Works on a copy of s, which no store can change. */
static void do_usual(struct stream *stream, unsigned *last)
{
	struct stream s = *stream;
	unsigned before = *last;

	while (zsi_likely(in_left(&s) >= USUAL_IN && out_left(&s) >= USUAL_OUT)) {
		const uint32_t word = zsi_load32(s.in);
		const unsigned code = word & 0xff;
		const struct usual *u = &usual[code];

		if (u->len != 0) {
			const unsigned near = code < ZSI_LZO_SHORT;
			const size_t distance = 1 + u->low + ((word >> 8 & u->mask) << 3 >> u->shift);

			if (zsi_unlikely(distance > (size_t)(s.out - s.out_start)))
				break;
			before = (near ? word >> 8 : word) & 3;
			if (zsi_likely(distance >= 8 && u->len <= 16)) {
				zsi_move8(s.out, s.out - distance);
				zsi_move8(s.out + 8, s.out + 8 - distance);
			} else {
				copy_words(s.out, distance, u->len);
			}
			s.in += 2 + near;
			s.out += u->len;
			memcpy(s.out, s.in, 4);
			s.in += before;
			s.out += before;
		} else {
			const size_t n = code + 3;

			if (code == 0 || code >= ZSI_LZO_FAR || before != 0)
				break;
			zsi_move16(s.out, s.in + 1);
			zsi_move8(s.out + 16, s.in + 17);
			s.in += 1 + n;
			s.out += n;
			before = MANY;
		}
	}
	*stream = s;
	*last = before;
}

/* The version and what a first byte above 17 says. False: damaged. */
static bool begin(struct stream *s, enum zsi_lzo_version newest, unsigned *last)
{
	size_t n;

	*last = 0;
	if (in_left(s) >= VERSIONED_LEAST && s->in[0] == ZSI_LZO_FIRST) {
		if (s->in[1] > newest)
			return false;
		s->rle = s->in[1] == ZSI_LZO_RLE;
		s->in += 2;
	}
	if (in_left(s) < END || s->in[0] <= ZSI_LZO_FIRST)
		return true;
	n = *s->in++ - ZSI_LZO_FIRST;
	*last = (unsigned)zsi_min(n, MANY);
	return do_literals(s, n);
}

size_t zsi_lzo_decompress(enum zsi_lzo_version newest, const uint8_t *src, size_t len, uint8_t *dst, size_t n)
{
	struct stream s = { .in = src, .in_end = src + len, .out = dst, .out_start = dst, .out_end = dst + n };
	struct copy c = { 0 };
	unsigned last;

	if (!begin(&s, newest, &last))
		return 0;
	for (;;) {
		do_usual(&s, &last);
		if (in_left(&s) < END)
			return 0;
		unsigned code = s.in[0];

		if (code < ZSI_LZO_FAR && last == 0) {
			size_t count = code + 3;

			s.in++;
			if (zsi_unlikely(code == 0) && (count = take_rest(&s, 18)) == 0)
				return 0;
			if (!do_literals(&s, count))
				return 0;
			last = MANY;
			continue;
		}
		if (zsi_unlikely(!take_copy(&s, last, &c)))
			break;
		if (zsi_unlikely(!do_copy(&s, &c)))
			return 0;
		last = c.literals;
	}
	/* The end is the one instruction with this distance that is not carried out. */
	return c.distance == ZSI_LZO_NEAR_DISTANCE && c.len == 3 && s.in == s.in_end && s.out == s.out_end ? n : 0;
}
