/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lzo_test.c - LZO streams: what each instruction means, by hand; lengths that the kernel made, without a kernel to
 * ask; and what a decompressor could take for a run of zeros.
 */
#include "unit.h"

#ifdef HAVE_LZO2
#include <lzo/lzo1x.h>
#endif

#include "check.h"
#include "codec/backend.h"
#include "codec/codec.h"
#include "codec/lzo_stream.h"
#include "codec_data.h"
#include "made_pages.h"
#include "rng.h"

#define PAGE 4096u
#define END 17, 0, 0

/* A stream and what it becomes. */
struct example {
	uint8_t stream[64];
	size_t len;
	uint8_t block[40];
	size_t n;
};

#define STREAM(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })

static const struct example examples[] = {
	/* First bytes: 1, 3 and 4 literals. */
	{ STREAM(18, 'a', END), { 'a' }, 1 },
	{ STREAM(20, 'a', 'b', 'c', END), { 'a', 'b', 'c' }, 3 },
	{ STREAM(21, 'a', 'b', 'c', 'd', END), { 'a', 'b', 'c', 'd' }, 4 },
	/* Four literals by the instruction, and 19, whose count goes on. */
	{ STREAM(1, 'a', 'b', 'c', 'd', END), { 'a', 'b', 'c', 'd' }, 4 },
	{ STREAM(0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, END),
	  { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 }, 19 },
	/* A short copy of 3 from 4 back, and one of 8 from 1 back, with a literal. */
	{ STREAM(21, 'a', 'b', 'c', 'd', 0x4c, 0, END), { 'a', 'b', 'c', 'd', 'a', 'b', 'c' }, 7 },
	{ STREAM(21, 'a', 'b', 'c', 'd', 0xe1, 0, 'e', END), { "abcddddddddde" }, 13 },
	/* A near copy of 5 from 3 back, and one of 36 from 1 back, whose length goes on, with two literals. */
	{ STREAM(21, 'a', 'b', 'c', 'd', 0x23, 8, 0, END), { "abcdbcdbc" }, 9 },
	{ STREAM(18, 'z', 0x20, 3, 2, 0, 'x', 'y', END), { "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzxy" }, 39 },
	/* Two bytes from 2 back behind a literal, and one more literal. */
	{ STREAM(21, 'a', 'b', 'c', 'd', 0x4d, 0, 'e', 0x05, 0, 'f', END), { "abcdabcecef" }, 11 },
	/* A version, and runs of 4 and of 12 zeros, the second with a literal. */
	{ STREAM(17, 1, 18, 'a', 0x18, 0xfc, 0xff, 0, END), { 'a', 0, 0, 0, 0 }, 5 },
	{ STREAM(17, 1, 18, 'a', 0x18, 0xfd, 0xff, 1, 'b', END), { 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'b' }, 14 },
	{ STREAM(17, 1, 18, 'a', 0x1b, 0xfc, 0xff, 0, END), { 'a', 0, 0, 0, 0, 0, 0, 0 }, 8 },
	/* The older version by name. */
	{ STREAM(17, 0, 18, 'a', END), { 'a' }, 1 },
};

static void examples_by_hand(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *e = &examples[i];
		struct edge src = edge_create(e->len), dst = edge_create(e->n);

		memcpy(src.start, e->stream, e->len);
		CHECK_MSG(zsi_lzo_decompress(ZSI_LZO_RLE, src.start, e->len, dst.start, e->n) == e->n, "example %zu", i);
		CHECK_MSG(memcmp(dst.start, e->block, e->n) == 0, "example %zu: %.*s", i, (int)e->n, (char *)dst.start);
		edge_check(&dst);
		edge_destroy(&src);
		edge_destroy(&dst);
	}
}

/* Three bytes from 2 KiB back behind many literals. */
static void far_behind_literals(void **state)
{
	enum { LITERALS = 2100, DISTANCE = 2049 + 3 + 4 * 5 };
	uint8_t stream[LITERALS + 32] = { 0 }, block[LITERALS + 3];
	size_t len = 1, rest = LITERALS - 18;

	(void)state;
	for (; rest > 255; rest -= 255)
		stream[len++] = 0;
	stream[len++] = (uint8_t)rest;
	for (size_t i = 0; i < LITERALS; i++)
		stream[len++] = (uint8_t)(i * 7 >> 2);
	memcpy(stream + len, (uint8_t[]){ 3 << 2, 5, END }, 5);
	len += 5;
	assert_int_equal(zsi_lzo_decompress(ZSI_LZO_RLE, stream, len, block, sizeof(block)), sizeof(block));
	assert_memory_equal(block, stream + len - 5 - LITERALS, LITERALS);
	assert_memory_equal(block + LITERALS, block + LITERALS - DISTANCE, 3);
}

static void damaged_by_hand(void **state)
{
	static const struct example damaged[] = {
		{ STREAM(17, 2, 18, 'a', END), { 0 }, 1 },                      /* a version of another day */
		{ STREAM(17, 1, 18, 'a', 17, 0), { 0 }, 1 },                    /* no end */
		{ STREAM(18, 'a'), { 0 }, 1 },                                  /* the same */
		{ STREAM(18, 'a', END, 0), { 0 }, 1 },                          /* something behind the end */
		{ STREAM(18, 'a', 18, 0, 0), { 0 }, 1 },                        /* an end with a length */
		{ STREAM(19, 'a', END), { 0 }, 2 },                             /* a literal too few */
		{ STREAM(21, 'a', 'b', 'c', 'd', 0x50, 0, END), { 0 }, 7 },     /* from before the start */
		{ STREAM(21, 'a', 'b', 'c', 'd', 0xec, 0, END), { 0 }, 11 },    /* longer than the block */
		{ STREAM(18, 'a', 0x20, 0, 0, 0, 0), { 0 }, 1 },                /* a length without an end */
		{ STREAM(18, 'a', 0x18, 0xfc, 0xff, 0, END), { 0 }, 5 },        /* a run, in a stream without a version */
		{ STREAM(17, 1, 18, 'a', 0x18, 0xfc, 0xff, 1, END), { 0 }, 5 }, /* a run longer than the block */
		{ STREAM(17, 1, 18, 'a', 0x18, 0xfc, 0xff), { 0 }, 5 },         /* or cut short */
		{ STREAM(17, 1), { 0 }, 1 },
		{ STREAM(17), { 0 }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct edge src = edge_create(damaged[i].len), dst = edge_create(damaged[i].n);

		memcpy(src.start, damaged[i].stream, damaged[i].len);
		CHECK_MSG(zsi_lzo_decompress(ZSI_LZO_RLE, src.start, damaged[i].len, dst.start, damaged[i].n) == 0,
			  "damaged %zu", i);
		edge_check(&dst);
		edge_destroy(&src);
		edge_destroy(&dst);
	}
	/* What reads lzo alone knows no other version. */
	assert_int_equal(zsi_lzo_decompress(ZSI_LZO_PLAIN, (uint8_t[]){ 17, 1, 18, 'a', END }, 7, (uint8_t[]){ 0 }, 1), 0);
	assert_int_equal(zsi_lzo_decompress(ZSI_LZO_PLAIN, (uint8_t[]){ 17, 0, 18, 'a', END }, 7, (uint8_t[]){ 0 }, 1), 1);
	assert_int_equal(zsi_lzo_decompress(ZSI_LZO_RLE, (uint8_t[]){ 0 }, 0, (uint8_t[]){ 0 }, 1), 0);
}

/*
 * What Linux 6.18 stored for made_mixture() after made_mixture(), from this seed on, on a machine of 64 bits: with
 * lzo-rle, lzo and lz4. From 3625 bytes on it stores the page.
 */
#define MIXTURES_SEED 2026
#define STORED_AS_IT_IS 3625u

static const uint16_t kernel_sizes[][3] = {
	/* clang-format off */
	{ 3230, 3152, 3189 }, { 1440, 1411, 1372 }, { 2301, 2244, 2250 }, { 4096, 4096, 4096 },
	{ 2151, 2124, 2175 }, { 2325, 2292, 2308 }, { 3144, 3056, 3120 }, { 2241, 2195, 2226 },
	{ 2176, 2176, 2170 }, { 4096, 4096, 4096 }, { 1438, 1425, 1479 }, { 4096, 4096, 3584 },
	{ 4096, 4096, 4096 }, { 3078, 2991, 3038 }, { 1812, 1798, 1746 }, { 324, 326, 309 },
	{ 4096, 4096, 4096 }, { 1286, 1240, 1198 }, { 4096, 4096, 3224 }, { 1284, 1262, 1295 },
	{ 1223, 1234, 1171 }, { 2335, 2311, 2331 }, { 2465, 2420, 2409 }, { 2177, 2143, 2171 },
	{ 1841, 1851, 1781 }, { 2448, 2407, 2421 }, { 4096, 4096, 4096 }, { 2304, 2283, 2275 },
	{ 2438, 2412, 2432 }, { 1637, 1568, 1515 }, { 305, 303, 286 }, { 1585, 1623, 1583 },
	{ 1739, 1733, 1658 }, { 4096, 4096, 4096 }, { 2654, 2651, 2950 }, { 3118, 3054, 3086 },
	{ 4096, 4096, 4096 }, { 1948, 1937, 1820 }, { 4096, 4096, 4096 }, { 2244, 2303, 2201 },
	{ 2097, 2081, 2023 }, { 2249, 2411, 2226 }, { 1903, 1901, 1745 }, { 2435, 2456, 2511 },
	{ 2791, 2631, 3084 }, { 1615, 1567, 1511 }, { 1445, 1440, 1393 }, { 1470, 1468, 1371 },
	{ 4096, 4096, 4096 }, { 1235, 1243, 1188 }, { 916, 914, 902 }, { 4096, 4096, 4096 },
	{ 3187, 3114, 3179 }, { 2007, 1968, 1926 }, { 4096, 4096, 4096 }, { 2432, 2432, 2403 },
	{ 2106, 2142, 1977 }, { 2543, 2451, 2506 }, { 2362, 2325, 2365 }, { 4096, 4096, 4096 },
	/* clang-format on */
};

static void the_kernels_lengths(void **state)
{
	static const char *const names[] = { "lzo-rle", "lzo", "lz4" };
	uint8_t page[PAGE], packed[2 * PAGE], back[PAGE];

	(void)state;
	for (unsigned a = 0; a < 3; a++) {
		const struct zsi_codec *c = zsi_codec_kernel(zsi_codec_find(names[a]));
		struct zsi_codec_ctx *x = zsi_codec_ctx_create(c, 1, PAGE, ZSI_CODEC_BOTH);
		struct rng rng = { MIXTURES_SEED };

		assert_non_null(x);
		assert_string_equal(zsi_codec_name(c), names[a]);
		for (size_t i = 0; i < sizeof(kernel_sizes) / sizeof(kernel_sizes[0]); i++) {
			made_mixture(&rng, page);
			size_t len = zsi_codec_compress(x, NULL, page, PAGE, packed, sizeof(packed));

			CHECK_MSG(kernel_sizes[i][a] == (len < STORED_AS_IT_IS ? len : PAGE), "%s: page %zu has %zu bytes",
				  names[a], i, len);
			CHECK(zsi_codec_decompress(x, NULL, packed, len, back, PAGE) == 0);
			CHECK(memcmp(page, back, PAGE) == 0);
		}
		zsi_codec_ctx_destroy(x);
	}
}

/* For three of the six, and for themselves. */
static void whose_lengths_are_known(void **state)
{
	(void)state;
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++) {
		const struct zsi_codec *c = zsi_codec_at(i), *k = zsi_codec_kernel(c);
		const bool known = strcmp(zsi_codec_name(c), "lz4") == 0 || strncmp(zsi_codec_name(c), "lzo", 3) == 0;

		assert_int_equal(k != NULL, known);
		assert_true(k == NULL || (zsi_codec_kernel(k) == k && !zsi_codec_takes_dict(k)));
	}
}

/* lzo of our own is read by our own, and by liblzo2 if it is there, whatever the length. */
static void every_length(void **state)
{
	static uint8_t block[65536], packed[2 * 65536], back[65536];
	static uint16_t table[ZSI_LZO_TABLE_BYTES / 2];

	(void)state;
	for (size_t n = 1; n <= sizeof(block); n += 1 + n / 5) {
		for (int kind = 0; kind < DATA_KINDS; kind++) {
			data_fill(block, n, (enum data_kind)kind, n);
			size_t len = zsi_lzo_compress(ZSI_LZO_PLAIN, table, block, n, packed);

#ifdef HAVE_LZO2
			lzo_uint got = n;

			assert_int_equal(lzo1x_decompress_safe(packed, len, back, &got, NULL), LZO_E_OK);
			assert_int_equal(got, n);
			assert_memory_equal(back, block, n);
#endif
			assert_int_equal(zsi_lzo_decompress(ZSI_LZO_RLE, packed, len, back, n), n);
			assert_memory_equal(back, block, n);
		}
	}
}

/* A far copy of just such a length and distance, with three literals, that its bytes would begin as a run's do. */
static void no_copy_looks_like_a_run(void **state)
{
	static uint8_t block[65536], packed[2 * 65536], back[65536];
	static uint16_t table[ZSI_LZO_TABLE_BYTES / 2];
	struct rng rng = { 3 };

	(void)state;
	for (size_t distance = 0x803f - 2; distance <= 0x803f + 2; distance++) {
		for (size_t len = 258; len <= 267; len++) {
			const size_t at = 6, n = at + distance + len + 64;

			/* Zeros between and behind, so that the compressor looks at each position. */
			memset(block, 0, n);
			for (size_t i = 0; i < at + len; i++)
				block[i] = (uint8_t)rng_range(&rng, 1, 255);
			memset(block + at + distance + len, 0xee, 3);
			memcpy(block + at + distance, block + at, len);
			size_t packed_len = zsi_lzo_compress(ZSI_LZO_RLE, table, block, n, packed);

			assert_true(packed_len < 2 * len); /* it was found */
			assert_int_equal(zsi_lzo_decompress(ZSI_LZO_RLE, packed, packed_len, back, n), n);
			assert_memory_equal(back, block, n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_by_hand),
		cmocka_unit_test(far_behind_literals),
		cmocka_unit_test(damaged_by_hand),
		cmocka_unit_test(the_kernels_lengths),
		cmocka_unit_test(whose_lengths_are_known),
		cmocka_unit_test(every_length),
		cmocka_unit_test(no_copy_looks_like_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
