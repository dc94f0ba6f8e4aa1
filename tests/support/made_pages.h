/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * made_pages.h - pages that are made to be awkward for a compressor: runs of zeros, random bytes, mixtures.
 */
#ifndef TEST_MADE_PAGES_H
#define TEST_MADE_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "rng.h"

/* n random bytes, 1 to 4096, and zeros behind. */
void made_random(struct rng *rng, uint8_t page[4096], size_t n);

/* Zeros from `at` on, n of them, in a page of another sort. */
void made_run(struct rng *rng, uint8_t page[4096], size_t at, size_t n);

/* Pieces of many sorts: random bytes, zeros, words over and over, tables, text, copies of what came before. */
void made_mixture(struct rng *rng, uint8_t page[4096]);

/* Any of the three; now and then a page of one word. */
void made_any(struct rng *rng, uint8_t page[4096]);

#endif
