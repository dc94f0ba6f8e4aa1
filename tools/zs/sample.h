/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sample.h - the pages that zs advise works with, in memory: all of the inputs, or pieces spread evenly over them.
 *
 *   piece   16 pages of 4096 bytes that follow each other, less where a range ends
 *
 * One piece is taken at random from each of as many equal parts of the inputs as fit; the same ones each time.
 */
#ifndef ZS_SAMPLE_H
#define ZS_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pages.h"

enum { SAMPLE_PAGE = 4096, PIECE_PAGES = 16, PIECE_BYTES = SAMPLE_PAGE * PIECE_PAGES };

struct sample {
	unsigned char *data; /* pages, one after the other */
	size_t pages;
	uint64_t input_pages; /* of all inputs */
	uint64_t pieces;      /* taken */
	bool whole;           /* nothing was left out on purpose */
	bool part;            /* of what is there to be read something was left out */
};

/*
 * Read at most limit_bytes (a piece at least), and no more than half of the memory that can be had. False without
 * memory, after a message. Also ends when interrupted().
 */
bool sample_take(struct sample *sample, struct page_set *set, uint64_t limit_bytes);
void sample_destroy(struct sample *sample);

#endif
