/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advice.h - what an advice is made of; the parts of zs advise work on it.
 *
 *   sample       pages of the inputs, in memory; cut into stripes of 16 pages
 *   survey       stripes of the sample on which every candidate is tried
 *   candidate    an algorithm at a level, for blocks of a size, with the trained dictionary or without
 *   prediction   what the kernel's zram and libzram would hold for the whole sample with one candidate
 *   pair         two algorithms: one for all blocks, the other for those that lie idle
 *
 * The dictionary is trained on stripes of the sample that are not in the survey, so that it does not know its examples.
 *
 * A block is one of: same-filled, nothing is stored; huge, compressed it takes the huge watermark or more, it is stored
 * as it is; compressed. The kernel's numbers are for pages as large as the block: 4096 bytes on most machines.
 *
 * A share is memory for a byte of data: what the objects take in zspages that are full, the device's table left out.
 */
#ifndef ZS_ADVICE_H
#define ZS_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "algorithm.h"
#include "sample.h"

enum { BLOCK_SIZES = 5, MOST_ROUNDS = 5, MOST_PREDICTIONS = 16, MOST_REASONS = 6 };
enum { MOST_READS = 1000 };
enum { TABLE_ENTRY_BYTES = 16, KERNEL_CHAIN = 8 };
enum { STRIPE_PAGES = PIECE_PAGES, STRIPE_BYTES = STRIPE_PAGES * SAMPLE_PAGE }; /* one block of the longest */

/* All of the survey, a quarter and an eighth of it: slow levels are tried on less. */
enum { SURVEY_ALL, SURVEY_QUARTER, SURVEY_EIGHTH, SURVEY_PARTS };

enum goal { GOAL_SPEED, GOAL_BALANCED, GOAL_DENSITY };

/* The two ways to hold blocks of one size: empty pools, to ask for classes. */
struct geometry_view {
	struct zs_pool *pool;
	size_t huge_size; /* compressed to this or more, a block is stored as it is */
};

struct geometries {
	struct geometry_view kernel[BLOCK_SIZES], dense[BLOCK_SIZES]; /* for blocks of 4096 << i bytes */
};

/* What some blocks come to. */
struct tally {
	uint64_t blocks, same_filled, huge; /* huge: in the kernel's geometry */
	uint64_t compressed_bytes;
	double kernel_bytes, dense_bytes; /* objects' shares of full zspages */
};

struct candidate {
	const struct algorithm *algorithm;
	int level;
	unsigned block_index; /* blocks of 4096 << block_index bytes */
	bool dictionary;
	/* Of the survey: */
	struct tally tallies[SURVEY_PARTS]; /* of its beginnings; those from part on are there */
	unsigned part;                      /* the largest that was tried */
	uint64_t timed_bytes;               /* of blocks that were compressed when time was taken */
	unsigned rounds;                    /* how often */
	uint64_t compress[MOST_ROUNDS], decompress[MOST_ROUNDS]; /* ns for timed_bytes */
	uint64_t compress_ns, decompress_ns;                     /* their medians */
	/* Estimates for the sample, from the survey and the predictions: */
	double kernel_share, dense_share;
};

struct prediction {
	const struct candidate *what;
	uint32_t *sizes; /* of each block that was compressed; 0: same-filled */
	uint64_t blocks; /* of the sample */
	uint64_t tried;  /* of them, compressed: all, or so many in stripes of every kind; figures are for all */
	bool exact;      /* the kernel's figures are those that the kernel would show, to the byte */
	uint64_t same_filled;
	uint64_t huge, compressed_bytes, held_bytes;     /* the kernel */
	uint64_t dense_huge, dense_compressed_bytes;     /* libzram, dense geometry */
	uint64_t dense_held_bytes, dense_metadata_bytes; /* held: all-in */
	double share_bytes, dense_share_bytes;           /* the objects' shares of full zspages */
};

struct choice {
	const struct candidate *candidate; /* NULL: nothing in the sample is compressed */
	const struct prediction *prediction;
	char reasons[MOST_REASONS][256];
	unsigned reason_count;
};

/* Recompression. Costs and memory are for all blocks, of which a part is idle. */
struct pair {
	const struct prediction *primary, *secondary; /* NULL: no two algorithms to choose from */
	double share;      /* memory for a byte of data */
	double time_times; /* processor time, of what the choice without recompression takes */
	double memory_times;
	bool worth;          /* better than the choice by the goal's own rule */
	unsigned least_idle;  /* percent from which on it is, with these reads; more than 100: with no share */
	unsigned least_reads; /* a write, from which on it is, with this idle share; more than MOST_READS: never */
};

struct advise_settings {
	uint64_t sample_bytes, survey_bytes;
	enum goal goal;
	bool sequential; /* blocks are read and written from end to end, not 4 KiB here and there */
	bool quick;
	unsigned threads;
	unsigned idle_percent; /* of the blocks lie idle and would be recompressed */
	unsigned reads;        /* of a block for each write of one */
};

struct advice {
	struct advise_settings settings;
	size_t inputs;
	uint64_t given_back, padded; /* pages */
	uint64_t cut_streams;        /* not read to their end */
	struct sample sample;
	uint64_t pages;  /* that the figures are of: the sample's, or all where they are more than fit in memory */
	size_t stripes;  /* of the sample, the last may be shorter */
	uint32_t *order; /* all stripes, those that compress best first */
	size_t empty_stripes; /* the first ones of them: same-filled as a whole */
	struct geometries geometries;
	unsigned char *survey; /* whole stripes; each beginning of them is a cross-section */
	size_t survey_pages;
	unsigned char *lessons; /* to train the dictionary on; NULL when that is done */
	size_t lesson_bytes;
	struct dictionary dictionary;
	struct candidate *candidates;
	size_t candidate_count;
	struct prediction predictions[MOST_PREDICTIONS];
	size_t prediction_count;
	struct choice kernel, library;
	struct pair kernel_pair, library_pair;
	uint64_t ram_bytes;
};

static inline size_t block_bytes(const struct candidate *c)
{
	return (size_t)SAMPLE_PAGE << c->block_index;
}

/* Blocks that so many pages are, the last one filled up. */
static inline size_t blocks_of(const struct candidate *c, size_t pages)
{
	size_t each = (size_t)1 << c->block_index;
	return (pages + each - 1) / each;
}

#endif
