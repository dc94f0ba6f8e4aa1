/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * block_coder.h - what a zram device makes of blocks: libzram's own compressors, and those that are the kernel's.
 *
 * A device of a few blocks is asked what it would make of one, or written to over and over. A compressed block is its
 * place there, good until so many more have been kept.
 */
#ifndef ZS_BLOCK_CODER_H
#define ZS_BLOCK_CODER_H

#include <stdbool.h>
#include <stddef.h>

enum { BLOCK_CODER_PLACES = 80 };

struct block_coder;

/* parameters: as algorithm_params has them. NULL without memory. */
struct block_coder *block_coder_create(const char *algorithm, const char *parameters, size_t block_size);
void block_coder_destroy(struct block_coder *coder);

/* The compressed size, that of a block where it does not shrink, 0 on failure. Nothing is kept of it. */
size_t block_coder_compress(struct block_coder *coder, const void *block);

/* Keep a block. place: where it is. */
bool block_coder_keep(struct block_coder *coder, const void *block, size_t *place);
bool block_coder_decompress(struct block_coder *coder, size_t place, void *block);

#endif
