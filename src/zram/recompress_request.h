/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * recompress_request.h - what a value of the attribute "recompress" asks for.
 *
 * A request is about one secondary algorithm, as since Linux 7.1: the one of priority 1 where none is named. With
 * chain=1 it is about all of them, as before.
 *
 *   first <= last, both priorities of 1 to 3;  first < last only with chain=1;  last is that of an algorithm
 */
#ifndef ZSI_ZRAM_RECOMPRESS_REQUEST_H
#define ZSI_ZRAM_RECOMPRESS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "zram/walk.h"

struct zram;

struct zsi_recompress_request {
	enum zsi_choice choice;
	bool chain;           /* algorithms in their order, until one is good enough */
	unsigned first, last; /* priorities */
	uint64_t threshold;   /* bytes; 0 = none */
	uint64_t max_blocks;  /* UINT64_MAX = all */
};

/* Read a value: 0, or -1 with EINVAL or ENOMEM. The device is initialised, so that its algorithms are fixed. */
int zsi_recompress_read(struct zram *z, const char *value, struct zsi_recompress_request *r);

#endif
