/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advice.h - what an advice is made of; the parts of zs advise work on it.
 *
 *   sample       pages of the inputs, in memory
 *   survey       pieces of the sample on which every candidate is tried
 *   candidate    an algorithm at a level, for blocks of a size, with the trained dictionary or without
 *   prediction   what the kernel's zram and libzram would hold for the whole sample with one candidate: exact
 *
 * The dictionary is trained on pieces of the sample that are not in the survey, so that it does not know its examples.
 *
 * A block is one of: same-filled, nothing is stored; huge, compressed it takes the huge watermark or more, it is stored
 * as it is; compressed. The kernel's numbers are for pages as large as the block: 4096 bytes on most machines.
 */
#ifndef ZS_ADVICE_H
#define ZS_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "algorithm.h"
#include "sample.h"

enum { BLOCK_SIZES = 5, MOST_ROUNDS = 5, MOST_PREDICTIONS = 8, MOST_REASONS = 6 };
enum { TABLE_ENTRY_BYTES = 16, KERNEL_CHAIN = 8 };

enum goal { GOAL_SPEED, GOAL_BALANCED, GOAL_DENSITY };

/* The two ways to hold blocks of one size: empty pools, to ask for classes. */
struct geometry_view {
	struct zs_pool *pool;
	size_t huge_size; /* compressed to this or more, a block is stored as it is */
};

struct geometries {
	struct geometry_view kernel[BLOCK_SIZES], dense[BLOCK_SIZES]; /* for blocks of 4096 << i bytes */
};

struct candidate {
	const struct algorithm *algorithm;
	int level;
	unsigned block_index; /* blocks of 4096 << block_index bytes */
	bool dictionary;
	/* Of the survey: */
	uint64_t blocks, same_filled, huge; /* huge: in the kernel's geometry */
	uint64_t compressed_bytes;
	double kernel_bytes, dense_bytes; /* objects' shares of full zspages */
	uint64_t timed_bytes;             /* of blocks that were compressed when time was taken */
	unsigned rounds;                  /* how often */
	uint64_t compress[MOST_ROUNDS], decompress[MOST_ROUNDS]; /* ns for timed_bytes */
	uint64_t compress_ns, decompress_ns;                     /* their medians */
};

struct prediction {
	struct candidate what;
	uint32_t *sizes; /* of each block as compressed; 0: same-filled */
	uint64_t blocks, same_filled;
	uint64_t huge, compressed_bytes, held_bytes;     /* the kernel */
	uint64_t dense_huge, dense_compressed_bytes;     /* libzram, dense geometry */
	uint64_t dense_held_bytes, dense_metadata_bytes; /* held: all-in */
	double share_bytes, dense_share_bytes;           /* the objects\' shares of full zspages */
};

struct choice {
	const struct candidate *candidate; /* NULL: nothing in the sample is compressed */
	const struct prediction *prediction;
	char reasons[MOST_REASONS][256];
	unsigned reason_count;
};

struct advise_settings {
	uint64_t sample_bytes, survey_bytes;
	enum goal goal;
	bool sequential; /* blocks are read and written from end to end, not 4 KiB here and there */
	bool quick;
	unsigned threads;
};

struct advice {
	struct advise_settings settings;
	size_t inputs;
	uint64_t given_back, padded; /* pages */
	uint64_t cut_streams;        /* not read to their end */
	struct sample sample;
	struct geometries geometries;
	unsigned char *survey; /* whole pieces, in an order without meaning; zeros up to a multiple of LONGEST_BLOCK */
	size_t survey_pages;
	struct dictionary dictionary;
	struct candidate *candidates;
	size_t candidate_count;
	struct prediction predictions[MOST_PREDICTIONS];
	size_t prediction_count;
	struct choice kernel, library;
	uint64_t ram_bytes;
};

static inline size_t block_bytes(const struct candidate *c)
{
	return (size_t)SAMPLE_PAGE << c->block_index;
}

#endif
