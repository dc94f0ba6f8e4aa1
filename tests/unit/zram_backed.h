/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_backed.h - a device with a backing file, its contents, and whether the file's map is right; for two tests. */
#ifndef ZS_TESTS_UNIT_ZRAM_BACKED_H
#define ZS_TESTS_UNIT_ZRAM_BACKED_H

#include "zram_blocks.h"
#include "zram_shadow.h"

#include <fcntl.h>
#include <unistd.h>

#include "device/backing.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/layout.h"

#define BLOCKS 64u

/* Odd blocks are noise, even ones shrink to something between nothing and all. */
static inline bool noise_or_less(uint8_t *to, uint64_t i, struct rng *r)
{
	memset(to, (int)i, BS);
	shadow_noise(to, i % 2 == 1 ? BS : 10 + i * 50, r);
	return true;
}

static struct shadow shadow = { SHADOW_OF(BLOCKS), .make = noise_or_less, .seed = 1 };
static char path[] = "/tmp/zram-writeback-XXXXXX";

static inline void make_file(off_t bytes)
{
	/* A new file, which no device that a failed test left behind has locked. */
	(void)unlink(path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

static inline struct zram *device(off_t bytes, unsigned flags)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;

	make_file(bytes);
	o.disksize = (uint64_t)BLOCKS * BS;
	o.backing_dev = path;
	o.recomp_algorithm[0] = "zstd";
	o.flags = flags;
	struct zram *z = zram_create("back", &o);

	assert_non_null(z);
	return z;
}

static inline void done(struct zram *z)
{
	zram_destroy(z);
	assert_int_equal(unlink(path), 0);
}

static inline bool in_file(struct zram *z, uint64_t index)
{
	return state_of(z, index)[1] == 'w';
}

static inline unsigned count_in_file(struct zram *z)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < BLOCKS; i++)
		n += in_file(z, i);
	return n;
}

/* The bits set are the units of the blocks that are in the file, each of one block. */
static inline void check_map(struct zram *z)
{
	uint64_t used = 0, bits = 0, nr_words = (z->backing.nr_units + 63) / 64;
	uint8_t *seen = calloc(1, z->backing.nr_units);

	assert_non_null(seen);
	for (uint64_t i = 0; i < BLOCKS; i++) {
		uint64_t meta = atomic_load(&zsi_block_at(z, i)->meta), first = zsi_block_at(z, i)->handle;

		if ((meta & ZSI_WB) == 0)
			continue;
		for (uint64_t u = first; u < first + zsi_backing_units(zsi_meta_size(meta)); u++) {
			assert_true(u < z->backing.nr_units);
			assert_int_equal(seen[u], 0);
			seen[u] = 1;
			assert_true((z->backing.map[u / 64] >> (u % 64) & 1) != 0);
			used++;
		}
	}
	for (uint64_t w = 0; w < nr_words; w++)
		bits += (uint64_t)__builtin_popcountll(z->backing.map[w]);
	free(seen);
	assert_int_equal(used, z->backing.used);
	assert_int_equal(bits, used);
}

/* Before all tests. */
static inline int name_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

#endif
