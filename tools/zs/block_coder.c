/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * block_coder.c - a device is made, asked, written and read.
 *
 * Its geometry is the dense one, whose huge watermark is the higher one: a size is known up to there.
 */
#include "block_coder.h"

#include <stdlib.h>
#include <zsmalloc/zram.h>

struct block_coder {
	struct zram *device;
	size_t block_size, next;
};

struct block_coder *block_coder_create(const char *algorithm, const char *parameters, size_t block_size)
{
	struct zram_options options = ZRAM_OPTIONS_INIT;
	struct block_coder *coder = malloc(sizeof(*coder));
	if (coder == NULL)
		return NULL;
	options.disksize = BLOCK_CODER_PLACES * (uint64_t)block_size;
	options.block_size = block_size;
	options.comp_algorithm = algorithm;
	options.algorithm_params = parameters;
	options.pool.flags |= ZS_POOL_NO_THREAD_CACHE;
	*coder = (struct block_coder){ zram_create("zs advise", &options), block_size, 0 };
	if (coder->device != NULL)
		return coder;
	free(coder);
	return NULL;
}

void block_coder_destroy(struct block_coder *coder)
{
	if (coder == NULL)
		return;
	zram_destroy(coder->device);
	free(coder);
}

size_t block_coder_compress(struct block_coder *coder, const void *block)
{
	struct zram_block_info info = ZRAM_BLOCK_INFO_INIT;
	if (zram_preview(coder->device, block, &info) != 0)
		return 0;
	return info.flags & ZRAM_BLOCK_HUGE ? coder->block_size : info.stored_bytes;
}

bool block_coder_keep(struct block_coder *coder, const void *block, size_t *place)
{
	*place = coder->next;
	coder->next = (coder->next + 1) % BLOCK_CODER_PLACES;
	return zram_pwrite(coder->device, block, coder->block_size, *place * (uint64_t)coder->block_size) == 0;
}

bool block_coder_decompress(struct block_coder *coder, size_t place, void *block)
{
	return zram_pread(coder->device, block, coder->block_size, place * (uint64_t)coder->block_size) == 0;
}
