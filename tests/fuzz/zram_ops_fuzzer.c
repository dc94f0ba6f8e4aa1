/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_ops_fuzzer.c - bytes to a device and a sequence of operations on it, compared with an array. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "fuzz_input.h"

#define BLOCKS 40u
#define MAX_STEPS 200u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct zram *z;
static uint8_t *copy, *buf;
static uint64_t disksize, block;
static bool limited;

/* A range, mostly on the device; false: it is not, and must be refused. */
static bool choose_span(const struct chooser *c, uint64_t *offset, size_t *len)
{
	*offset = choose(c, disksize + 1);
	*len = (size_t)choose(c, choose(c, 4) == 0 ? disksize : 3 * block);
	if (choose(c, 3) == 0) {
		*offset -= *offset % block;
		*len -= *len % block;
	}
	return *len <= disksize - *offset;
}

static void fill(const struct chooser *c, size_t len)
{
	uint64_t kind = choose(c, 4), value = choose(c, 1 << 16);

	for (size_t i = 0; i < len; i++) {
		value = value * 6364136223846793005u + 1442695040888963407u;
		buf[i] = kind == 0   ? 0
			 : kind == 1 ? (uint8_t)(kind + i % 8)
				     : (uint8_t)(value >> (kind == 2 ? 60 : 33));
	}
}

/* What a call on a range may answer: refused ranges change nothing, and memory may be short where there is a limit. */
static bool done(int result, bool good)
{
	if (result == 0) {
		CHECK(good);
		return true;
	}
	CHECK(result == -1 && (good ? limited && errno == ENOMEM : errno == EINVAL));
	return false;
}

/* After a write that ran out of memory each block is old or new: the copy learns which. */
static void relearn(uint64_t offset, size_t len, const uint8_t *wanted)
{
	uint8_t *now = malloc(len > 0 ? len : 1);

	CHECK(now != NULL && zram_pread(z, now, len, offset) == 0);
	for (size_t i = 0; i < len;) {
		size_t part = (size_t)(block - (offset + i) % block);

		part = part < len - i ? part : len - i;
		CHECK(memcmp(now + i, copy + offset + i, part) == 0 || memcmp(now + i, wanted + i, part) == 0);
		i += part;
	}
	memcpy(copy + offset, now, len);
	free(now);
}

static void write_or_zero(const struct chooser *c, bool zero)
{
	uint64_t offset;
	size_t len;
	bool good = choose_span(c, &offset, &len);

	if (zero)
		memset(buf, 0, len);
	else
		fill(c, len);
	if (done(zero ? zram_zero(z, offset, len) : zram_pwrite(z, buf, len, offset), good))
		memcpy(copy + offset, buf, len);
	else if (good)
		relearn(offset, len, buf);
}

static void discard(const struct chooser *c)
{
	uint64_t offset, first, end;
	size_t len;
	bool good = choose_span(c, &offset, &len);

	if (!done(zram_discard(z, offset, len), good))
		return;
	first = (offset + block - 1) / block * block;
	end = (offset + len) / block * block;
	if (first < end)
		memset(copy + first, 0, end - first);
}

static void read_back(const struct chooser *c)
{
	uint64_t offset;
	size_t len;
	bool good = choose_span(c, &offset, &len);

	if (done(zram_pread(z, buf, len, offset), good))
		CHECK(memcmp(buf, copy + offset, len) == 0);
}

static int check_extent(uint64_t offset, uint64_t len, unsigned flags, void *arg)
{
	uint64_t *at = arg;

	CHECK(offset == *at && len > 0);
	*at += len;
	for (uint64_t i = 0; (flags & ZRAM_EXTENT_ZERO) != 0 && i < len; i++)
		CHECK(copy[offset + i] == 0);
	return 0;
}

static void make(const struct chooser *c)
{
	static const char *const algorithms[] = { "lz4", "lzo", "zstd", "lz4hc", "deflate", "lzo-rle" };
	struct zram_options o = ZRAM_OPTIONS_INIT;

	block = 4096u << (choose(c, 8) == 0 ? choose(c, 5) : 0);
	disksize = BLOCKS * block;
	o.disksize = disksize;
	o.block_size = block;
	o.comp_algorithm = algorithms[choose(c, 6)];
	o.flags = choose(c, 2) == 0 ? 0 : ZRAM_CHECKSUM;
	o.pool.geometry = choose(c, 2) == 0 ? ZS_GEOMETRY_DENSE : ZS_GEOMETRY_LINUX;
	limited = choose(c, 4) == 0;
	o.mem_limit = limited ? 1 + choose(c, 1 << 20) : 0;
	z = zram_create("fuzz", &o);
	CHECK_MSG(z != NULL || (limited && errno == ENOMEM), "%s", zram_strerror());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size, false };
	struct chooser chooser = fuzz_chooser(&in);
	const struct chooser *c = &chooser;
	uint64_t at = 0;

	make(c);
	if (z == NULL)
		return 0;
	copy = calloc(1, disksize);
	buf = malloc(disksize);
	CHECK(copy != NULL && buf != NULL);
	for (unsigned step = 0; step < MAX_STEPS && !in.ended; step++) {
		uint64_t what = choose(c, 10);

		check_step(step);
		if (what < 4)
			write_or_zero(c, false);
		else if (what < 5)
			write_or_zero(c, true);
		else if (what < 7)
			discard(c);
		else if (what < 9)
			read_back(c);
		else
			CHECK(zram_attr_set(z, "compact", "1") == 0);
	}
	CHECK(zram_pread(z, buf, disksize, 0) == 0 && memcmp(buf, copy, disksize) == 0);
	CHECK(zram_extents(z, 0, disksize, check_extent, &at) == 0 && at == disksize);
	CHECK(zs_pool_validate(zram_get_pool(z)) == 0);
	zram_destroy(z);
	free(copy);
	free(buf);
	return 0;
}
