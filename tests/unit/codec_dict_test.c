/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * codec_dict_test.c - dictionaries: trained ones pay, shared ones work in many threads, the wrong one is not fatal, and
 * what is none is refused.
 */
#include "unit.h"

#include <pthread.h>

#include "check.h"
#include "codec/backend.h"
#include "codec/codec.h"
#include "codec_data.h"
#include "rng.h"

enum { SAMPLES = 400, BLOCK = 4096, DICT_ROOM = 16384 };

/* Two dictionaries of the same vocabulary, and one of bytes as they come, which is one as well. */
static uint8_t trained[2][DICT_ROOM];
static size_t trained_bytes[2];
static uint8_t raw[DICT_ROOM];

static const char *const takers[] = { "lz4", "lz4hc", "zstd" };

enum { TAKERS = sizeof(takers) / sizeof(takers[0]) };

static int default_level(const struct zsi_codec *c)
{
	int min, max, dflt;

	(void)zsi_codec_levels(c, &min, &max, &dflt);
	return dflt;
}

static int train(void **state)
{
	size_t sizes[SAMPLES];
	uint8_t *samples = malloc((size_t)SAMPLES * BLOCK);

	(void)state;
	CHECK(samples != NULL);
	for (unsigned d = 0; d < 2; d++) {
		for (unsigned i = 0; i < SAMPLES; i++) {
			sizes[i] = BLOCK;
			data_fill(samples + (size_t)i * BLOCK, BLOCK, DATA_WORDS, 1000 + d * SAMPLES + i);
		}
		trained_bytes[d] = zsi_codec_dict_train(trained[d], DICT_ROOM / (1 + d), samples, sizes, SAMPLES);
		CHECK(trained_bytes[d] > 256 && trained_bytes[d] <= DICT_ROOM / (1 + d));
	}
	data_fill(raw, sizeof(raw), DATA_WORDS, 77);
	free(samples);
	return 0;
}

static void training_refuses(void **state)
{
	static uint8_t out[1024], samples[8192];
	size_t sizes[8192 / 8];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		sizes[i] = 8;
	data_fill(samples, sizeof(samples), DATA_WORDS, 1);
	errno = 0;
	assert_int_equal(zsi_codec_dict_train(out, sizeof(out), samples, sizes, 0), 0);
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_int_equal(zsi_codec_dict_train(out, sizeof(out), samples, sizes, 1), 0);
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_int_equal(zsi_codec_dict_train(out, 100, samples, sizes, 1024), 0);
	assert_int_equal(errno, EINVAL);
}

static void takers_only(void **state)
{
	(void)state;
	for (unsigned i = 0; zsi_codec_at(i) != NULL; i++) {
		const struct zsi_codec *c = zsi_codec_at(i);
		bool takes = false;

		for (unsigned t = 0; t < TAKERS; t++)
			takes |= strcmp(zsi_codec_name(c), takers[t]) == 0;
		assert_int_equal(zsi_codec_takes_dict(c), takes);
		errno = 0;
		if (!takes) {
			assert_null(zsi_codec_dict_create(c, default_level(c), raw, sizeof(raw)));
			assert_int_equal(errno, EINVAL);
		}
	}
	zsi_codec_dict_destroy(NULL);
}

/* Compressed with a, decompressed with b, at an edge. 1: it was what it had been; 0: other bytes; -1: EIO. */
static int through(struct zsi_codec_ctx *x, const struct zsi_codec_dict *a, const struct zsi_codec_dict *b,
		   uint64_t seed, size_t n, size_t *len)
{
	struct edge src = edge_create(n), dst = edge_create(n), packed = edge_create(2 * n + 64);
	int result;

	data_fill(src.start, n, DATA_WORDS, seed);
	*len = zsi_codec_compress(x, a, src.start, n, packed.start, packed.n);
	CHECK(*len > 0);
	memmove(packed.start + packed.n - *len, packed.start, *len);
	errno = 0;
	result = zsi_codec_decompress(x, b, packed.start + packed.n - *len, *len, dst.start, n);
	CHECK(result == 0 || errno == EIO);
	result = result != 0 ? -1 : memcmp(src.start, dst.start, n) == 0;
	edge_destroy(&src);
	edge_destroy(&dst);
	edge_destroy(&packed);
	return result;
}

static void pays(const struct zsi_codec *c, const void *bytes, size_t n)
{
	int level = default_level(c);
	struct zsi_codec_dict *d = zsi_codec_dict_create(c, level, bytes, n);
	struct zsi_codec_ctx *x = zsi_codec_ctx_create(c, level, ZSI_CODEC_BLOCK_MAX, ZSI_CODEC_BOTH);

	assert_non_null(d);
	assert_non_null(x);
	assert_in_range(zsi_codec_dict_bytes(d), 4096, 16 << 20);
	for (size_t block = BLOCK; block <= ZSI_CODEC_BLOCK_MAX; block *= 2) {
		size_t with = 0, without = 0, len;

		/* Turn by turn, as recompression does it: neither must disturb the other. */
		for (uint64_t seed = 0; seed < 12; seed++) {
			assert_int_equal(through(x, d, d, seed, block, &len), 1);
			with += len;
			assert_int_equal(through(x, NULL, NULL, seed, block, &len), 1);
			without += len;
		}
		if (block == BLOCK)
			CHECK_MSG(with < without * 95 / 100, "%s: %zu with, %zu without", zsi_codec_name(c), with,
				  without);
	}
	zsi_codec_ctx_destroy(x);
	zsi_codec_dict_destroy(d);
}

static void round_trips(void **state)
{
	(void)state;
	for (unsigned t = 0; t < TAKERS; t++) {
		const struct zsi_codec *c = zsi_codec_find(takers[t]);

		pays(c, trained[0], trained_bytes[0]);
		pays(c, trained[1], trained_bytes[1]);
		pays(c, raw, sizeof(raw));
	}
}

static void mismatch(void **state)
{
	(void)state;
	for (unsigned t = 0; t < TAKERS; t++) {
		const struct zsi_codec *c = zsi_codec_find(takers[t]);
		int level = default_level(c);
		struct zsi_codec_dict *a = zsi_codec_dict_create(c, level, trained[0], trained_bytes[0]);
		struct zsi_codec_dict *b = zsi_codec_dict_create(c, level, trained[1], trained_bytes[1]);
		struct zsi_codec_ctx *x = zsi_codec_ctx_create(c, level, BLOCK, ZSI_CODEC_BOTH);
		size_t len;

		assert_non_null(a);
		assert_non_null(b);
		assert_non_null(x);
		for (uint64_t seed = 0; seed < 50; seed++) {
			/* Trained dictionaries have numbers, which zstd compares; LZ4 has nothing to tell by. */
			int other = through(x, a, b, seed, BLOCK, &len);
			int none = through(x, a, NULL, seed, BLOCK, &len);

			assert_int_not_equal(other, 1);
			assert_int_equal(none, -1);
			if (strcmp(takers[t], "zstd") == 0)
				assert_int_equal(other, -1);
			assert_int_equal(through(x, a, a, seed, BLOCK, &len), 1);
		}
		zsi_codec_dict_destroy(a);
		zsi_codec_dict_destroy(b);
		zsi_codec_ctx_destroy(x);
	}
}

static void refused(void **state)
{
	const struct zsi_codec *zstd = zsi_codec_find("zstd");
	uint8_t damaged[DICT_ROOM];

	(void)state;
	for (unsigned t = 0; t < TAKERS; t++) {
		const struct zsi_codec *c = zsi_codec_find(takers[t]);
		int min, max, dflt;

		(void)zsi_codec_levels(c, &min, &max, &dflt);
		errno = 0;
		assert_null(zsi_codec_dict_create(c, dflt, raw, ZSI_CODEC_DICT_MIN - 1));
		assert_int_equal(errno, EINVAL);
		errno = 0;
		assert_null(zsi_codec_dict_create(c, dflt, raw, (size_t)ZSI_CODEC_DICT_MAX + 1));
		assert_int_equal(errno, EINVAL);
		errno = 0;
		assert_null(zsi_codec_dict_create(c, max + 1, raw, sizeof(raw)));
		assert_int_equal(errno, EINVAL);
		zsi_codec_dict_destroy(zsi_codec_dict_create(c, dflt, raw, ZSI_CODEC_DICT_MIN));
	}
	/* It says that it is one of zstd's, and its tables are not. */
	memcpy(damaged, trained[0], trained_bytes[0]);
	memset(damaged + 8, 0xff, 64);
	errno = 0;
	assert_null(zsi_codec_dict_create(zstd, 3, damaged, trained_bytes[0]));
	assert_int_equal(errno, EINVAL);
	assert_null(zsi_codec_dict_create(zstd, 3, trained[0], 40));
}

struct thread_job {
	const struct zsi_codec *codec;
	const struct zsi_codec_dict *dict;
	size_t sum;
};

static void *thread_main(void *arg)
{
	struct thread_job *job = arg;
	struct zsi_codec_ctx *x = zsi_codec_ctx_create(job->codec, default_level(job->codec), BLOCK, ZSI_CODEC_BOTH);
	size_t len;

	CHECK(x != NULL);
	for (uint64_t seed = 0; seed < 60; seed++) {
		CHECK(through(x, job->dict, job->dict, seed, BLOCK, &len) == 1);
		job->sum += len;
	}
	zsi_codec_ctx_destroy(x);
	return NULL;
}

static void shared(void **state)
{
	enum { THREADS = 4 };

	(void)state;
	for (unsigned t = 0; t < TAKERS; t++) {
		const struct zsi_codec *c = zsi_codec_find(takers[t]);
		struct zsi_codec_dict *d = zsi_codec_dict_create(c, default_level(c), trained[0], trained_bytes[0]);
		pthread_t thread[THREADS];
		struct thread_job jobs[THREADS];

		assert_non_null(d);
		for (int i = 0; i < THREADS; i++) {
			jobs[i] = (struct thread_job){ c, d, 0 };
			assert_int_equal(pthread_create(&thread[i], NULL, thread_main, &jobs[i]), 0);
		}
		for (int i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(thread[i], NULL), 0);
			assert_int_equal(jobs[i].sum, jobs[0].sum);
		}
		zsi_codec_dict_destroy(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(training_refuses), cmocka_unit_test(takers_only), cmocka_unit_test(round_trips),
		cmocka_unit_test(mismatch),         cmocka_unit_test(refused),     cmocka_unit_test(shared),
	};

	return cmocka_run_group_tests(tests, train, NULL);
}
