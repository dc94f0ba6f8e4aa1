/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec_test.c - each algorithm, at each of its levels, gives back what it was given, keeps to its buffers whatever
 * the room, makes the sizes that its library makes, and works in many threads with a context each.
 */
#include "unit.h"

#include <lz4.h>
#include <lz4hc.h>
#include <malloc.h>
#include <pthread.h>

#include "check.h"
#include "codec/backend.h"
#include "codec/codec.h"
#include "codec_data.h"
#include "rng.h"

/* Blocks as devices have them, and lengths beside them that must work as well. */
static const size_t lengths[] = { 4096, 8192, 16384, 32768, 65536, 1, 2, 13, 100, 4095, 5000, 65535 };

enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]), BLOCK_LENGTHS = 5 };

static void table(void **state)
{
	static const char *const names[] = { "lzo-rle", "lzo", "lz4", "lz4hc", "zstd", "deflate" };
	unsigned count = sizeof(names) / sizeof(names[0]);

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		const struct zsi_codec *c = zsi_codec_at(i);

		assert_non_null(c);
		assert_string_equal(zsi_codec_name(c), names[i]);
		assert_ptr_equal(zsi_codec_find(names[i]), c);
	}
	assert_null(zsi_codec_at(count));
	assert_null(zsi_codec_at(UINT32_MAX));
	assert_null(zsi_codec_find("842"));
	assert_null(zsi_codec_find(""));
	assert_null(zsi_codec_find("LZ4"));
}

static void levels(void **state)
{
	(void)state;
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++) {
		const struct zsi_codec *c = zsi_codec_at(i);
		int min, max, dflt;
		bool has = zsi_codec_levels(c, &min, &max, &dflt);

		assert_int_equal(has, strncmp(zsi_codec_name(c), "lzo", 3) != 0);
		assert_true(min <= dflt && dflt <= max);
		if (!has) {
			assert_int_equal(max, 0);
			continue;
		}
		errno = 0;
		assert_null(zsi_codec_ctx_create(c, max + 1, 4096, ZSI_CODEC_BOTH));
		assert_int_equal(errno, EINVAL);
		errno = 0;
		assert_null(zsi_codec_ctx_create(c, min - 1, 4096, ZSI_CODEC_BOTH));
		assert_int_equal(errno, EINVAL);
		errno = 0;
		assert_null(zsi_codec_ctx_create(c, dflt, ZSI_CODEC_BLOCK_MAX + 1, ZSI_CODEC_BOTH));
		assert_int_equal(errno, EINVAL);
		assert_null(zsi_codec_ctx_create(c, dflt, 0, ZSI_CODEC_BOTH));
	}
	zsi_codec_ctx_destroy(NULL);
}

/* Compress and decompress one block with a context, buffers ending at the edge. The compressed size. */
static size_t round_trip(struct zsi_codec_ctx *x, const struct zsi_codec *c, const void *data, size_t n)
{
	struct edge src = edge_create(n), packed = edge_create(zsi_codec_bound(c, n)), back = edge_create(n);
	size_t len;

	memcpy(src.start, data, n);
	len = zsi_codec_compress(x, NULL, src.start, n, packed.start, packed.n);
	CHECK_MSG(len > 0 && len <= packed.n, "%s, %zu bytes", zsi_codec_name(c), n);
	CHECK(memcmp(src.start, data, n) == 0);
	/* Decompressing must not read behind what it is given. */
	memmove(packed.start + packed.n - len, packed.start, len);
	CHECK_MSG(zsi_codec_decompress(x, NULL, packed.start + packed.n - len, len, back.start, n) == 0,
		  "%s, %zu bytes", zsi_codec_name(c), n);
	CHECK_MSG(memcmp(back.start, data, n) == 0, "%s, %zu bytes", zsi_codec_name(c), n);
	edge_destroy(&src);
	edge_destroy(&packed);
	edge_destroy(&back);
	return len;
}

/* dense: whether the level must shrink what is not random; the fastest ones give that up. */
static void round_trips_at(const struct zsi_codec *c, int level, bool dense, size_t count)
{
	static uint8_t data[ZSI_CODEC_BLOCK_MAX];
	struct zsi_codec_ctx *x = zsi_codec_ctx_create(c, level, ZSI_CODEC_BLOCK_MAX, ZSI_CODEC_BOTH);

	assert_non_null(x);
	for (size_t i = 0; i < count; i++) {
		for (int kind = 0; kind < DATA_KINDS; kind++) {
			size_t first, second;

			data_fill(data, lengths[i], (enum data_kind)kind, i);
			first = round_trip(x, c, data, lengths[i]);
			second = round_trip(x, c, data, lengths[i]);
			/* What a context did before has no influence. */
			CHECK_MSG(first == second, "%s level %d: %zu, then %zu", zsi_codec_name(c), level, first,
				  second);
			if (dense && lengths[i] >= 4096 && kind != DATA_RANDOM)
				CHECK_MSG(first < lengths[i] * 9 / 10, "%s level %d, kind %d: %zu of %zu",
					  zsi_codec_name(c), level, kind, first, lengths[i]);
		}
	}
	zsi_codec_ctx_destroy(x);
}

static void round_trips(void **state)
{
	(void)state;
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++) {
		const struct zsi_codec *c = zsi_codec_at(i);
		int min, max, dflt;

		(void)zsi_codec_levels(c, &min, &max, &dflt);
		round_trips_at(c, dflt, true, LENGTHS);
		round_trips_at(c, min, min == dflt, BLOCK_LENGTHS);
		round_trips_at(c, max, max < 100, BLOCK_LENGTHS);
		for (int level = dflt + 1; level < max && level <= dflt + 8; level++)
			round_trips_at(c, level, false, 1);
	}
}

/* One room: never written past; what fits by the bound is the one result; what is refused was near the edge. */
static void try_capacity(struct zsi_codec_ctx *x, const struct edge *whole, const void *src, size_t n, size_t capacity)
{
	enum { SLACK = 16 };
	struct edge out = edge_create(capacity);
	size_t len = zsi_codec_compress(x, NULL, src, n, out.start, capacity);

	edge_check(&out);
	if (capacity < whole->n)
		assert_int_equal(len, 0);
	else if (len == 0)
		assert_true(capacity < whole->n + SLACK);
	else {
		assert_int_equal(len, whole->n);
		assert_memory_equal(out.start, whole->start, len);
	}
	edge_destroy(&out);
}

static void capacities_of(const struct zsi_codec *c, enum data_kind kind, size_t n)
{
	static uint8_t src[ZSI_CODEC_BLOCK_MAX], packed[2 * ZSI_CODEC_BLOCK_MAX];
	int min, max, dflt;
	struct zsi_codec_ctx *x;
	size_t bound = zsi_codec_bound(c, n), len;

	(void)zsi_codec_levels(c, &min, &max, &dflt);
	x = zsi_codec_ctx_create(c, dflt, n, ZSI_CODEC_BOTH);
	assert_non_null(x);
	data_fill(src, n, kind, 5);
	len = zsi_codec_compress(x, NULL, src, n, packed, bound);
	assert_true(len > 0 && len <= bound);
	struct edge whole = edge_create(len);
	memcpy(whole.start, packed, len);
	for (size_t capacity = 0; capacity < len; capacity += 1 + len / 19)
		try_capacity(x, &whole, src, n, capacity);
	for (size_t capacity = len > 40 ? len - 40 : 0; capacity < len + 40; capacity++)
		try_capacity(x, &whole, src, n, capacity);
	try_capacity(x, &whole, src, n, bound);
	assert_int_equal(zsi_codec_compress(x, NULL, src, n, packed, bound), len);
	edge_destroy(&whole);
	zsi_codec_ctx_destroy(x);
}

static void capacities(void **state)
{
	(void)state;
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++)
		for (int kind = 0; kind < DATA_KINDS; kind++)
			for (size_t n = 4096; n <= 65536; n *= 16)
				capacities_of(zsi_codec_at(i), (enum data_kind)kind, n);
}

/* What libraries and kernel give for one block on its own; conformance with the kernel's numbers rests on it. */
static void sizes_of_the_library(void **state)
{
	static uint8_t src[ZSI_CODEC_BLOCK_MAX];
	static char ours[2 * ZSI_CODEC_BLOCK_MAX], theirs[2 * ZSI_CODEC_BLOCK_MAX];
	struct zsi_codec_ctx *lz4 = zsi_codec_ctx_create(zsi_codec_find("lz4"), 1, sizeof(src), ZSI_CODEC_BOTH);
	struct zsi_codec_ctx *hc =
		zsi_codec_ctx_create(zsi_codec_find("lz4hc"), LZ4HC_CLEVEL_DEFAULT, sizeof(src), ZSI_CODEC_BOTH);

	(void)state;
	assert_non_null(lz4);
	assert_non_null(hc);
	for (uint64_t seed = 0; seed < 60; seed++) {
		size_t n = lengths[seed % BLOCK_LENGTHS];
		int len;

		data_fill(src, n, (enum data_kind)(seed % DATA_KINDS), seed);
		len = LZ4_compress_default((char *)src, theirs, (int)n, (int)sizeof(theirs));
		assert_int_equal(zsi_codec_compress(lz4, NULL, src, n, ours, sizeof(ours)), len);
		assert_memory_equal(ours, theirs, (size_t)len);
		/* Reset without clearing: earlier blocks must not show. */
		len = LZ4_compress_HC((char *)src, theirs, (int)n, (int)sizeof(theirs), LZ4HC_CLEVEL_DEFAULT);
		assert_int_equal(zsi_codec_compress(hc, NULL, src, n, ours, sizeof(ours)), len);
		assert_memory_equal(ours, theirs, (size_t)len);
	}
	zsi_codec_ctx_destroy(lz4);
	zsi_codec_ctx_destroy(hc);
}

/* Everything that malloc has given out; of mappings of working memory it knows nothing. */
static size_t mallocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/*
 * libdeflate does not tell what it takes, so that the context counts the most that it may be: neither less nor much
 * more.
 */
static void counts_what_malloc_gave(const struct zsi_codec *c, int level, enum zsi_codec_use use)
{
	size_t before = mallocated();
	struct zsi_codec_ctx *x = zsi_codec_ctx_create(c, level, 4096, use);
	size_t taken = mallocated() - before;

	assert_non_null(x);
	/* A sanitizer's malloc does not count. */
	if (taken != 0)
		CHECK_MSG(zsi_codec_ctx_bytes(x) >= taken && zsi_codec_ctx_bytes(x) < taken * 5 / 4 + 4096,
			  "%s level %d: %zu counted, %zu taken", zsi_codec_name(c), level, zsi_codec_ctx_bytes(x), taken);
	zsi_codec_ctx_destroy(x);
}

/* Contexts count what they hold; what decompresses alone takes little of it, or nothing. */
static void memory(void **state)
{
	(void)state;
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++) {
		const struct zsi_codec *c = zsi_codec_at(i);
		int min, max, dflt;

		(void)zsi_codec_levels(c, &min, &max, &dflt);
		struct zsi_codec_ctx *x = zsi_codec_ctx_create(c, dflt, 4096, ZSI_CODEC_COMPRESS);
		struct zsi_codec_ctx *y = zsi_codec_ctx_create(c, dflt, 4096, ZSI_CODEC_DECOMPRESS);

		assert_non_null(x);
		assert_non_null(y);
		assert_in_range(zsi_codec_ctx_bytes(x), 16384, 4 << 20);
		assert_in_range(zsi_codec_ctx_bytes(y), 1, zsi_codec_decompresses_without(c) ? 1 << 10 : 104 << 10);
		zsi_codec_ctx_destroy(x);
		zsi_codec_ctx_destroy(y);
		if (strcmp(zsi_codec_name(c), "deflate") != 0)
			continue;
		for (int level = min; level <= max; level++)
			counts_what_malloc_gave(c, level, ZSI_CODEC_COMPRESS);
		counts_what_malloc_gave(c, dflt, ZSI_CODEC_DECOMPRESS);
	}
}

struct thread_job {
	const struct zsi_codec *codec;
	uint64_t seed;
	uint64_t sum; /* of the compressed sizes */
};

static void *thread_main(void *arg)
{
	struct thread_job *job = arg;
	int min, max, dflt;
	uint8_t src[4096], back[4096], packed[8192];

	(void)zsi_codec_levels(job->codec, &min, &max, &dflt);
	struct zsi_codec_ctx *x = zsi_codec_ctx_create(job->codec, dflt, sizeof(src), ZSI_CODEC_BOTH);
	CHECK(x != NULL);
	for (uint64_t i = 0; i < 200; i++) {
		data_fill(src, sizeof(src), (enum data_kind)(i % DATA_KINDS), job->seed + i);
		size_t len = zsi_codec_compress(x, NULL, src, sizeof(src), packed, sizeof(packed));
		CHECK(len > 0);
		CHECK(zsi_codec_decompress(x, NULL, packed, len, back, sizeof(back)) == 0);
		CHECK(memcmp(src, back, sizeof(src)) == 0);
		job->sum += len;
	}
	zsi_codec_ctx_destroy(x);
	return NULL;
}

static void threads(void **state)
{
	enum { THREADS = 4 };
	pthread_t t[THREADS];
	struct thread_job jobs[THREADS];

	(void)state;
	for (unsigned c = 0; zsi_codec_at(c) != NULL; c++) {
		for (int i = 0; i < THREADS; i++) {
			/* Pairs with the same work must come to the same sums. */
			jobs[i] = (struct thread_job){ .codec = zsi_codec_at(c), .seed = (uint64_t)(i / 2) * 1000 };
			assert_int_equal(pthread_create(&t[i], NULL, thread_main, &jobs[i]), 0);
		}
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(pthread_join(t[i], NULL), 0);
		assert_int_equal(jobs[0].sum, jobs[1].sum);
		assert_int_equal(jobs[2].sum, jobs[3].sum);
		assert_true(jobs[0].sum > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(levels),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(capacities),
		cmocka_unit_test(sizes_of_the_library),
		cmocka_unit_test(memory),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
