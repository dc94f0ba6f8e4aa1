/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_streams_test.c - contexts are there when they are needed and no longer: a reader has none to compress with, a
 * device written by many threads and then left alone holds little, one context is enough for any number of threads, and
 * a limit that leaves no room for one is refused at the start. The clock is the test's.
 */
#include <zsmalloc/zram.h>
#include "unit.h"

#include <check.h>
#include <pthread.h>
#include <rng.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/lock.h"
#include "device/device.h"
#include "device/layout.h"
#include "device/table.h"
#include "device/thread.h"

#define BS 4096u
#define THREADS 16u
#define EACH 8u /* blocks of a thread */

/* --- the clock that blocks and contexts go by: it stands still where the test does not move it --- */

static _Atomic time_t later; /* seconds that the test has let pass */

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (id != CLOCK_MONOTONIC_COARSE)
		return __real_clock_gettime(id, ts);
	*ts = (struct timespec){ .tv_sec = 1000 + atomic_load(&later) };
	return 0;
}

/* --- devices --- */

static struct zram *device(const char *algorithm, const char *params, size_t block_size, uint64_t limit)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.disksize = 64 << 20;
	o.block_size = block_size;
	o.comp_algorithm = algorithm;
	o.algorithm_params = params;
	o.mem_limit = limit;
	return zram_create("streams", &o);
}

static uint64_t own(struct zram *z)
{
	return atomic_load(&z->memory.own);
}

static uint64_t held(struct zram *z)
{
	return own(z) + zs_get_total_bytes(z->pool);
}

/* Contexts of streams, of one kind. */
static unsigned contexts(struct zram *z, unsigned kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ZSI_STREAMS; i++)
		n += zsi_stream_at(z, i) != NULL && zsi_stream_at(z, i)->ctx[kind] != NULL;
	return n;
}

static unsigned filled(struct zram *z)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ZSI_STREAMS; i++)
		n += zsi_stream_at(z, i) != NULL && zsi_stream_at(z, i)->bytes != 0;
	return n;
}

/* What shrinks to about one half. */
static void fill(uint8_t *block, size_t n, uint64_t seed)
{
	struct rng r = { seed };

	for (size_t i = 0; i < n; i++)
		block[i] = i < n / 2 ? (uint8_t)rng_next(&r) : (uint8_t)seed;
}

struct worker {
	struct zram *z;
	uint64_t first, end; /* blocks; end 0: EACH of them */
	bool write, read;
	pthread_t thread;
};

/*
 * Threads that are all there before one of them begins, so that each has a number, and a stream, of its own; or NULL.
 */
static pthread_barrier_t *all_there;

static void *work(void *arg)
{
	const struct worker *w = arg;
	static _Thread_local uint8_t want[1 << 16], got[1 << 16];
	size_t n = w->z->block_size;

	CHECK(zram_flush(w->z) == 0);
	if (all_there != NULL)
		(void)pthread_barrier_wait(all_there);
	for (uint64_t i = w->first; i < (w->end != 0 ? w->end : w->first + EACH); i++) {
		fill(want, n, i);
		if (w->write)
			CHECK_MSG(zram_pwrite(w->z, want, n, i * n) == 0, "%s", zram_strerror());
		if (!w->read)
			continue;
		CHECK_MSG(zram_pread(w->z, got, n, i * n) == 0, "%s", zram_strerror());
		CHECK_MSG(memcmp(want, got, n) == 0, "block %llu", (unsigned long long)i);
	}
	return NULL;
}

static void threads(struct zram *z, bool write, bool read)
{
	struct worker w[THREADS];

	for (unsigned t = 0; t < THREADS; t++) {
		w[t] = (struct worker){ .z = z, .first = (uint64_t)t * EACH, .write = write, .read = read };
		CHECK(pthread_create(&w[t].thread, NULL, work, &w[t]) == 0);
	}
	for (unsigned t = 0; t < THREADS; t++)
		CHECK(pthread_join(w[t].thread, NULL) == 0);
}

/*
 * The same with the common context in use all the time, so that each needs one of its own: until all have what there
 * is.
 */
static void threads_without_common(struct zram *z, unsigned kind, bool write, bool read)
{
	struct zsi_lock *lock = &z->contexts.common[kind].lock;
	struct worker w[THREADS];
	pthread_barrier_t barrier;

	CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
	all_there = &barrier;
	CHECK(zsi_trylock_word(lock));
	for (unsigned t = 0; t < THREADS; t++) {
		w[t] = (struct worker){ .z = z, .first = (uint64_t)t * EACH, .write = write, .read = read };
		CHECK(pthread_create(&w[t].thread, NULL, work, &w[t]) == 0);
	}
	/* Some may come when all of the others are inside, and sleep until it is free. */
	for (unsigned t = 0; t < THREADS; t++) {
		while (pthread_tryjoin_np(w[t].thread, NULL) != 0) {
			if (atomic_load(&lock->word) == 2) {
				zsi_unlock_unranked(lock);
				zsi_lock_unranked(lock);
			}
			usleep(100);
		}
	}
	zsi_unlock_unranked(lock);
	all_there = NULL;
	CHECK(pthread_barrier_destroy(&barrier) == 0);
}

/* --- tests --- */

static void readers_make_no_compressor(void **state)
{
	static const char *const algorithms[] = { "lz4", "zstd" };

	(void)state;
	for (unsigned a = 0; a < 2; a++) {
		struct zram *z = device(algorithms[a], NULL, BS, 0);

		assert_non_null(z);
		threads(z, true, false);
		assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
		assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 0);
		uint64_t before = own(z);

		threads_without_common(z, ZSI_COMPRESSOR(0), false, true);
		assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 0);
		/* Beside buffers, of two blocks each, and with lz4, which decompresses without memory, that is all. */
		if (a == 0)
			assert_true(own(z) < before + (uint64_t)THREADS * 10240);
		zram_destroy(z);
	}
}

static void idle_ones_go_back(void **state)
{
	struct zram *z = device("zstd", NULL, BS, 0);

	(void)state;
	assert_non_null(z);
	uint64_t least = own(z);

	threads_without_common(z, ZSI_COMPRESSOR(0), true, false);
	threads_without_common(z, ZSI_DECOMPRESSOR(0), false, true);
	unsigned compressors = contexts(z, ZSI_COMPRESSOR(0)), decompressors = contexts(z, ZSI_DECOMPRESSOR(0));
	uint64_t one = z->contexts.common[ZSI_COMPRESSOR(0)].bytes;

	/* Never more than are of use, though 16 threads wanted one. */
	assert_in_range(compressors, 1, zsi_max(z->contexts.processors, ZSI_OWN_BYTES / one));
	assert_true(decompressors >= 1);
	assert_true(own(z) > least + one && own(z) < (uint64_t)4 << 20);

	atomic_fetch_add(&later, ZSI_IDLE_SECONDS - 10);
	assert_int_equal(zram_flush(z), 0);
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), compressors);
	assert_int_equal(contexts(z, ZSI_DECOMPRESSOR(0)), decompressors);
	atomic_fetch_add(&later, 20);
	assert_int_equal(zram_flush(z), 0);
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 0);
	assert_int_equal(contexts(z, ZSI_DECOMPRESSOR(0)), 0);
	assert_int_equal(filled(z), 1);
	/* The table, of which a chunk and its directory are there now. */
	assert_true(own(z) <= least + zsi_table_first_bytes(&z->table));
	assert_int_equal(zram_discard(z, 0, 64 << 20), 0);
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	assert_true(held(z) < (uint64_t)2 << 20);
	threads(z, true, true);
	zram_destroy(z);
}

/* One that writes now and then keeps what it uses, and only that. */
static void used_ones_stay(void **state)
{
	struct zram *z = device("zstd", NULL, BS, 0);
	uint8_t block[BS];

	(void)state;
	assert_non_null(z);
	for (unsigned kind = 0; kind < ZSI_KINDS; kind += ZSI_PRIORITIES) {
		CHECK(zsi_trylock_word(&z->contexts.common[kind].lock));
		fill(block, BS, 1);
		assert_int_equal(zram_pwrite(z, block, kind == 0 ? BS : 0, 0), 0);
		assert_int_equal(zram_pread(z, block, kind == 0 ? 0 : BS, 0), 0);
		zsi_unlock_unranked(&z->contexts.common[kind].lock);
	}
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 1);
	assert_int_equal(contexts(z, ZSI_DECOMPRESSOR(0)), 1);
	for (unsigned i = 0; i < 4; i++) {
		atomic_fetch_add(&later, ZSI_IDLE_SECONDS / 2);
		assert_int_equal(zram_pread(z, block, BS, 0), 0);
	}
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 0);
	assert_int_equal(contexts(z, ZSI_DECOMPRESSOR(0)), 1);
	zram_destroy(z);
}

/* Nobody calls, but the background is there. */
static void the_background_looks(void **state)
{
	struct zram_background policy = ZRAM_BACKGROUND_INIT;
	struct zram *z = device("zstd", NULL, BS, 0);

	(void)state;
	assert_non_null(z);
	policy.no_shrinker = true;
	policy.interval_ms = 1;
	assert_int_equal(zram_background_start(z, &policy), 0);
	threads_without_common(z, ZSI_COMPRESSOR(0), true, true);
	_Atomic uint64_t *bytes = &z->contexts.common[ZSI_COMPRESSOR(0)].own_bytes;

	assert_true(atomic_load(bytes) != 0);
	atomic_fetch_add(&later, ZSI_IDLE_SECONDS + 5);
	while (atomic_load(bytes) != 0)
		usleep(1000);
	zram_destroy(z);
}

/* Nobody uses it, and there is no background: who asks what it holds is told what it will hold from now on. */
static void who_asks_looks(void **state)
{
	char text[256];

	(void)state;
	for (unsigned attribute = 0; attribute < 2; attribute++) {
		struct zram *z = device("zstd", NULL, BS, 0);
		FILE *null = fopen("/dev/null", "w");

		assert_non_null(z);
		assert_non_null(null);
		threads_without_common(z, ZSI_COMPRESSOR(0), true, true);
		assert_true(contexts(z, ZSI_COMPRESSOR(0)) > 0);
		atomic_fetch_add(&later, ZSI_IDLE_SECONDS + 5);
		if (attribute != 0)
			assert_true(zram_attr_get(z, "mm_stat", text, sizeof(text)) > 0);
		else
			assert_int_equal(zram_stats_print(z, null, ZRAM_STATS_JSON), 0);
		assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 0);
		assert_int_equal(contexts(z, ZSI_DECOMPRESSOR(0)), 0);
		assert_int_equal(filled(z), 1);
		/* What the device has of each kind for itself is all that is left of contexts. */
		uint64_t left = 0;

		for (unsigned kind = 0; kind < ZSI_KINDS; kind++)
			left += z->contexts.common[kind].ctx != NULL ? z->contexts.common[kind].bytes : 0;
		assert_true(left < (uint64_t)2 << 20);
		fclose(null);
		zram_destroy(z);
	}
}

static void compact_gives_back_at_once(void **state)
{
	struct zram *z = device("lz4hc", NULL, BS, 0);
	uint64_t least;

	(void)state;
	assert_non_null(z);
	least = own(z);
	threads_without_common(z, ZSI_COMPRESSOR(0), true, true);
	assert_true(own(z) > least + z->contexts.common[ZSI_COMPRESSOR(0)].bytes);
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	assert_int_equal(filled(z), 1);
	assert_true(own(z) <= least + zsi_table_first_bytes(&z->table));
	zram_destroy(z);
}

/* Where the streams may have no more of their own, one that wants one takes it from a stream that nobody uses. */
static void taken_from_another(void **state)
{
	struct zram *z = device("zstd", NULL, BS, 0);
	struct zsi_common *c = &z->contexts.common[ZSI_COMPRESSOR(0)];
	struct worker w = { .z = z, .first = 0, .write = true };
	uint8_t block[BS];

	(void)state;
	CHECK(zsi_trylock_word(&c->lock));
	CHECK(pthread_create(&w.thread, NULL, work, &w) == 0);
	CHECK(pthread_join(w.thread, NULL) == 0);
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 1);
	assert_true(atomic_load(&c->own_bytes) == c->bytes);
	/* As if there were many. */
	atomic_fetch_add(&c->own_bytes, (uint64_t)1 << 40);
	fill(block, BS, 5);
	assert_int_equal(zram_pwrite(z, block, BS, 0), 0);
	assert_non_null(zsi_stream_at(z, zsi_thread_number() % ZSI_STREAMS)->ctx[ZSI_COMPRESSOR(0)]);
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 1);
	atomic_fetch_sub(&c->own_bytes, (uint64_t)1 << 40);
	zsi_unlock_unranked(&c->lock);
	zram_destroy(z);
}

/* A secondary algorithm's compressor is there once, while there is something to recompress. */
static void once_for_recompression(void **state)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zram *z;

	(void)state;
	o.disksize = 64 << 20;
	o.recomp_algorithm[0] = "zstd";
	z = zram_create("streams", &o);
	assert_non_null(z);
	threads(z, true, true);
	assert_null(z->contexts.common[ZSI_COMPRESSOR(1)].ctx);
	assert_int_equal(zram_attr_set(z, "recompress", "algo=zstd"), 0);
	assert_non_null(z->contexts.common[ZSI_COMPRESSOR(1)].ctx);
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(1)), 0);
	threads_without_common(z, ZSI_DECOMPRESSOR(1), false, true);
	atomic_fetch_add(&later, ZSI_IDLE_SECONDS + 1);
	assert_int_equal(zram_flush(z), 0);
	assert_null(z->contexts.common[ZSI_COMPRESSOR(1)].ctx);
	assert_int_equal(contexts(z, ZSI_DECOMPRESSOR(1)), 0);
	threads(z, false, true);
	zram_destroy(z);
	/* With a limit, at which there would be no room for it. */
	o.mem_limit = 1 << 20;
	z = zram_create("streams", &o);
	assert_non_null(z);
	assert_non_null(z->contexts.common[ZSI_COMPRESSOR(1)].ctx);
	uint8_t block[BS];
	uint64_t n = 0;

	do
		fill(block, BS, n);
	while (zram_pwrite(z, block, BS, n++ * BS) == 0);
	assert_int_equal(zram_attr_set(z, "compact", "1"), 0);
	assert_true(zram_attr_set(z, "recompress", "algo=zstd") == 0 || errno == ENOMEM);
	assert_null(strstr(zram_strerror(), "context"));
	assert_non_null(z->contexts.common[ZSI_COMPRESSOR(1)].ctx);
	assert_true(held(z) <= o.mem_limit);
	zram_destroy(z);
}

/* At the limit memory is for blocks. */
static void refused_memory_is_taken_from_contexts(void **state)
{
	struct zram *z = device("lz4hc", NULL, BS, 5 << 20);
	uint8_t block[BS];
	uint64_t n = 0;

	(void)state;
	assert_non_null(z);
	threads_without_common(z, ZSI_COMPRESSOR(0), true, false);
	assert_in_range(contexts(z, ZSI_COMPRESSOR(0)), 1, 2);
	do
		fill(block, BS, n);
	while (zram_pwrite(z, block, BS, n++ * BS) == 0);
	assert_int_equal(errno, ENOMEM);
	/* The writer itself keeps one, if it had one. */
	unsigned kept = contexts(z, ZSI_COMPRESSOR(0));

	assert_int_equal(kept, zsi_stream_at(z, zsi_thread_number() % ZSI_STREAMS)->ctx[ZSI_COMPRESSOR(0)] != NULL);
	/* And none is made again at once, to go at the next refusal; but when there is room for a while. */
	assert_int_equal(zram_discard(z, 0, 64 << 20), 0);
	threads_without_common(z, ZSI_COMPRESSOR(0), true, true);
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), kept);
	atomic_fetch_add(&later, 2);
	threads_without_common(z, ZSI_COMPRESSOR(0), true, true);
	assert_in_range(contexts(z, ZSI_COMPRESSOR(0)), 1, 2);
	zram_destroy(z);
}

struct setting {
	const char *algorithm, *params, *recomp;
	size_t block_size;
};

static struct zram *with(const struct setting *s, uint64_t limit)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.disksize = 64 << 20;
	o.block_size = s->block_size;
	o.comp_algorithm = s->algorithm;
	o.algorithm_params = s->params;
	o.recomp_algorithm[0] = s->recomp;
	o.mem_limit = limit;
	return zram_create("streams", &o);
}

/* EACH blocks, which are "some", by n threads. */
static void same_blocks(struct zram *z, unsigned n)
{
	struct worker w[THREADS];

	for (unsigned t = 0; t < n; t++) {
		w[t] = (struct worker){ .z = z, .write = true, .read = true };
		CHECK(pthread_create(&w[t].thread, NULL, work, &w[t]) == 0);
	}
	for (unsigned t = 0; t < n; t++)
		CHECK(pthread_join(w[t].thread, NULL) == 0);
}

/* Too small a limit is refused, and told is what would do; with that, any number of threads can write. */
static void too_small_a_limit(void **state)
{
	static const struct setting settings[] = {
		{ "lz4", NULL, NULL, BS },           { "lzo", NULL, "zstd", BS },
		{ "lzo-rle", NULL, "lzo", BS },      { "lz4", "kernel=1", NULL, 65536 },
		{ "lz4hc", NULL, "deflate", BS },    { "zstd", NULL, NULL, BS },
		{ "zstd", "level=22", NULL, BS },    { "deflate", NULL, "zstd", BS },
		{ "deflate", "level=12", NULL, BS }, { "lz4", NULL, NULL, 65536 },
		{ "zstd", "level=19", NULL, 65536 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		const struct setting *s = &settings[i];
		unsigned long long given, needed;
		const char *text;

		errno = 0;
		assert_null(with(s, 50000));
		assert_int_equal(errno, ENOMEM);
		CHECK_MSG(sscanf(zram_strerror(), "streams: mem_limit %llu is too small", &given) == 1 &&
				  given == 50000,
			  "%s", zram_strerror());
		assert_non_null(strstr(zram_strerror(), s->algorithm));
		text = strstr(zram_strerror(), "at least ");
		assert_non_null(text);
		assert_int_equal(sscanf(text, "at least %llu bytes", &needed), 1);
		assert_null(with(s, needed - 1));
		struct zram *z = with(s, needed);

		if (z == NULL)
			fail_msg("%s", zram_strerror());
		same_blocks(z, s->block_size == BS ? THREADS : 2);
		if (0)
			CHECK_MSG(held(z) <= needed, "%s: %llu of %llu", s->algorithm, (unsigned long long)held(z),
				  needed);
		zram_destroy(z);
	}
}

/* By attributes: refused when it is initialised, and nothing has changed. */
static void too_small_a_limit_by_attributes(void **state)
{
	struct zram *z = zram_create("streams", NULL);

	(void)state;
	assert_non_null(z);
	assert_int_equal(zram_attr_set(z, "comp_algorithm", "deflate"), 0);
	assert_int_equal(zram_attr_set(z, "algorithm_params", "level=12"), 0);
	assert_int_equal(zram_attr_set(z, "mem_limit", "4M"), 0);
	uint64_t before = own(z);

	assert_int_equal(zram_attr_set(z, "disksize", "64M"), -1);
	assert_int_equal(errno, ENOMEM);
	assert_non_null(strstr(zram_strerror(), "mem_limit 4194304 is too small: with deflate level 12"));
	assert_int_equal(zram_disksize(z), 0);
	assert_int_equal(own(z), before);
	assert_int_equal(zram_attr_set(z, "mem_limit", "16M"), 0);
	assert_int_equal(zram_attr_set(z, "disksize", "64M"), 0);
	threads(z, true, true);
	/* Later it may be set below what is there: that is how a disk is told to shrink. */
	assert_int_equal(zram_attr_set(z, "mem_limit", "1M"), 0);
	threads(z, false, true);
	zram_destroy(z);
}

/* One context, and sixteen threads that want it. */
static void one_is_enough(void **state)
{
	struct zram *z = device("zstd", "level=19", 65536, 4 << 20);
	struct worker w[THREADS];

	(void)state;
	if (z == NULL)
		fail_msg("%s", zram_strerror());
	/* A block each, of which there is room for some beside the context. */
	for (unsigned t = 0; t < THREADS; t++) {
		w[t] = (struct worker){ .z = z, .first = t, .end = t + 1, .write = true, .read = true };
		CHECK(pthread_create(&w[t].thread, NULL, work, &w[t]) == 0);
	}
	for (unsigned t = 0; t < THREADS; t++)
		CHECK(pthread_join(w[t].thread, NULL) == 0);
	assert_true(held(z) <= 4 << 20);
	assert_int_equal(contexts(z, ZSI_COMPRESSOR(0)), 0);
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_make_no_compressor),
		cmocka_unit_test(idle_ones_go_back),
		cmocka_unit_test(used_ones_stay),
		cmocka_unit_test(the_background_looks),
		cmocka_unit_test(who_asks_looks),
		cmocka_unit_test(compact_gives_back_at_once),
		cmocka_unit_test(taken_from_another),
		cmocka_unit_test(once_for_recompression),
		cmocka_unit_test(refused_memory_is_taken_from_contexts),
		cmocka_unit_test(too_small_a_limit),
		cmocka_unit_test(too_small_a_limit_by_attributes),
		cmocka_unit_test(one_is_enough),
	};

	check_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
