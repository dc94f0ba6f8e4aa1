/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_evicting.h - a device with a small limit and a backing file, for the tests of eviction. */
#ifndef ZS_TESTS_UNIT_ZRAM_EVICTING_H
#define ZS_TESTS_UNIT_ZRAM_EVICTING_H

#include "zram_blocks.h"
#include "zram_shadow.h"

#include <fcntl.h>
#include <unistd.h>

#include "device/backing.h"
#include "device/device.h"
#include "device/entry.h"
#include "device/layout.h"
#include "device/table.h"

#define BLOCKS 4096u
#define LIMIT "4M"

static char path[] = "/tmp/zram-evict-XXXXXX";

/* Noise of any length, so that no two blocks are alike and hardly any is small. */
static inline bool of_any_size(uint8_t *to, uint64_t i, struct rng *r)
{
	memset(to, (int)i, BS);
	shadow_noise(to, 1 + rng_below(r, BS), r);
	return true;
}

static struct shadow shadow = { SHADOW_OF(BLOCKS), .make = of_any_size, .seed = 5 };

struct made {
	off_t file; /* bytes; 0: no file */
	unsigned flags;
	bool plain, late; /* late: evict is set when the device is initialised */
	enum zs_geometry geometry;
	size_t block_size; /* 0: BS */
};

static inline struct zram *device(const struct made *m)
{
	struct zram_options o = ZRAM_OPTIONS_INIT;
	char size[32];
	int fd;

	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, m->file), 0);
	close(fd);
	o.backing_dev = m->file != 0 ? path : NULL;
	o.flags = m->flags;
	o.pool.geometry = m->geometry;
	o.block_size = m->block_size;
	struct zram *z = zram_create("evict", &o);

	assert_non_null(z);
	set(z, "mem_limit", LIMIT);
	if (m->plain)
		set(z, "compressed_writeback", "0");
	if (!m->late)
		set(z, "evict", "1");
	snprintf(size, sizeof(size), "%u", BLOCKS * BS);
	set(z, "disksize", size);
	if (m->late)
		set(z, "evict", "1");
	return z;
}

static inline void done(struct zram *z)
{
	zram_destroy(z);
	assert_int_equal(unlink(path), 0);
}

static inline uint64_t word_of(struct zram *z, uint64_t index)
{
	return atomic_load(&zsi_block_at(z, index)->meta);
}

static inline unsigned count_in_file(struct zram *z)
{
	unsigned n = 0;

	for (uint64_t i = 0; i < BLOCKS; i++)
		n += zsi_table_has(&z->table, i) && (word_of(z, i) & ZSI_WB) != 0;
	return n;
}

/* The first write that fails, with ENOMEM; BLOCKS: none. */
static inline uint64_t fill(struct zram *z)
{
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct rng r = { shadow.seed + i };

		(void)of_any_size(shadow.at[i], i, &r);
		if (zram_pwrite(z, shadow.at[i], BS, i * BS) != 0) {
			assert_int_equal(errno, ENOMEM);
			memset(shadow.at[i], 0, BS);
			return i;
		}
	}
	return BLOCKS;
}

static inline void nothing_before(void)
{
	memset(shadow.at, 0, sizeof(shadow.at[0]) * BLOCKS);
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
