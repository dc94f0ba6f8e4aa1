/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packing.h - a set of pages on its way to a device of libzram and back. packer.c runs it, its threads fill it in.
 *
 * Page i of the set is block i of the device, which is as large as the set. A page is one of
 *   same-filled      all its machine words are equal: the word is remembered, nothing is stored
 *   incompressible   compressed it would take the huge watermark or more: it is stored as it is
 *   compressed       stored in its compressed size
 *   lost             it could not be read, and was not written
 *
 * as the device says of the block. The two passes, store then check, each take the chunks in order, the next one to
 * whichever thread is free. The time of a pass is that of its busiest thread, with only the device's work counted.
 * Reading the input, hashing and comparing are not in it.
 *
 *   same_filled + incompressible + compressed + lost == pages of the set
 *   intact + broken == same_filled + incompressible + compressed, after the check
 */
#ifndef ZS_PACKING_H
#define ZS_PACKING_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zram.h>

#include "pages.h"

enum page_state { PAGE_LOST, PAGE_SAME_FILLED, PAGE_INCOMPRESSIBLE, PAGE_COMPRESSED };

struct page_record {
	uint64_t hash;         /* XXH3 of the page as it was read first */
	uint32_t stored_bytes; /* by the device, for this page */
	uint32_t state;        /* enum page_state */
};

struct packer {
	struct page_set *set;
	struct zram *device;         /* its blocks are as large as the set's pages */
	unsigned threads;            /* asked for; then how many there were */
	uint64_t limit_bytes;        /* of the device, so that the machine has memory left; 0: none */
	struct page_record *records; /* one a page */
	struct worker *workers;

	uint64_t same_filled, incompressible, compressed, lost; /* pages */
	uint64_t compressed_bytes; /* stored: compressed sizes, and whole pages where incompressible */
	uint64_t intact, broken;   /* pages read back that are, and are not, what was stored */
	uint64_t store_ns, read_ns;
};

#endif
