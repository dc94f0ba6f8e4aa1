/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * streams_test.c - streams that were saved once are loaded for ever: saved/ has some of each format version there was.
 *
 *   streams_test FOLDER          load each of them and compare every byte
 *   streams_test --write FOLDER  save them with this library, for a format version that has none yet
 *
 * What is in a device follows from its row in the table alone. A row is never changed and never removed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zsmalloc/zram.h>

enum {
	BLOCK_MOST = 65536,
	VERSION_AT = 16, /* magic, type and length of the first frame: docs/zram.md */
	/* Of the format that zram_save() writes. With another one the table gets rows of that version too. */
	VERSION = 1,
};

struct saved {
	const char *file;
	const char *algorithm, *second; /* second NULL: nothing is recompressed */
	size_t block_size;
	unsigned blocks, flags;
	bool dictionary;
};

static const struct saved all[] = {
	{ "1-lz4.zram", "lz4", NULL, 4096, 24, 0, false },
	{ "1-lz4hc.zram", "lz4hc", NULL, 4096, 24, 0, false },
	{ "1-lzo.zram", "lzo", NULL, 4096, 24, 0, false },
	{ "1-lzo-rle.zram", "lzo-rle", NULL, 4096, 24, 0, false },
	{ "1-zstd.zram", "zstd", NULL, 4096, 24, 0, false },
	{ "1-deflate.zram", "deflate", NULL, 4096, 24, 0, false },
	{ "1-lz4-64k.zram", "lz4", NULL, 65536, 6, 0, false },
	{ "1-lz4-checksum.zram", "lz4", NULL, 4096, 24, ZRAM_CHECKSUM, false },
	{ "1-lz4-dictionary.zram", "lz4", NULL, 4096, 24, 0, true },
	{ "1-zstd-dictionary.zram", "zstd", NULL, 4096, 24, ZRAM_CHECKSUM, true },
	{ "1-lz4-then-zstd.zram", "lz4", "zstd", 4096, 24, 0, false },
};

enum { ALL = sizeof(all) / sizeof(all[0]) };

static const char *folder;

/* The same on every machine and for ever. */
static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void fill_text(uint8_t *block, size_t bytes, uint64_t seed)
{
	static const char *const words[] = { "the ", "page ", "of a ", "pool ", "moves, ", "and its ", "handle ", "stays.\n" };
	for (size_t at = 0; at < bytes;) {
		const char *word = words[next_random(&seed) % 8];
		for (; *word != '\0' && at < bytes; word++)
			block[at++] = (uint8_t)*word;
	}
}

/* Most blocks are text; some are zeros that were never written, one word over and over, or not to be compressed. */
static bool fill_block(uint8_t *block, size_t bytes, unsigned index)
{
	uint64_t seed = index + 1;
	memset(block, 0, bytes);
	if (index % 4 == 3)
		return false;
	if (index == 9)
		for (size_t i = 0; i < bytes; i++)
			block[i] = (uint8_t)next_random(&seed);
	else if (index % 8 == 4)
		memset(block, (int)index, bytes);
	else
		fill_text(block, bytes, seed);
	return true;
}

static int open_saved(const struct saved *s, int flags)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", folder, s->file);
	int fd = open(path, flags | O_CLOEXEC, 0644);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static uint32_t version_of(int fd)
{
	uint8_t at[4];
	assert_int_equal(pread(fd, at, sizeof(at), VERSION_AT), sizeof(at));
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void compare(const struct saved *s, struct zram *z)
{
	static uint8_t expected[BLOCK_MOST], found[BLOCK_MOST];
	assert_int_equal(zram_block_size(z), s->block_size);
	assert_int_equal(zram_disksize(z), s->blocks * s->block_size);
	for (unsigned i = 0; i < s->blocks; i++) {
		fill_block(expected, s->block_size, i);
		if (zram_pread(z, found, s->block_size, i * s->block_size) != 0)
			fail_msg("%s: block %u: %s", s->file, i, zram_strerror());
		if (memcmp(expected, found, s->block_size) != 0)
			fail_msg("%s: block %u is not what was saved", s->file, i);
	}
}

static void test_each_is_loaded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALL; i++) {
		int fd = open_saved(&all[i], O_RDONLY);
		assert_int_equal(version_of(fd), atoi(all[i].file));
		struct zram *z = zram_load(fd, NULL);
		if (z == NULL)
			fail_msg("%s: %s", all[i].file, zram_strerror());
		close(fd);
		char text[256], wanted[64];
		assert_true(zram_attr_get(z, "comp_algorithm", text, sizeof(text)) > 0);
		snprintf(wanted, sizeof(wanted), "[%s]", all[i].algorithm);
		assert_non_null(strstr(text, wanted));
		compare(&all[i], z);
		/* It is a device like others: what is written is there beside the rest. */
		static uint8_t block[BLOCK_MOST];
		fill_block(block, all[i].block_size, 0);
		assert_int_equal(zram_pwrite(z, block, all[i].block_size, 0), 0);
		compare(&all[i], z);
		zram_destroy(z);
	}
}

static struct zram *create(const struct saved *s)
{
	static uint8_t block[BLOCK_MOST];
	struct zram_options options = ZRAM_OPTIONS_INIT;
	char params[64] = "", path[] = "/tmp/zs-streams-XXXXXX";
	options.disksize = s->blocks * s->block_size;
	options.block_size = s->block_size;
	options.flags = s->flags;
	options.comp_algorithm = s->algorithm;
	options.recomp_algorithm[0] = s->second;
	int dictionary = s->dictionary ? mkstemp(path) : -1;
	if (s->dictionary) {
		assert_true(dictionary >= 0);
		fill_text(block, 2048, 99);
		assert_int_equal(write(dictionary, block, 2048), 2048);
		snprintf(params, sizeof(params), "dict=%s", path);
		options.algorithm_params = params;
	}
	struct zram *z = zram_create("saved", &options);
	if (dictionary >= 0) {
		close(dictionary);
		unlink(path);
	}
	if (z == NULL)
		fail_msg("%s: %s", s->file, zram_strerror());
	for (unsigned i = 0; i < s->blocks; i++)
		if (fill_block(block, s->block_size, i))
			assert_int_equal(zram_pwrite(z, block, s->block_size, i * s->block_size), 0);
	if (s->second != NULL) {
		assert_int_equal(zram_attr_set(z, "idle", "all"), 0);
		assert_int_equal(zram_attr_set(z, "recompress", "type=idle"), 0);
	}
	return z;
}

/* What this library saves has the version that the newest rows are of: a new one can't come without rows of its own. */
static void test_this_version_has_rows(void **state)
{
	(void)state;
	struct zram *z = create(&all[0]);
	char path[] = "/tmp/zs-streams-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(zram_save(z, fd), 0);
	assert_int_equal(version_of(fd), VERSION);
	assert_int_equal(atoi(all[ALL - 1].file), VERSION);
	close(fd);
	zram_destroy(z);
}

static void write_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALL; i++) {
		if (atoi(all[i].file) != VERSION)
			continue;
		struct zram *z = create(&all[i]);
		/* Never over one that is there. */
		int fd = open_saved(&all[i], O_RDWR | O_CREAT | O_EXCL);
		assert_int_equal(zram_save(z, fd), 0);
		close(fd);
		zram_destroy(z);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest writing[] = { cmocka_unit_test(write_all) };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_loaded),
		cmocka_unit_test(test_this_version_has_rows),
	};
	bool writes = argc == 3 && strcmp(argv[1], "--write") == 0;
	if (argc != 2 && !writes) {
		fprintf(stderr, "usage: streams_test [--write] FOLDER\n");
		return 2;
	}
	folder = argv[argc - 1];
	return writes ? cmocka_run_group_tests(writing, NULL, NULL) : cmocka_run_group_tests(tests, NULL, NULL);
}
