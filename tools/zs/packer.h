/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packer.h - store a set of pages in a pool, compressed, and read them all back; with several threads.
 *
 * A page is one of
 *   same-filled      all its machine words are equal: the word is remembered, nothing is stored
 *   incompressible   compressed it takes the pool's huge watermark or more: it is stored as it is
 *   compressed       stored in its compressed size
 *   lost             it could not be read
 *
 * as in the kernel's zram. The two passes, store then check, each take the chunks in order, the next one to whichever
 * thread is free. The time of a pass is that of its busiest thread, with only the work on pages counted: what zram
 * would do. Reading the input, hashing and comparing are not in it.
 *
 *   same_filled + incompressible + compressed + lost == pages of the set
 *   intact + broken == same_filled + incompressible + compressed, after the check
 */
#ifndef ZS_PACKER_H
#define ZS_PACKER_H

#include <stdbool.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "codec.h"
#include "pages.h"

enum page_state { PAGE_LOST, PAGE_SAME_FILLED, PAGE_INCOMPRESSIBLE, PAGE_COMPRESSED };

struct page_record {
	union {
		zs_handle handle;
		uint64_t word; /* of a same-filled page */
	};
	uint64_t hash;              /* XXH3 of the page as it was read first */
	uint32_t compressed_length; /* also of an incompressible page: what the compressor made of it */
	uint32_t state;             /* enum page_state */
};

struct packer {
	struct page_set *set;
	const struct codec *codec;
	struct zs_pool *pool;
	unsigned threads;            /* asked for; then how many there were */
	struct page_record *records; /* one a page */
	struct worker *workers;

	uint64_t same_filled, incompressible, compressed, lost; /* pages */
	uint64_t compressed_bytes; /* stored: compressed sizes, and whole pages where incompressible */
	uint64_t intact, broken;   /* pages read back that are, and are not, what was stored */
	uint64_t store_ns, read_ns;
};

/* False without memory, after a message. The arguments must stay. */
bool packer_init(struct packer *packer, struct page_set *set, const struct codec *codec, struct zs_pool *pool,
		 unsigned threads);
void packer_destroy(struct packer *packer);

/* The passes. False, after a message, when the pool gives no memory. They also end early when interrupted(). */
bool packer_store(struct packer *packer);
bool packer_check(struct packer *packer);

#endif
