/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise.h - what the parts of zs advise share.
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
#ifndef ZS_ADVISE_H
#define ZS_ADVISE_H

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

/* advise_survey.c. False without memory, after a message. Also end when interrupted(). */
bool advise_prepare(struct advice *advice); /* geometries, survey, dictionary, candidates */
bool advise_survey(struct advice *advice);
/* What an object of that size takes: its share of a full zspage. */
double object_bytes(const struct geometry_view *view, size_t size, size_t page_size);

/*
 * advise_measure.c: compressed sizes of pages at data, one for each block; 0 for same-filled ones. False without
 * memory; says nothing, as it may run on any thread.
 */
bool measure_sizes(const struct advice *advice, const struct candidate *c, const unsigned char *data, size_t pages,
		   size_t first_block, size_t blocks, uint32_t *sizes);
/* Take the time once: fills in compress[rounds] and decompress[rounds], and counts the round. */
bool measure_time(const struct advice *advice, struct candidate *c);
size_t blocks_of(const struct candidate *c, size_t pages);

/* advise_predict.c: the algorithms as they come, and what was chosen. */
bool advise_predict(struct advice *advice);
void prediction_free(struct prediction *p);

/* advise_choose.c */
void advise_choose(struct advice *advice);
double candidate_ratio(const struct candidate *c, bool kernel); /* bytes of blocks for each byte held, all-in */
double candidate_access_ns(const struct advice *advice, const struct candidate *c);
double compress_mb_per_s(const struct candidate *c); /* NaN where nothing was compressed */
double decompress_mb_per_s(const struct candidate *c);
double prediction_ratio(const struct prediction *p, bool kernel);
double large_pool_ratio(const struct prediction *p, bool kernel); /* with so much such data that all zspages are full */
const char *goal_name(enum goal goal);
/* "zstd level 3, blocks of 16 KiB, dictionary" */
struct text_line {
	char s[120];
};
struct text_line candidate_name(const struct candidate *c);
/* What to paste. size: bytes of the device. */
uint64_t advised_disksize(const struct advice *advice);
struct settings_text {
	char s[640];
};
struct settings_text zramctl_text(const struct advice *advice);
struct settings_text zram_generator_text(const struct advice *advice);
struct settings_text libzram_text(const struct advice *advice);
/* The line that mm_stat would show. */
struct text_line mm_stat_line(const struct prediction *p);

/* advise_print.c, advise_json.c, advise_html.c: the results. html: false after a message. */
void advise_print(const struct advice *advice);
void advise_json(const struct advice *advice);
bool advise_html(const struct advice *advice, const char *path);

#endif
