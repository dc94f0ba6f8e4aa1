/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_test.c - a device does what an array of bytes does.
 *
 *   model_zram SEED THREADS
 *
 * Devices of random block size, algorithm, geometry and flags, one after the other. Each thread owns some of a device's
 * bytes and has a plain copy of them: it writes, zeroes, discards and reads ranges of any alignment in what it owns, sets
 * and gets attributes, recompresses and writes back, and saves and loads. Who owns what is by
 *
 *   regions   runs of whole blocks; everything may be done there
 *   shares    a part of every block, so that threads change one block at once; only writes, zeroes and reads
 *
 * After each round the whole device must hold what the copies hold, the numbers of mm_stat must be those that the
 * contents imply, the pool must be valid; and after a discard of everything nothing must be left.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "rng.h"

#define MAX_THREADS 8u
#define BLOCKS 192u
#define ROUNDS 10u
#define STEPS 700u /* of all threads of a round */
#define MOST_BLOCKS 12u

struct round {
	struct zram_options options;
	size_t block_size;
	uint64_t disksize;
	bool shares;
	unsigned threads;
};

static struct round now;
static struct zram *z;
static char backing[] = "/tmp/model-zram-XXXXXX";
static uint8_t *copy; /* disksize bytes, each written by its owner */

struct worker {
	pthread_t thread;
	unsigned number;
	uint64_t steps;
	struct rng rng;
	uint8_t *buf; /* MOST_BLOCKS blocks */
};

/* A range that the worker owns. */
static void choose_range(struct worker *w, uint64_t *offset, size_t *len)
{
	uint64_t region = now.disksize / now.threads / now.block_size * now.block_size;
	uint64_t start = w->number * region, most = MOST_BLOCKS * now.block_size;

	if (now.shares) {
		region = now.block_size / now.threads;
		start = rng_below(&w->rng, now.disksize / now.block_size) * now.block_size + w->number * region;
	}
	*len = (size_t)rng_below(&w->rng, (region < most ? region : most) + 1);
	*offset = start + rng_below(&w->rng, region - *len + 1);
	if (now.shares || !rng_one_in(&w->rng, 3))
		return;
	/* Often whole blocks. */
	*offset -= *offset % now.block_size;
	*len -= *len % now.block_size;
}

static void fill(struct worker *w, size_t len)
{
	uint64_t kind = rng_below(&w->rng, 5), word = rng_next(&w->rng);
	size_t period = (size_t)rng_range(&w->rng, 1, 3000);

	for (size_t i = 0; i < len; i++) {
		switch (kind) {
		case 0: /* random */
			w->buf[i] = (uint8_t)rng_next(&w->rng);
			break;
		case 1: /* one word, which makes same-filled blocks where the range is aligned */
			w->buf[i] = (uint8_t)(word >> (i % 8 * 8));
			break;
		case 2: /* zeros */
			w->buf[i] = 0;
			break;
		default: /* compressible, more or less */
			w->buf[i] = (uint8_t)(i % period < period / (kind - 1) ? rng_mix(word + i % 64) : i / period);
		}
	}
}

static void write_some(struct worker *w)
{
	uint64_t offset;
	size_t len;

	choose_range(w, &offset, &len);
	fill(w, len);
	CHECK_MSG(zram_pwrite(z, w->buf, len, offset) == 0, "%s", zram_strerror());
	memcpy(copy + offset, w->buf, len);
}

static void read_some(struct worker *w)
{
	uint64_t offset;
	size_t len;

	choose_range(w, &offset, &len);
	CHECK_MSG(zram_pread(z, w->buf, len, offset) == 0, "%s", zram_strerror());
	CHECK_MSG(memcmp(w->buf, copy + offset, len) == 0, "%zu bytes at %" PRIu64, len, offset);
}

static void zero_some(struct worker *w)
{
	uint64_t offset;
	size_t len;

	choose_range(w, &offset, &len);
	CHECK_MSG(zram_zero(z, offset, len) == 0, "%s", zram_strerror());
	memset(copy + offset, 0, len);
}

static void discard_some(struct worker *w)
{
	uint64_t offset, bs = now.block_size, first, end;
	size_t len;

	if (now.shares)
		return;
	choose_range(w, &offset, &len);
	CHECK_MSG(zram_discard(z, offset, len) == 0, "%s", zram_strerror());
	first = (offset + bs - 1) / bs * bs;
	end = (offset + len) / bs * bs;
	if (first < end)
		memset(copy + first, 0, end - first);
}

struct extents {
	uint64_t at;
	bool owned; /* what they say can be compared */
};

/* Extents cover the range in order, and what they call zeros is zeros. */
static int check_extent(uint64_t offset, uint64_t len, unsigned flags, void *arg)
{
	struct extents *e = arg;

	CHECK(offset == e->at && len > 0);
	e->at = offset + len;
	for (uint64_t i = 0; e->owned && (flags & ZRAM_EXTENT_ZERO) != 0 && i < len; i++)
		CHECK_MSG(copy[offset + i] == 0, "byte %" PRIu64 " is in a hole", offset + i);
	return 0;
}

static void extents_of_some(struct worker *w)
{
	uint64_t offset;
	size_t len;

	choose_range(w, &offset, &len);
	struct extents e = { offset, true };

	CHECK(zram_extents(z, offset, len, check_extent, &e) == 0);
	CHECK(e.at == offset + len);
}

static void some_attribute(struct worker *w)
{
	static const char *const get[] = { "disksize",   "initstate",   "mm_stat",        "io_stat",
					   "debug_stat", "block_state", "comp_algorithm", "recomp_algorithm",
					   "mem_limit",  "mem_used_max" };
	static const struct {
		const char *attr, *value;
		int error;
	} set[] = {
		{ "compact", "1", 0 },       { "mem_used_max", "0", 0 },
		{ "disksize", "1M", EBUSY }, { "comp_algorithm", "lz4", EBUSY },
		{ "mm_stat", "1", EINVAL },  { "nothing", "1", EINVAL },
		{ "mem_limit", "0", 0 },     { "mem_limit", "1G", 0 },
		{ "reset", "0", EINVAL },
	};
	char text[256];

	if (rng_one_in(&w->rng, 2)) {
		CHECK(zram_attr_get(z, get[rng_below(&w->rng, 10)], text, sizeof(text)) >= 0);
		return;
	}
	uint64_t i = rng_below(&w->rng, sizeof(set) / sizeof(set[0]));

	errno = 0;
	CHECK(zram_attr_set(z, set[i].attr, set[i].value) == (set[i].error == 0 ? 0 : -1));
	CHECK(set[i].error == 0 || errno == set[i].error);
}

/* What is done with blocks that nobody uses changes nothing that anybody reads. Others may be at it. */
static void work_on_idle(struct worker *w)
{
	static const struct {
		const char *attr, *value;
	} set[] = {
		{ "idle", "all" },
		{ "idle", "0" },
		{ "recompress", "type=idle" },
		{ "recompress", "type=huge chain=1" },
		{ "recompress", "algo=zstd max_pages=20" },
		{ "recompress", "priority=2 threshold=500" },
		{ "writeback", "type=idle" },
		{ "writeback", "type=huge" },
		{ "writeback", "type=incompressible" },
		{ "writeback", "page_indexes=0-3" },
		{ "writeback_batch_size", "1" },
		{ "writeback_batch_size", "9" },
		{ "evict", "1" },
		{ "evict", "0" },
	};
	uint64_t i = rng_below(&w->rng, sizeof(set) / sizeof(set[0]));

	if (zram_attr_set(z, set[i].attr, set[i].value) == 0)
		return;
	CHECK_MSG(errno == EAGAIN || errno == ENOSPC, "%s %s: %s", set[i].attr, set[i].value, zram_strerror());
}

/* Saved to a file and loaded from it: everything is there, also while others write; alone, it is equal. */
static void save_and_load(struct worker *w)
{
	int fd = memfd_create("saved", MFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_MSG(zram_save(z, fd) == 0, "%s", zram_strerror());
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	struct zram *l = zram_load(fd, NULL);

	CHECK_MSG(l != NULL, "%s", zram_strerror());
	for (uint64_t at = 0; now.threads == 1 && at < now.disksize; at += now.block_size) {
		CHECK_MSG(zram_pread(l, w->buf, now.block_size, at) == 0, "%s", zram_strerror());
		CHECK_MSG(memcmp(w->buf, copy + at, now.block_size) == 0, "block %" PRIu64 " of what was loaded",
			  at / now.block_size);
	}
	CHECK(zs_pool_validate(zram_get_pool(l)) == 0);
	zram_destroy(l);
	CHECK(close(fd) == 0);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (uint64_t i = 0; i < w->steps; i++) {
		uint64_t choice = rng_below(&w->rng, 100);

		if (now.threads == 1)
			check_step(i);
		if (choice < 45)
			write_some(w);
		else if (choice < 75)
			read_some(w);
		else if (choice < 83)
			zero_some(w);
		else if (choice < 90)
			discard_some(w);
		else if (choice < 93)
			extents_of_some(w);
		else if (choice < 96)
			work_on_idle(w);
		else if (choice < 99 || !rng_one_in(&w->rng, 8))
			some_attribute(w);
		else
			save_and_load(w);
	}
	return NULL;
}

static void mm_stat(uint64_t n[9])
{
	char text[256], *at = text;

	CHECK(zram_attr_get(z, "mm_stat", text, sizeof(text)) > 0);
	for (unsigned i = 0; i < 9; i++)
		n[i] = strtoull(at, &at, 10);
}

static void check_all(uint8_t *buf)
{
	uint64_t n[9], bs = now.block_size, used = 0, same = 0;
	struct extents e = { 0, true };

	for (uint64_t at = 0; at < now.disksize; at += bs) {
		const uint8_t *block = copy + at;

		CHECK_MSG(zram_pread(z, buf, bs, at) == 0, "%s", zram_strerror());
		CHECK_MSG(memcmp(buf, block, bs) == 0, "block %" PRIu64, at / bs);
		used += memcmp(block, block + 1, bs - 1) != 0 || block[0] != 0;
		same += memcmp(block, block + 8, bs - 8) == 0 &&
			(memcmp(block, block + 1, bs - 1) != 0 || block[0] != 0);
	}
	CHECK(zram_extents(z, 0, now.disksize, check_extent, &e) == 0 && e.at == now.disksize);
	mm_stat(n);
	/* Blocks of zeros are stored or holes, depending on how they came about. */
	CHECK(n[0] >= used * bs && n[0] <= now.disksize && n[0] % bs == 0);
	CHECK(n[5] >= same && n[5] == same + (n[0] / bs - used));
	CHECK(n[1] <= (used - same) * bs && n[7] <= used - same && n[4] >= n[2]);
	CHECK(zs_pool_validate(zram_get_pool(z)) == 0);
	CHECK(zram_discard(z, 0, now.disksize) == 0);
	/* What this thread freed last is in its cache until then. */
	CHECK(zram_attr_set(z, "compact", "1") == 0);
	mm_stat(n);
	char bd_stat[64];

	CHECK(zram_attr_get(z, "bd_stat", bd_stat, sizeof(bd_stat)) > 0 && strtoull(bd_stat, NULL, 10) == 0);
	CHECK(n[0] == 0 && n[1] == 0 && n[2] == 0 && n[5] == 0 && n[7] == 0);
}

static void choose_round(struct rng *r, unsigned threads, unsigned round)
{
	static const char *const algorithms[] = { "lz4", "lzo", "zstd", "deflate", "lz4hc", "lzo-rle" };

	now = (struct round){ .options = ZRAM_OPTIONS_INIT, .threads = threads };
	now.block_size = (size_t)4096 << (round < 5 ? round : rng_below(r, 2));
	now.disksize = BLOCKS * now.block_size;
	now.shares = threads > 1 && rng_one_in(r, 2);
	now.options.block_size = now.block_size;
	now.options.comp_algorithm = algorithms[rng_below(r, round < 5 ? 6 : 3)];
	now.options.pool.geometry = rng_one_in(r, 2) ? ZS_GEOMETRY_LINUX : ZS_GEOMETRY_DENSE;
	now.options.flags = rng_one_in(r, 2) ? ZRAM_CHECKSUM : 0;
	now.options.recomp_algorithm[0] = "zstd";
	now.options.recomp_algorithm[1] = "deflate";
	/* Sometimes too small for everything. */
	now.options.backing_dev = backing;
	CHECK(truncate(backing, (off_t)(now.disksize / (rng_one_in(r, 3) ? 4 : 1))) == 0);
}

/* Made at once, or bit by bit through the attributes. */
static void make(struct rng *r)
{
	char text[32];

	if (rng_one_in(r, 2)) {
		now.options.disksize = now.disksize;
		z = zram_create("model", &now.options);
		CHECK_MSG(z != NULL, "%s", zram_strerror());
		return;
	}
	const char *algorithm = now.options.comp_algorithm;

	now.options.comp_algorithm = NULL;
	z = zram_create("model", &now.options);
	CHECK_MSG(z != NULL, "%s", zram_strerror());
	snprintf(text, sizeof(text), "%" PRIu64, now.disksize);
	for (unsigned again = 0; again < 2; again++) {
		if (again > 0)
			CHECK(zram_attr_set(z, "reset", "1") == 0);
		CHECK(zram_attr_set(z, "comp_algorithm", algorithm) == 0);
		CHECK(zram_attr_set(z, "recomp_algorithm", "algo=zstd priority=1") == 0);
		CHECK(zram_attr_set(z, "recomp_algorithm", "algo=deflate priority=2") == 0);
		CHECK(zram_attr_set(z, "backing_dev", backing) == 0);
		CHECK(zram_attr_set(z, "compressed_writeback", rng_one_in(r, 2) ? "0" : "1") == 0);
		CHECK(zram_attr_set(z, "disksize", text) == 0);
		CHECK(zram_pwrite(z, text, sizeof(text), now.block_size - 5) == 0);
	}
	CHECK(zram_zero(z, 0, 2 * now.block_size) == 0);
}

int main(int argc, char **argv)
{
	static struct worker workers[MAX_THREADS];
	struct rng rng;
	unsigned threads;

	CHECK(argc == 3);
	check_install();
	int fd = mkstemp(backing);

	CHECK(fd >= 0 && close(fd) == 0);
	rng.state = strtoull(argv[1], NULL, 0);
	threads = (unsigned)strtoul(argv[2], NULL, 0);
	CHECK(threads >= 1 && threads <= MAX_THREADS);
	for (unsigned round = 0; round < ROUNDS * check_soak_factor(); round++) {
		choose_round(&rng, threads, round);
		check_context("model_zram %s %u, round %u: block size %zu, %s", argv[1], threads, round, now.block_size,
			      now.options.comp_algorithm);
		make(&rng);
		copy = calloc(1, now.disksize);
		CHECK(copy != NULL);
		for (unsigned t = 0; t < threads; t++) {
			struct worker *w = &workers[t];

			*w = (struct worker){ .number = t, .steps = check_scale(STEPS) / threads };
			w->rng.state = rng_next(&rng);
			w->buf = malloc(MOST_BLOCKS * now.block_size);
			CHECK(w->buf != NULL && pthread_create(&w->thread, NULL, work, w) == 0);
		}
		for (unsigned t = 0; t < threads; t++)
			CHECK(pthread_join(workers[t].thread, NULL) == 0);
		check_all(workers[0].buf);
		zram_destroy(z);
		free(copy);
		for (unsigned t = 0; t < threads; t++)
			free(workers[t].buf);
	}
	CHECK(unlink(backing) == 0);
	printf("seed %s, %u threads: as the model\n", argv[1], threads);
	return 0;
}
