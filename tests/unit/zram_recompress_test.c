/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_recompress_test.c - recompression decides block by block as the kernel does: a second, plain statement of its
 * rules is applied to the same blocks, and every block must end with the algorithm, the size and the mark that it says.
 * Then what a request may say, which blocks come first, and blocks that are damaged.
 */
#include "zram_blocks.h"
#include "zram_shadow.h"

#include "codec/backend.h"
#include "codec/codec.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/layout.h"

#define BLOCKS 300u
#define NR_ALGS 4u

static const char *const algs[NR_ALGS] = { "lz4", "lzo", "deflate", "zstd" };

/* Blocks of every size: some letters out of few for a while, noise for a while, then one byte. */
static bool of_every_size(uint8_t *to, uint64_t i, struct rng *r)
{
	size_t noise = (size_t)rng_below(r, BS), text = (size_t)rng_below(r, BS);
	unsigned letters = 2 + (unsigned)rng_below(r, 60);

	memset(to, (int)(i % 251), BS);
	for (size_t k = 0; k < BS && k < noise + text; k++)
		to[k] = k < noise ? (uint8_t)rng_next(r) : (uint8_t)('0' + rng_below(r, letters));
	if (i % 10 == 3)
		memset(to, (int)i, BS);
	return true;
}

static struct shadow shadow = { SHADOW_OF(BLOCKS), .make = of_every_size, .seed = 1 };

static struct zram *device(unsigned secondary, unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	o.disksize = (uint64_t)BLOCKS * BS;
	for (unsigned i = 0; i < secondary; i++)
		o.recomp_algorithm[i] = algs[i + 1];
	o.flags = flags;
	struct zram *z = zram_create("again", &o);

	assert_non_null(z);
	return z;
}

static uint64_t word_of(struct zram *z, uint64_t index)
{
	return atomic_load(&zsi_block_at(z, index)->meta);
}

/* --- the rules, once more --- */

struct expected {
	bool same, incompressible;
	unsigned priority;
	size_t size;
};

static struct expected model[BLOCKS];
static size_t sizes[BLOCKS][NR_ALGS]; /* that each algorithm makes; 0: more than a block */

static void measure(struct zram *z)
{
	uint8_t out[2 * BS];

	for (unsigned a = 0; a < NR_ALGS; a++) {
		const struct zsi_codec *c = zsi_codec_find(algs[a]);
		int min, max, level = 0;

		assert_non_null(c);
		(void)zsi_codec_levels(c, &min, &max, &level);
		struct zsi_codec_ctx *x = zsi_codec_ctx_create(c, level, BS, ZSI_CODEC_BOTH);

		assert_non_null(x);
		for (unsigned i = 0; i < BLOCKS; i++)
			sizes[i][a] = zsi_codec_compress(x, NULL, shadow.at[i], BS, out, sizeof(out));
		zsi_codec_ctx_destroy(x);
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		size_t len = sizes[i][0];

		model[i] = (struct expected){ .same = i % 10 == 3, .size = len };
		if (len == 0 || len >= zs_huge_class_size(zram_get_pool(z)))
			model[i].size = BS;
		if (model[i].same)
			model[i].size = 0;
	}
}

/* A request. priority 0: all of them, one after the other. */
struct step {
	const char *value;
	unsigned priority;
	size_t threshold;
	bool huge;
};

static void apply(struct zram *z, unsigned secondary, const struct step *step)
{
	struct zs_pool *pool = zram_get_pool(z);
	unsigned first = step->priority != 0 ? step->priority : 1, last = step->priority != 0 ? step->priority : secondary;

	for (unsigned i = 0; i < BLOCKS; i++) {
		struct expected *b = &model[i];
		unsigned fitting = 0;
		size_t old = b->size, found = 0, below = step->threshold != 0 ? step->threshold : SIZE_MAX;

		if (b->same || b->incompressible || old < step->threshold || (step->huge && old != BS) ||
		    b->priority >= last)
			continue;
		for (unsigned p = first; p <= last && found == 0; p++) {
			size_t len = sizes[i][p];

			if (p <= b->priority || len == 0 || len >= zs_huge_class_size(pool) ||
			    zs_lookup_class_index(pool, len) >= zs_lookup_class_index(pool, old))
				continue;
			fitting++;
			if (len >= below)
				continue;
			found = len;
			b->priority = p;
		}
		if (found != 0)
			b->size = found;
		else if (fitting == 0 && last == secondary)
			b->incompressible = true;
	}
}

static void check_model(struct zram *z, const char *after)
{
	for (uint64_t i = 0; i < BLOCKS; i++) {
		const struct expected *b = &model[i];
		uint64_t meta = word_of(z, i);

		if (((meta & ZSI_SAME) != 0) != b->same || zsi_meta_priority(meta) != b->priority ||
		    ((meta & ZSI_INCOMPRESSIBLE) != 0) != b->incompressible || zsi_meta_size(meta) != b->size ||
		    ((meta & ZSI_HUGE) != 0) != (b->size == BS))
			fail_msg("after %s block %d is %s, priority %u, %zu bytes, and should have priority %u, "
				 "%zu bytes%s",
				 after, (int)i, state_of(z, i), zsi_meta_priority(meta), zsi_meta_size(meta),
				 b->priority, b->size, b->incompressible ? ", marked" : "");
	}
}

static void decides_as_the_kernel(void **state)
{
	static const struct step steps[] = {
		{ "type=huge", 1, 0, true },
		{ "priority=2", 2, 0, false },
		{ "algo=lzo", 1, 0, false },
		{ "threshold=2000", 1, 2000, false },
		{ "priority=2 algo=deflate chain=0", 2, 0, false },
		{ "threshold=300 priority=3", 3, 300, false },
		{ "type=huge chain=1", 0, 0, true },
		{ "priority=3", 3, 0, false },
		{ "chain=1 threshold=300", 0, 300, false },
		{ "", 1, 0, false },
		{ "chain=1", 0, 0, false },
		{ "threshold=0", 1, 0, false },
	};

	(void)state;
	for (unsigned secondary = 1; secondary < NR_ALGS; secondary++) {
		struct zram *z = device(secondary, 0);

		shadow_fill(&shadow, z);
		measure(z);
		check_model(z, "writing");
		/* Each twice: what was done is not done again. */
		for (unsigned i = 0; i < 2 * sizeof(steps) / sizeof(steps[0]); i++) {
			const struct step *step = &steps[i / 2];

			if (step->priority > secondary)
				continue;
			set(z, "recompress", step->value);
			apply(z, secondary, step);
			check_model(z, step->value);
		}
		shadow_compare(&shadow, z);
		zram_destroy(z);
	}
}

/* One request, one algorithm: the others have their turn only in a chain. */
static void one_algorithm_a_request(void **state)
{
	struct zram *z = device(NR_ALGS - 1, 0);
	unsigned of[NR_ALGS] = { 0 };

	(void)state;
	shadow_fill(&shadow, z);
	set(z, "recompress", "");
	for (uint64_t i = 0; i < BLOCKS; i++) {
		of[zsi_meta_priority(word_of(z, i))]++;
		assert_int_equal(word_of(z, i) & ZSI_INCOMPRESSIBLE, 0);
	}
	assert_true(of[1] > 0 && of[0] > 0);
	assert_int_equal(of[2] + of[3], 0);
	set(z, "recompress", "chain=1");
	for (uint64_t i = 0; i < BLOCKS; i++)
		of[zsi_meta_priority(word_of(z, i))]++;
	assert_true(of[2] > 0);
	shadow_compare(&shadow, z);
	zram_destroy(z);
}

/* A block that was made smaller is not one that can't be made smaller. */
static void done_is_not_incompressible(void **state)
{
	struct zram *z = device(1, 0);
	unsigned done = 0;

	(void)state;
	shadow_fill(&shadow, z);
	for (unsigned round = 0; round < 3; round++) {
		set(z, "idle", "all");
		set(z, "recompress", round == 1 ? "type=idle" : "algo=lzo");
		for (uint64_t i = 0; i < BLOCKS; i++) {
			uint64_t meta = word_of(z, i);

			if (zsi_meta_priority(meta) == 0)
				continue;
			done++;
			assert_int_equal(meta & ZSI_INCOMPRESSIBLE, 0);
		}
	}
	assert_true(done > 0);
	zram_destroy(z);
}

/* --- requests --- */

static void requests_that_make_no_sense(void **state)
{
	static const char *const bad[] = {
		"type=lazy", "type=incompressible", "type", "type=", "algo=lz4", "algo=none", "algo=", "priority=0",
		"priority=2", "priority=9", "priority=-1", "priority=1x", "threshold=4096", "threshold=x", "threshold=",
		"threshold=99999999999999999999", "max_pages=0", "max_pages=-1", "max_pages=", "speed=9", "=", "=1",
		"chain=2", "chain=", "chain", "algo=zstd priority=1", "priority=2 algo=lzo", "chain=1 algo=zstd",
	};
	struct zram *z = device(1, 0);

	(void)state;
	shadow_fill(&shadow, z);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(z, "recompress", bad[i], EINVAL);
	/* What was right before the mistake is not done. */
	refused(z, "recompress", "type=huge algo=lzo speed=9", EINVAL);
	for (uint64_t i = 0; i < BLOCKS; i++)
		assert_int_equal(word_of(z, i) & (ZSI_PRIORITY_MASK | ZSI_INCOMPRESSIBLE), 0);
	set(z, "recompress", "  type=huge \t threshold=3000\n");
	set(z, "reset", "1");
	refused(z, "recompress", "type=idle", EINVAL);
	set(z, "disksize", "64K");
	refused(z, "recompress", "type=huge", EINVAL);
	assert_non_null(strstr(zram_strerror(), "recomp_algorithm"));
	/* A gap among the priorities is none. */
	set(z, "reset", "1");
	set(z, "recomp_algorithm", "algo=zstd priority=3");
	set(z, "disksize", "64K");
	shadow_write(&shadow, z, 0);
	refused(z, "recompress", "priority=1", EINVAL);
	assert_non_null(strstr(zram_strerror(), "of priority 1"));
	refused(z, "recompress", "", EINVAL);
	refused(z, "recompress", "algo=zstd priority=2", EINVAL);
	assert_non_null(strstr(zram_strerror(), "not that of priority 2"));
	set(z, "recompress", "algo=zstd priority=3");
	set(z, "recompress", "algo=zstd");
	set(z, "recompress", "chain=1");
	zram_destroy(z);
}

/* max_pages counts those that are tried, the largest first. */
static void largest_first(void **state)
{
	struct zram *z = device(1, 0);
	size_t smallest_done = SIZE_MAX, largest_left = 0;
	unsigned done = 0;

	(void)state;
	shadow_fill(&shadow, z);
	measure(z);
	set(z, "recompress", "max_pages=40");
	for (uint64_t i = 0; i < BLOCKS; i++) {
		uint64_t meta = word_of(z, i);
		bool tried = (meta & (ZSI_PRIORITY_MASK | ZSI_INCOMPRESSIBLE)) != 0;

		done += tried;
		if (tried && model[i].size < smallest_done)
			smallest_done = model[i].size;
		if (!tried && !model[i].same && model[i].size > largest_left)
			largest_left = model[i].size;
	}
	assert_int_equal(done, 40);
	/* Sizes are told apart in steps of 64 bytes, as in the kernel. */
	assert_true(smallest_done / 64 >= largest_left / 64);
	shadow_compare(&shadow, z);
	zram_destroy(z);
}

static void the_access_time_stays(void **state)
{
	struct zram *z = device(1, 0);

	(void)state;
	shadow_fill(&shadow, z);
	uint32_t time = zsi_meta_time(word_of(z, 0)) - 100;

	for (uint64_t i = 0; i < BLOCKS; i++)
		atomic_store(&zsi_block_at(z, i)->meta,
			     (word_of(z, i) & ((1ull << ZSI_TIME_SHIFT) - 1)) | (uint64_t)time << ZSI_TIME_SHIFT);
	set(z, "idle", "10");
	set(z, "recompress", "type=idle");
	for (uint64_t i = 0; i < BLOCKS; i++) {
		assert_int_equal(zsi_meta_time(word_of(z, i)), time);
		assert_int_equal(word_of(z, i) & ZSI_IDLE, 0);
	}
	zram_destroy(z);
}

/* One damaged block costs an error, and no other block its turn. */
static void damaged_blocks_are_passed_over(void **state)
{
	struct zram *z = device(1, ZRAM_CHECKSUM);

	(void)state;
	shadow_fill(&shadow, z);
	measure(z);
	z->table.sums[0] ^= 1;
	z->table.sums[50] ^= 1;
	refused(z, "recompress", "", EIO);
	assert_non_null(strstr(zram_strerror(), "block 50"));
	apply(z, 1, &(struct step){ "", 1, 0, false });
	for (uint64_t i = 0; i < BLOCKS; i++) {
		if (i == 0 || i == 50)
			continue;
		assert_int_equal(zsi_meta_priority(word_of(z, i)), model[i].priority);
		assert_int_equal(zsi_meta_size(word_of(z, i)), model[i].size);
		shadow_compare_block(&shadow, z, i);
	}
	/* They are as they were. */
	z->table.sums[0] ^= 1;
	z->table.sums[50] ^= 1;
	shadow_compare(&shadow, z);
	set(z, "recompress", "");
	check_model(z, "healing");
	zram_destroy(z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decides_as_the_kernel),
		cmocka_unit_test(one_algorithm_a_request),
		cmocka_unit_test(done_is_not_incompressible),
		cmocka_unit_test(requests_that_make_no_sense),
		cmocka_unit_test(largest_first),
		cmocka_unit_test(the_access_time_stays),
		cmocka_unit_test(damaged_blocks_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
