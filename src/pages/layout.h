/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layout.h - the linear space as data: chunks, cuts, and where a page, its record and the bytes of an object are.
 * space.h says what it is.
 */
#ifndef ZSI_PAGES_LAYOUT_H
#define ZSI_PAGES_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "base/lock.h"
#include "pages/meta.h"
#include "pages/pagemap.h"

struct zsi_account;

#define ZSI_CHUNK_SHIFT 7
#define ZSI_CHUNK_PAGES (1u << ZSI_CHUNK_SHIFT)
#define ZSI_CHUNK_WORDS (ZSI_CHUNK_PAGES / 64)
#define ZSI_CHUNKS_AT_ONCE 4u /* chunks made accessible together: system calls have their price */
#define ZSI_MAX_RUN_PAGES 64u
#define ZSI_NO_PAGE UINT32_MAX

struct zsi_chunk {
	uint64_t reciprocal; /* of run_pages; immutable while a run is in use */
	uint32_t records;    /* reference of the first run's record; immutable while a run is in use */
	uint16_t run_pages;  /* 0: the chunk is unused; immutable while a run is in use */
	uint16_t runs;       /* the same */
	/* The rest: Guarded by the space's lock. */
	uint16_t fresh;  /* first run that was never used since the chunk was dedicated */
	uint16_t nfree;  /* bits set in free_map */
	uint16_t ndirty; /* bits set in dirty_map */
	uint16_t unused_;
	uint32_t next, prev; /* chunks of the same run length with room; chunk + 1, 0 = none */
	uint64_t free_map[ZSI_CHUNK_WORDS];
	uint64_t dirty_map[ZSI_CHUNK_WORDS];
};

/* Pages to be given back: see zsi_cuts_add(). */
struct zsi_cut {
	uint32_t page;
	uint32_t pages;
};

#define ZSI_CUTS 128u

struct zsi_cuts {
	unsigned n;
	uint64_t pages; /* in all of them */
	struct zsi_cut cut[ZSI_CUTS];
};

struct zsi_page_callbacks { /* a caller's page source */
	void *(*alloc_page)(void *ctx);
	void (*free_page)(void *ctx, void *page);
	void *ctx;
};

struct zsi_space {
	/* Immutable after init, and all a reader needs. */
	uint8_t *base;          /* arena: address of page 0; source: NULL */
	_Atomic(void *) *table; /* source: address of each page; arena: NULL */
	struct zsi_chunk *chunks;
	struct zsi_meta *meta;
	unsigned page_shift;
	unsigned unit_shift; /* log2 of the pages in a unit (units.h); 0: there are no units */
	unsigned hints;      /* zsi_os_hint, for the arena's pages */
	uint32_t max_chunks;
	uint32_t record_bytes;
	struct zsi_page_callbacks source;
	struct zsi_account *account;

	struct zsi_lock lock;
	_Atomic uint32_t nr_chunks;            /* chunks ever dedicated; written under lock */
	uint32_t unused_chunks;                /* list through next; Guarded by lock */
	uint32_t roomy[ZSI_MAX_RUN_PAGES + 1]; /* chunks with a free or fresh run, by run length; Guarded by lock */
	uint64_t chunk_table_charged;          /* bytes; Guarded by lock */
	uint64_t chunk_table_committed;        /* bytes; Guarded by lock */
	uint64_t pages_in_runs;                /* present pages of runs in use that the source gave; Guarded by lock */
	_Atomic uint64_t dirty_pages;          /* resident pages of free runs; written under lock */
	unsigned purging;                      /* threads that give pages back right now; Guarded by lock */
	uint32_t purge_cursor;                 /* chunk to look at next for those; Guarded by lock */
	struct zsi_pagemap map;                /* source only; Guarded by lock */
};

static inline size_t zsi_space_page_size(const struct zsi_space *s)
{
	return (size_t)1 << s->page_shift;
}

static inline struct zsi_chunk *zsi_space_chunk(const struct zsi_space *s, uint32_t page)
{
	return &s->chunks[page >> ZSI_CHUNK_SHIFT];
}

/* The record of run number `run` of a chunk. */
static inline void *zsi_chunk_record(const struct zsi_space *s, const struct zsi_chunk *c, uint32_t run)
{
	return (uint8_t *)zsi_meta_ptr(s->meta, c->records) + (size_t)run * s->record_bytes;
}

/* The record of the run that a page is in. The run is in use and stays so. */
static inline void *zsi_space_record(const struct zsi_space *s, uint32_t page)
{
	const struct zsi_chunk *c = zsi_space_chunk(s, page);

	return zsi_chunk_record(s, c, zsi_reciprocal_divide(page & (ZSI_CHUNK_PAGES - 1), c->reciprocal));
}

/* Where a page is now. Readers: inside a read section, for the time of it. */
static inline uint8_t *zsi_space_page(const struct zsi_space *s, uint32_t page)
{
	if (s->base != NULL)
		return s->base + ((uint64_t)page << s->page_shift);
	/* acquire: pairs with the release in zsi_source_replace(), so that the copied bytes are seen */
	return atomic_load_explicit(&s->table[page], memory_order_acquire);
}

/*
 * Where [offset, offset + len) of the linear space is now, in one piece or two: pieces[0] has the first *split bytes.
 * Returns the number of pieces. len is at most a page.
 */
static inline int zsi_space_pieces(const struct zsi_space *s, uint64_t offset, size_t len, uint8_t *pieces[2],
				   size_t *split)
{
	*split = len;
	if (s->base != NULL) {
		pieces[0] = s->base + offset;
		return 1;
	}
	size_t page_size = zsi_space_page_size(s);
	uint32_t page = (uint32_t)(offset >> s->page_shift);
	size_t in_page = offset & (page_size - 1);
	uint8_t *address = zsi_space_page(s, page);

	pieces[0] = address + in_page;
	if (in_page + len <= page_size)
		return 1;
	pieces[1] = zsi_space_page(s, page + 1);
	if (pieces[1] == address + page_size)
		return 1;
	*split = page_size - in_page;
	return 2;
}

#endif
