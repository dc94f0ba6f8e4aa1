/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_device.c - what zs advise predicts, done: every page of a file is written to a device, which is asked.
 *
 *   advise_device make SEED PAGES         write pages to standard output: r random bytes followed by zeros; now and
 *                                         then same-filled
 *   advise_device kernel ALGORITHM FILE   mm_stat of /dev/zram0
 *   advise_device libzram ALGORITHM BLOCK FILE   mm_stat of libzram with the kernel's geometry and compressors
 *   advise_device dense ALGORITHM BLOCK FILE     "COMPR_DATA_SIZE BYTES_HELD" of libzram's pool with the dense geometry
 *
 * kernel exits with 77 where there is no idle device.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zram.h>

#include "check.h"
#include "kernel_zram.h"
#include "rng.h"

static void make(uint64_t seed, size_t pages)
{
	struct rng rng = { .state = seed };
	uint8_t page[ZRAM_PAGE];

	for (size_t i = 0; i < pages; i++) {
		size_t random_bytes = (size_t)rng_range(&rng, 1, ZRAM_PAGE);
		uint64_t word = rng_one_in(&rng, 2) ? 0 : rng_next(&rng);

		memset(page, 0, sizeof(page));
		for (size_t j = 0; j < random_bytes; j++)
			page[j] = (uint8_t)rng_next(&rng);
		if (rng_one_in(&rng, 20))
			for (size_t j = 0; j < sizeof(page); j += sizeof(word))
				memcpy(page + j, &word, sizeof(word));
		CHECK(fwrite(page, sizeof(page), 1, stdout) == 1);
	}
	CHECK(fflush(stdout) == 0);
}

/* All of a file, which is whole blocks, in aligned memory. */
static uint8_t *read_file(const char *path, size_t *bytes)
{
	FILE *in = fopen(path, "rb");
	uint8_t *data;
	long end;

	CHECK_MSG(in != NULL && fseek(in, 0, SEEK_END) == 0, "%s", path);
	end = ftell(in);
	CHECK_MSG(end > 0 && (size_t)end % ZRAM_PAGE == 0, "%s is %ld bytes", path, end);
	*bytes = (size_t)end;
	data = aligned_alloc(ZRAM_PAGE, *bytes);
	rewind(in);
	CHECK(data != NULL && fread(data, *bytes, 1, in) == 1);
	CHECK(fclose(in) == 0);
	return data;
}

static int kernel(const char *algorithm, const char *path)
{
	size_t bytes;
	uint8_t *data = read_file(path, &bytes);
	const char *reason = kernel_zram_open_with(bytes, algorithm);
	char text[256];

	if (reason != NULL) {
		printf("skipped: %s\n", reason);
		free(data);
		return 77;
	}
	for (size_t i = 0; i < bytes / ZRAM_PAGE; i++)
		kernel_zram_write(i, data + i * ZRAM_PAGE);
	kernel_zram_attr("mm_stat", text, sizeof(text));
	/* Without the blanks that fill up its columns. */
	for (const char *word = strtok(text, " \n"), *gap = ""; word != NULL; word = strtok(NULL, " \n"), gap = " ")
		printf("%s%s", gap, word);
	printf("\n");
	kernel_zram_close();
	free(data);
	return 0;
}

static void library(enum zs_geometry geometry, const char *algorithm, size_t block, const char *path)
{
	struct zram_options options = ZRAM_OPTIONS_INIT;
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	size_t bytes;
	uint8_t *data = read_file(path, &bytes);
	char text[256];
	struct zram *z;

	options.disksize = bytes;
	options.block_size = block;
	options.comp_algorithm = algorithm;
	options.pool.geometry = geometry;
	if (geometry == ZS_GEOMETRY_LINUX && (strcmp(algorithm, "lz4") == 0 || strcmp(algorithm, "lzo") == 0))
		options.algorithm_params = "kernel=1";
	/* The prediction has no threads, hence no caches of theirs. */
	options.pool.flags |= ZS_POOL_NO_THREAD_CACHE;
	z = zram_create("advise", &options);
	CHECK_MSG(z != NULL, "%s", zram_strerror());
	CHECK_MSG(zram_pwrite(z, data, bytes, 0) == 0, "%s", zram_strerror());
	CHECK(zram_attr_get(z, "mm_stat", text, sizeof(text)) > 0);
	zs_pool_stats(zram_get_pool(z), &stats);
	if (geometry == ZS_GEOMETRY_LINUX)
		printf("%s\n", text);
	else
		printf("%" PRIu64 " %" PRIu64 "\n", stats.bytes_requested, stats.bytes_total);
	zram_destroy(z);
	free(data);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "make") == 0) {
		make(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "kernel") == 0)
		return kernel(argv[2], argv[3]);
	CHECK(argc == 5);
	library(strcmp(argv[1], "dense") == 0 ? ZS_GEOMETRY_DENSE : ZS_GEOMETRY_LINUX, argv[2],
		strtoull(argv[3], NULL, 0), argv[4]);
	return 0;
}
