/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_test.c - a device with its Nth request for memory refused, for N = 1, 2, ... until it needs no more; once with
 * only that request refused, and once with all from there on.
 *
 *   oom_zram SCENARIO
 *
 * Making and loading a device fail with ENOMEM and leave nothing behind. A save that fails leaves the device as it
 * was. A write fails with ENOMEM and each block is as it was or as it was to be; all others are as they were; and once
 * memory is back it succeeds. For want of a context no read or write fails: another one is there. A recompression may,
 * and does no harm. Nor does writing to a backing file, or evicting to it from a full device: that may need memory to
 * begin with, and its writes find some after that.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "fault.h"
#include "rng.h"
#include "base/lock.h"
#include "device/device.h"
#include "device/layout.h"
#include "device/streams.h"

#define BLOCK 4096u
#define STRIDE (300u * BLOCK) /* each block in another chunk of the table */
#define BLOCKS 160u
#define MOST_FAULTS 20000u

static struct zram *z;
static uint8_t contents[BLOCKS][BLOCK];
static bool sums;
static const char *algorithm; /* NULL: the default */

/* Where the pool's pages come from, one by one; NULL: the arena. */
static struct test_source *source;

static char backing[64]; /* path of a backing file; "": there is none */

static struct zram *make(void)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	struct zs_page_source pages;

	o.disksize = (uint64_t)BLOCKS * STRIDE;
	o.comp_algorithm = algorithm;
	o.recomp_algorithm[0] = algorithm != NULL ? "deflate" : "lzo";
	o.flags = sums ? ZRAM_CHECKSUM : 0;
	o.backing_dev = backing[0] != '\0' ? backing : NULL;
	if (source != NULL) {
		pages = test_source_callbacks(source);
		o.pool.pages = &pages;
	}
	return zram_create("oom", &o);
}

static void fill(uint8_t *block, uint64_t seed)
{
	struct rng r = { seed };
	size_t n = (size_t)rng_below(&r, BLOCK);

	memset(block, (int)(seed & 1), BLOCK);
	for (size_t i = 0; i < n; i++)
		block[i] = (uint8_t)rng_next(&r);
}

static void check_contents(void)
{
	uint8_t r[BLOCK];

	for (unsigned i = 0; i < BLOCKS; i++) {
		CHECK_MSG(zram_pread(z, r, BLOCK, (uint64_t)i * STRIDE) == 0, "%s", zram_strerror());
		CHECK_MSG(memcmp(r, contents[i], BLOCK) == 0, "block %u", i);
	}
	CHECK(zs_pool_validate(zram_get_pool(z)) == 0);
}

static bool run_create(void)
{
	z = make();
	if (z != NULL)
		return true;
	CHECK(errno == ENOMEM && zram_strerror()[0] != '\0');
	CHECK_MSG(fault_reservations() == 0, "%zu reservations are left", fault_reservations());
	return false;
}

/* By attributes, on a device that is there. */
static bool run_init(void)
{
	if (z == NULL)
		z = zram_create("oom", NULL);
	if (z == NULL) {
		CHECK(errno == ENOMEM);
		return false;
	}
	if (zram_attr_set(z, "disksize", "1G") == 0)
		return true;
	CHECK(errno == ENOMEM && zram_disksize(z) == 0 && zram_get_pool(z) == NULL);
	return false;
}

/* Whole blocks, in places where nothing was and where something was. The rest of them only after success. */
static unsigned write_at;

static bool write_next(uint64_t seed, size_t in, size_t len)
{
	uint8_t w[BLOCK], r[BLOCK];

	memcpy(w, contents[write_at], BLOCK);
	fill(r, seed + write_at);
	memcpy(w + in, r, len);
	if (zram_pwrite(z, w + in, len, (uint64_t)write_at * STRIDE + in) == 0) {
		memcpy(contents[write_at], w, BLOCK);
		write_at++;
		return true;
	}
	CHECK(errno == ENOMEM && zram_strerror()[0] != '\0');
	CHECK(zram_pread(z, r, BLOCK, (uint64_t)write_at * STRIDE) == 0);
	CHECK_MSG(memcmp(r, contents[write_at], BLOCK) == 0, "block %u changed by a write that failed", write_at);
	return false;
}

/* What is written needs no more memory than what it replaces, so that all that is asked for is for contexts. */
static atomic_bool contexts_done;

/* Keeps a common context from the others, until somebody sleeps for it. */
static void *hold_common(void *arg)
{
	struct zsi_lock *lock = arg;

	while (!atomic_load(&contexts_done)) {
		if (!zsi_trylock_word(lock))
			continue;
		while (!atomic_load(&contexts_done) && atomic_load(&lock->word) != 2)
			usleep(20);
		zsi_unlock_unranked(lock);
	}
	return NULL;
}

static bool run_contexts(void)
{
	uint8_t r[BLOCK];
	pthread_t holders[2];
	unsigned kinds[2] = { ZSI_COMPRESSOR(0), ZSI_DECOMPRESSOR(0) };

	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	zsi_streams_give_back_locked(z, 0);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	atomic_store(&contexts_done, false);
	for (unsigned k = 0; k < 2; k++)
		CHECK(pthread_create(&holders[k], NULL, hold_common, &z->contexts.common[kinds[k]].lock) == 0);
	for (unsigned n = 0; n < 2; n++) {
		for (unsigned i = 0; i < 4; i += 2) {
			CHECK_MSG(zram_pwrite(z, contents[i], BLOCK, (uint64_t)i * STRIDE) == 0, "%s", zram_strerror());
			CHECK_MSG(zram_pread(z, r, BLOCK, (uint64_t)i * STRIDE) == 0, "%s", zram_strerror());
			CHECK(memcmp(r, contents[i], BLOCK) == 0);
		}
	}
	atomic_store(&contexts_done, true);
	for (unsigned k = 0; k < 2; k++)
		CHECK(pthread_join(holders[k], NULL) == 0);
	return true;
}

static bool run_recompress(void)
{
	if (zram_attr_set(z, "recompress", "priority=1") == 0)
		return true;
	CHECK(errno == ENOMEM && zram_strerror()[0] != '\0');
	return false;
}

static uint64_t seed;

static bool run_write(void)
{
	while (write_at < BLOCKS)
		if (!write_next(seed, 0, BLOCK))
			return false;
	return true;
}

static bool run_write_parts(void)
{
	while (write_at < BLOCKS)
		if (!write_next(seed, 100, 2000))
			return false;
	return true;
}

static bool run_zero_parts(void)
{
	for (; write_at < BLOCKS; write_at++) {
		if (zram_zero(z, (uint64_t)write_at * STRIDE + 7, 1000) != 0) {
			CHECK(errno == ENOMEM);
			return false;
		}
		memset(contents[write_at] + 7, 0, 1000);
	}
	return true;
}

/* Both to and from the same file, which has no place in memory that could be refused. */
static int file = -1;

static bool run_save(void)
{
	CHECK(lseek(file, 0, SEEK_SET) == 0);
	if (zram_save(z, file) == 0)
		return true;
	CHECK(errno == ENOMEM && zram_strerror()[0] != '\0');
	return false;
}

/* The device that is there is replaced by the one that is loaded. */
static bool run_load(void)
{
	struct zram *loaded;
	size_t before = fault_reservations();

	CHECK(lseek(file, 0, SEEK_SET) == 0);
	loaded = zram_load(file, NULL);
	if (loaded == NULL) {
		CHECK_MSG(errno == ENOMEM && zram_strerror()[0] != '\0', "errno %d: %s", errno, zram_strerror());
		CHECK_MSG(fault_reservations() == before, "%zu reservations are left", fault_reservations() - before);
		return false;
	}
	zram_destroy(z);
	z = loaded;
	return true;
}

/* On a full device: what a block and its neighbour hold changes places; then each gets others of the same number. */
static uint8_t targets[2 * BLOCKS][BLOCK];

static void make_full(void)
{
	uint64_t n = 0;
	uint8_t w[BLOCK];

	CHECK(zram_attr_set(z, "mem_limit", "2M") == 0);
	do
		fill(w, 2 * ++n);
	while (zram_pwrite(z, w, BLOCK, n % BLOCKS * STRIDE + (1 + n / BLOCKS) * BLOCK) == 0);
	CHECK(errno == ENOMEM && n > 100);
	for (unsigned i = 0; i < BLOCKS; i += 4) {
		memcpy(targets[i], contents[i + 2], BLOCK);
		memcpy(targets[i + 2], contents[i], BLOCK);
	}
	for (unsigned i = 0; i < BLOCKS; i += 2) {
		memcpy(targets[BLOCKS + i], targets[i], BLOCK);
		targets[BLOCKS + i][0] ^= 1;
	}
}

static bool run_overwrite(void)
{
	uint8_t r[BLOCK];

	for (; write_at < 2 * BLOCKS; write_at += 2) {
		unsigned i = write_at % BLOCKS;

		if (zram_pwrite(z, targets[write_at], BLOCK, (uint64_t)i * STRIDE) != 0) {
			CHECK(errno == ENOMEM && zram_strerror()[0] != '\0');
			CHECK(zram_pread(z, r, BLOCK, (uint64_t)i * STRIDE) == 0);
			CHECK_MSG(memcmp(r, contents[i], BLOCK) == 0, "block %u changed by a write that failed", i);
			return false;
		}
		memcpy(contents[i], targets[write_at], BLOCK);
	}
	return true;
}

/*
 * Turned on when the device is full, and there is memory for one block on its way to the file; or before, and there is
 * for some. Then more blocks than compaction finds room for, twice.
 */
static unsigned passes;

static void evict_early(void)
{
	for (uint64_t i = 0; i < BLOCKS; i += 4)
		CHECK(zram_discard(z, i * STRIDE + BLOCK, BLOCK) == 0);
	CHECK(zram_attr_set(z, "compact", "1") == 0);
	CHECK_MSG(zram_attr_set(z, "evict", "1") == 0, "%s", zram_strerror());
}

static bool run_evict(void)
{
	char text[64];

	if (zram_attr_set(z, "evict", "1") != 0) {
		CHECK(errno == ENOMEM && zram_strerror()[0] != '\0');
		return false;
	}
	for (; passes < 2; passes++) {
		if (!run_write())
			return false;
		write_at = 0;
		seed += 500;
	}
	CHECK(zram_attr_get(z, "bd_stat", text, sizeof(text)) > 0);
	CHECK_MSG(strtoull(text, NULL, 10) > 0, "nothing was evicted");
	return true;
}

/*
 * All into the file, which is hardly larger than that, and half of them out of it again, over and over. Such places are
 * not side by side and are written at the same time. It may be full for a block that is larger than any of them.
 */
static bool run_writeback(void)
{
	char text[64];

	for (; passes < 3; passes++) {
		for (; write_at < BLOCKS; write_at += 4)
			CHECK_MSG(zram_pwrite(z, contents[write_at], BLOCK, (uint64_t)write_at * STRIDE) == 0 ||
					  errno == ENOMEM,
				  "%s", zram_strerror());
		if (zram_attr_set(z, "writeback", "page_indexes=0-47999") != 0 && errno != ENOSPC) {
			CHECK_MSG(errno == ENOMEM && zram_strerror()[0] != '\0', "%s", zram_strerror());
			return false;
		}
		write_at = passes % 2 * 2;
	}
	CHECK(zram_attr_get(z, "bd_stat", text, sizeof(text)) > 0);
	CHECK_MSG(strtoull(text, NULL, 10) > 0, "nothing is in the file");
	return true;
}

static void make_backing(off_t bytes)
{
	int fd;

	strcpy(backing, "/tmp/zram-oom-XXXXXX");
	fd = mkstemp(backing);
	CHECK(fd >= 0 && ftruncate(fd, bytes) == 0);
	close(fd);
}

struct scenario {
	const char *name;
	bool (*run)(void);
	bool device; /* one is there, with half of its blocks in use */
};

static const struct scenario scenarios[] = {
	{ "create", run_create, false },
	{ "init", run_init, false },
	{ "write", run_write, true },
	{ "write_parts", run_write_parts, true },
	{ "zero_parts", run_zero_parts, true },
	{ "save", run_save, true },
	{ "load", run_load, true },
	{ "contexts", run_contexts, true },
	{ "recompress", run_recompress, true },
	{ "overwrite", run_overwrite, true },
	{ "evict", run_evict, true },
	{ "writeback", run_writeback, true },
};

/* Pages that can be refused one by one. */
static bool has_source(const struct scenario *s)
{
	return s->run == run_overwrite || s->run == run_evict || s->run == run_writeback;
}

static void prepare(const struct scenario *s)
{
	z = NULL;
	write_at = 0;
	memset(contents, 0, sizeof(contents));
	if (!s->device)
		return;
	if (has_source(s))
		source = test_source_create(BLOCK, 2048, TEST_SOURCE_SCATTERED, 5);
	z = make();
	CHECK_MSG(z != NULL, "%s", zram_strerror());
	for (unsigned i = 0; i < BLOCKS; i += 2) {
		fill(contents[i], i + 77);
		CHECK(zram_pwrite(z, contents[i], BLOCK, (uint64_t)i * STRIDE) == 0);
	}
	if (s->run == run_overwrite || s->run == run_evict)
		make_full();
	if (s->run == run_evict && sums)
		evict_early();
	passes = 0;
	if (s->run == run_writeback)
		write_at = BLOCKS;
	CHECK(ftruncate(file, 0) == 0 && lseek(file, 0, SEEK_SET) == 0);
	CHECK_MSG(zram_save(z, file) == 0, "%s", zram_strerror());
}

/* One fault; false: the scenario needed fewer requests. */
static bool one(const struct scenario *s, enum fault_kind kind, uint64_t nth, bool on)
{
	bool ok, happened;

	check_context("oom_zram %s: %s number %llu%s", s->name, fault_names[kind], (unsigned long long)nth,
		      on ? " and all after it" : "");
	prepare(s);
	seed = nth * 1000;
	fault_order(kind, source, nth, on);
	ok = s->run();
	happened = fault_cancel();
	CHECK(ok || happened);
	if (s->device)
		check_contents();
	if (!ok)
		CHECK_MSG(s->run(), "with memory back: %s", zram_strerror());
	if (s->device)
		check_contents();
	zram_destroy(z);
	if (source != NULL)
		test_source_destroy(source);
	source = NULL;
	CHECK_MSG(fault_reservations() == 0, "%zu reservations are left", fault_reservations());
	return happened;
}

int main(int argc, char **argv)
{
	const struct scenario *s = NULL;
	uint64_t faults = 0;

	CHECK(argc == 2);
	check_install();
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (strcmp(scenarios[i].name, argv[1]) == 0)
			s = &scenarios[i];
	CHECK_MSG(s != NULL, "no scenario %s", argv[1]);
	if (s->run == run_contexts || s->run == run_recompress)
		algorithm = "zstd";
	if (s->run == run_evict || s->run == run_writeback)
		make_backing(s->run == run_evict ? 384 << 10 : 200 << 10);
	fault_install();
	file = memfd_create("saved", MFD_CLOEXEC);
	CHECK(file >= 0);
	for (unsigned round = 0; round < 12; round++) {
		/* Blocks that are overwritten need pages, and nothing else. What evicts has them from the source, too. */
		if (s->run == run_overwrite && round % 3 != 0)
			continue;
		bool pages = s->run == run_overwrite || (has_source(s) && round % 3 == 0);
		enum fault_kind kind = pages ? FAULT_PAGE : (enum fault_kind)(FAULT_RESERVE + round % 3);
		uint64_t nth = 1;

		sums = round / 6 != 0;
		while (one(s, kind, nth, round / 3 % 2 != 0)) {
			faults++;
			/* As in nth_test.c: with a sanitizer every third. */
			nth += CHECK_ASAN && nth >= 10 ? 3 : 1;
			CHECK(nth < MOST_FAULTS);
		}
	}
	CHECK(faults > 0);
	close(file);
	if (backing[0] != '\0')
		unlink(backing);
	printf("%s: %llu faults, nothing lost\n", s->name, (unsigned long long)faults);
	return 0;
}
