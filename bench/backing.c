/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * backing.c - bench_backing: a device with a backing file. One line of JSON.
 *
 *   writeback FILE   blocks are written back with one after the other of the batch sizes, round after round, each time
 *                    into a file that is not in the page cache: seconds of each, and until all is durable; and the
 *                    ratios of both. The file is new, full of holes; or, with --old, one that was written before.
 *   limit FILE       --mebibytes of blocks are written through a device with --memory MiB and evict=1, read back, and
 *                    every byte compared.
 *
 * Blocks are noise for a while and then one byte, so that sizes of 0 to a block are equally often and each can be made
 * again from its number.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

#include "common.h"

#define BLOCK 4096u
#define MIB ((uint64_t)1 << 20)
#define MAX_ROUNDS 64u
#define SIZES 2u

static const char usage[] = "usage: bench_backing writeback FILE [--mebibytes N] [--rounds N] [--batch N] [--old]\n"
			    "                               [--plain]\n"
			    "       bench_backing limit FILE [--mebibytes N] [--memory N]\n"
			    "Defaults: writeback of 256 MiB, 5 rounds, batch sizes 1 and 32; limit: 1024 MiB through 64.\n";

static struct {
	const char *file;
	uint64_t mebibytes, memory;
	unsigned rounds, batch[SIZES];
	bool old, plain;
} o = { .rounds = 5, .batch = { 1, 32 }, .memory = 64 };

static void make_block(uint8_t block[BLOCK], uint64_t index)
{
	struct rng r = { index };
	size_t noise = rng_below(&r, BLOCK);

	memset(block, (int)index, BLOCK);
	for (size_t at = 0; at + 8 <= noise; at += 8) {
		uint64_t x = rng_next(&r);

		memcpy(block + at, &x, 8);
	}
}

static void set(struct zram *z, const char *attr, const char *value)
{
	if (zram_attr_set(z, attr, value) != 0)
		fail(0, "%s", zram_strerror());
}

static void set_number(struct zram *z, const char *attr, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	set(z, attr, text);
}

static struct zram *device(void)
{
	struct zram *z = zram_create("bench", NULL);

	if (z == NULL)
		fail(0, "%s", zram_strerror());
	set(z, "backing_dev", o.file);
	set(z, "compressed_writeback", o.plain ? "0" : "1");
	return z;
}

static void write_blocks(struct zram *z, uint64_t blocks)
{
	uint8_t block[BLOCK];

	for (uint64_t i = 0; i < blocks; i++) {
		make_block(block, i);
		if (zram_pwrite(z, block, BLOCK, i * BLOCK) != 0)
			fail(0, "block %" PRIu64 ": %s", i, zram_strerror());
	}
}

static void compare_blocks(struct zram *z, uint64_t blocks)
{
	uint8_t block[BLOCK], want[BLOCK];

	for (uint64_t i = 0; i < blocks; i++) {
		make_block(want, i);
		if (zram_pread(z, block, BLOCK, i * BLOCK) != 0)
			fail(0, "block %" PRIu64 ": %s", i, zram_strerror());
		if (memcmp(block, want, BLOCK) != 0)
			fail(0, "block %" PRIu64 " is not what was written", i);
	}
}

/* A file of so many bytes, which the page cache has nothing of. */
static void make_file(uint64_t bytes, bool written)
{
	static const uint8_t junk[MIB] = { 1 };
	int fd;

	(void)unlink(o.file);
	fd = open(o.file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0)
		fail(errno, "%s", o.file);
	for (uint64_t at = 0; written && at < bytes; at += MIB)
		if (pwrite(fd, junk, MIB, (off_t)at) != (ssize_t)MIB)
			fail(errno, "%s", o.file);
	if (fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
		fail(errno, "%s", o.file);
	(void)close(fd);
}

struct seconds {
	double written[MAX_ROUNDS], durable[MAX_ROUNDS];
};

static void write_back(unsigned batch, struct seconds *to, unsigned round)
{
	uint64_t blocks = o.mebibytes * MIB / BLOCK;

	make_file(o.mebibytes * MIB, o.old);
	struct zram *z = device();

	set_number(z, "disksize", blocks * BLOCK);
	set_number(z, "writeback_batch_size", batch);
	write_blocks(z, blocks);
	set(z, "idle", "all");
	uint64_t start = now_ns();

	set(z, "writeback", "type=idle");
	to->written[round] = (double)(now_ns() - start) / 1e9;
	if (zram_flush(z) != 0)
		fail(0, "%s", zram_strerror());
	to->durable[round] = (double)(now_ns() - start) / 1e9;
	zram_destroy(z);
}

static void run_writeback(void)
{
	static struct seconds s[SIZES];
	double written[MAX_ROUNDS], durable[MAX_ROUNDS];

	for (unsigned r = 0; r < o.rounds; r++) {
		for (unsigned i = 0; i < SIZES; i++)
			write_back(o.batch[i], &s[i], r);
		written[r] = s[0].written[r] / s[1].written[r];
		durable[r] = s[0].durable[r] / s[1].durable[r];
	}
	printf("{\"mebibytes\":%" PRIu64 ",\"file\":\"%s\",\"batch\":[%u,%u],\"seconds\":[%.3f,%.3f],\"ratio\":%.2f,"
	       "\"durable_seconds\":[%.3f,%.3f],\"durable_ratio\":%.2f}\n",
	       o.mebibytes, o.old ? "old" : "new", o.batch[0], o.batch[1], median(s[0].written, o.rounds),
	       median(s[1].written, o.rounds), median(written, o.rounds), median(s[0].durable, o.rounds),
	       median(s[1].durable, o.rounds), median(durable, o.rounds));
}

static void run_limit(void)
{
	uint64_t blocks = o.mebibytes * MIB / BLOCK;

	make_file(o.mebibytes * MIB, false);
	struct zram *z = device();
	char text[128];

	set_number(z, "mem_limit", o.memory * MIB);
	set(z, "evict", "1");
	set_number(z, "disksize", blocks * BLOCK);
	uint64_t start = now_ns();

	write_blocks(z, blocks);
	double wrote = (double)(now_ns() - start) / 1e9;

	start = now_ns();
	compare_blocks(z, blocks);
	if (zram_attr_get(z, "bd_stat", text, sizeof(text)) < 0)
		fail(0, "%s", zram_strerror());
	printf("{\"mebibytes\":%" PRIu64 ",\"memory\":%" PRIu64 ",\"write_seconds\":%.1f,\"read_seconds\":%.1f,"
	       "\"backed_4k\":%" PRIu64 ",\"held\":%" PRIu64 ",\"rss\":%" PRIu64 "}\n",
	       o.mebibytes, o.memory, wrote, (double)(now_ns() - start) / 1e9, (uint64_t)strtoull(text, NULL, 10),
	       zs_get_total_bytes(zram_get_pool(z)), rss_bytes());
	zram_destroy(z);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "mebibytes", required_argument, NULL, 'm' }, { "memory", required_argument, NULL, 'l' },
		{ "rounds", required_argument, NULL, 'r' },    { "batch", required_argument, NULL, 'b' },
		{ "old", no_argument, NULL, 'o' },	       { "plain", no_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'm':
			o.mebibytes = number("--mebibytes", optarg, 1, 1 << 20);
			break;
		case 'l':
			o.memory = number("--memory", optarg, 1, 1 << 20);
			break;
		case 'r':
			o.rounds = (unsigned)number("--rounds", optarg, 1, MAX_ROUNDS);
			break;
		case 'b':
			o.batch[1] = (unsigned)number("--batch", optarg, 1, 1 << 20);
			break;
		case 'o':
			o.old = true;
			break;
		case 'p':
			o.plain = true;
			break;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	bool limit = argc - optind == 2 && strcmp(argv[optind], "limit") == 0;

	if (argc - optind != 2 || (!limit && strcmp(argv[optind], "writeback") != 0)) {
		fputs(usage, stderr);
		return 2;
	}
	o.file = argv[optind + 1];
	if (o.mebibytes == 0)
		o.mebibytes = limit ? 1024 : 256;
	if (limit)
		run_limit();
	else
		run_writeback();
	(void)unlink(o.file);
	return 0;
}
