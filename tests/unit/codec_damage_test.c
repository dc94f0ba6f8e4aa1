/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec_damage_test.c - decompressing what nobody compressed: cut short, with bytes changed, followed by others, pure
 * noise, with a length it has not. Nothing is written outside of the block or read outside of the input, the context
 * goes on working, and what is certainly wrong gives EIO.
 */
#include "unit.h"

#include "check.h"
#include "codec/backend.h"
#include "codec/codec.h"
#include "codec_data.h"
#include "rng.h"

enum { BLOCK = 4096, SEED = 20240 };

static struct rng rng;

struct sample {
	const struct zsi_codec *codec;
	struct zsi_codec_ctx *ctx;
	uint8_t block[BLOCK];
	uint8_t packed[2 * BLOCK];
	size_t len;
};

static void take_sample(struct sample *s, unsigned codec, enum data_kind kind)
{
	int min, max, dflt;

	s->codec = zsi_codec_at(codec);
	(void)zsi_codec_levels(s->codec, &min, &max, &dflt);
	s->ctx = zsi_codec_ctx_create(s->codec, dflt, 2 * BLOCK, ZSI_CODEC_BOTH);
	assert_non_null(s->ctx);
	data_fill(s->block, BLOCK, kind, codec);
	s->len = zsi_codec_compress(s->ctx, NULL, s->block, BLOCK, s->packed, sizeof(s->packed));
	assert_true(s->len > 0);
}

/* Decompress len bytes of packed to n, both at an edge. Whether it was taken for good. */
static bool decompress_at_edge(struct sample *s, const uint8_t *packed, size_t len, size_t n)
{
	struct edge src = edge_create(len), dst = edge_create(n);
	int result;

	memcpy(src.start, packed, len);
	errno = 0;
	result = zsi_codec_decompress(s->ctx, NULL, src.start, len, dst.start, n);
	CHECK(result == 0 || (result == -1 && errno == EIO));
	edge_destroy(&src);
	edge_destroy(&dst);
	return result == 0;
}

static void cut_short_and_too_long(struct sample *s)
{
	uint8_t longer[sizeof(s->packed) + 8];

	for (size_t len = 0; len < s->len; len += 1 + s->len / 150)
		CHECK_MSG(!decompress_at_edge(s, s->packed, len, BLOCK), "%s: %zu of %zu bytes",
			  zsi_codec_name(s->codec), len, s->len);
	CHECK(!decompress_at_edge(s, s->packed, s->len - 1, BLOCK));
	memcpy(longer, s->packed, s->len);
	memset(longer + s->len, 0x5a, 8);
	CHECK_MSG(!decompress_at_edge(s, longer, s->len + 8, BLOCK), "%s: bytes after the end",
		  zsi_codec_name(s->codec));
}

static void wrong_length(struct sample *s)
{
	static const size_t wrong[] = { 1, 100, BLOCK - 1, BLOCK + 1, 2 * BLOCK };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_MSG(!decompress_at_edge(s, s->packed, s->len, wrong[i]), "%s: %zu bytes",
			  zsi_codec_name(s->codec), wrong[i]);
}

/* Without a checksum a changed byte may pass; the rules for memory hold all the same. The number that passed. */
static unsigned changed(struct sample *s, unsigned tries)
{
	uint8_t bad[sizeof(s->packed)];
	unsigned passed = 0;

	for (unsigned i = 0; i < tries; i++) {
		memcpy(bad, s->packed, s->len);
		for (uint64_t n = rng_range(&rng, 1, 4); n > 0; n--)
			bad[rng_below(&rng, s->len)] = (uint8_t)rng_next(&rng);
		passed += decompress_at_edge(s, bad, s->len, BLOCK);
	}
	return passed;
}

static void noise(struct sample *s, unsigned tries)
{
	uint8_t bytes[2 * BLOCK];

	for (unsigned i = 0; i < tries; i++) {
		size_t len = (size_t)rng_range(&rng, 0, sizeof(bytes));

		data_fill(bytes, len, DATA_RANDOM, rng_next(&rng));
		CHECK_MSG(!decompress_at_edge(s, bytes, len, BLOCK), "%s: %zu random bytes make a block",
			  zsi_codec_name(s->codec), len);
	}
}

static void damage(void **state)
{
	static struct sample s;
	unsigned tries = (unsigned)check_scale(300);

	(void)state;
	for (unsigned codec = 0; zsi_codec_at(codec) != NULL; codec++) {
		unsigned passed = 0;

		for (int kind = 0; kind < DATA_KINDS; kind++) {
			take_sample(&s, codec, (enum data_kind)kind);
			cut_short_and_too_long(&s);
			wrong_length(&s);
			passed += changed(&s, tries);
			noise(&s, tries / 4);
			/* After all that the context still works. */
			CHECK(decompress_at_edge(&s, s.packed, s.len, BLOCK));
			CHECK(zsi_codec_compress(s.ctx, NULL, s.block, BLOCK, s.packed, sizeof(s.packed)) == s.len);
			zsi_codec_ctx_destroy(s.ctx);
		}
		/* What does not compress is nearly all literals, of which any is as good as another. */
		CHECK_MSG(passed < DATA_KINDS * tries * 9 / 10, "%s: %u changed blocks passed", zsi_codec_name(s.codec),
			  passed);
	}
}

/* LZ4's streams are one, and lzo-rle's are lzo's and more. */
static bool reads(const char *to, const char *from)
{
	return strcmp(to, from) == 0 || (strncmp(to, "lz4", 3) == 0 && strncmp(from, "lz4", 3) == 0) ||
	       (strcmp(to, "lzo-rle") == 0 && strcmp(from, "lzo") == 0);
}

/* One algorithm's blocks given to each other one. */
static void mixed_up(void **state)
{
	static struct sample from, to;

	(void)state;
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++) {
		for (unsigned j = 0; zsi_codec_at(j) != NULL; j++) {
			take_sample(&from, i, DATA_WORDS);
			take_sample(&to, j, DATA_WORDS);
			CHECK_MSG(decompress_at_edge(&to, from.packed, from.len, BLOCK) ==
					  reads(zsi_codec_name(to.codec), zsi_codec_name(from.codec)),
				  "%s as %s", zsi_codec_name(from.codec), zsi_codec_name(to.codec));
			zsi_codec_ctx_destroy(from.ctx);
			zsi_codec_ctx_destroy(to.ctx);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage),
		cmocka_unit_test(mixed_up),
	};

	rng.state = SEED;
	printf("seed %d\n", SEED);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
