/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * space.h - the linear space of a pool's pages.
 *
 * The allocator works in one linear space of page numbers. It is cut into chunks of 128 pages; a chunk is dedicated to
 * runs of one length while any of its runs is in use, so that the run a page belongs to is a division away, and a
 * zspage of k pages is always a run of k consecutive page numbers:
 *
 *   chunk 0 (runs of 3 pages)              chunk 1 (runs of 16)            chunk 2 (unused)
 *   |run 0|run 1|run 2| ... |run 41|..|    |run 0     |run 1     | ... |   |                |
 *
 * What lies behind a page number is the backing's business:
 *
 *   arena    page p is at base + p * page_size: consecutive numbers are adjacent addresses, and the kernel provides
 *            memory page by page when it is touched; where its pages are larger than these, see units.h
 *   source   page p is wherever the caller's page source put it: a table of pointers
 *
 * A run has `present` pages: those it was given so far, always the first ones. Each run has a record of record_bytes
 * for its owner, in metadata memory. While a run is free the space keeps its own note there.
 *
 *   chunk: free + in use + fresh = runs,  dirty <= free  (dirty: free, but the arena still has pages of it resident)
 *   account: every present page of a run in use and every resident page of a dirty run is charged (or its unit, units.h)
 *
 * Locks: `lock` (rank SOURCE) guards chunks, lists and the caller's callbacks. The table of page pointers, chunk
 * geometry and records are read without it by whoever owns an object in the run.
 */
#ifndef ZSI_PAGES_SPACE_H
#define ZSI_PAGES_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/account.h"
#include "base/bits.h"
#include "base/lock.h"
#include "pages/meta.h"
#include "pages/pagemap.h"

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

struct zsi_space_options {
	size_t page_size;
	size_t record_bytes;
	uint64_t space_bytes; /* size of the linear space: a power of two, a multiple of ZSI_CHUNKS_AT_ONCE chunks */
	const struct zsi_page_callbacks *source; /* NULL: arena */
	uint64_t numa_nodes;                     /* of the arena's pages, as zsi_os_bind(); 0: no policy */
	unsigned hints;
};

/* 0, or -1 with ENOMEM, or what zsi_os_bind() says, and nothing to undo. */
int zsi_space_init(struct zsi_space *s, struct zsi_meta *meta, struct zsi_account *account,
		   const struct zsi_space_options *options);

/* Gives every page back, those of runs in use too. */
void zsi_space_fini(struct zsi_space *s);

/*
 * A run of `pages` pages for one owner. Its first page number, or ZSI_NO_PAGE with ENOMEM. *present is set to the pages
 * it already has. The record's contents are undefined.
 */
uint32_t zsi_run_alloc(struct zsi_space *s, unsigned pages, unsigned *present);

/* Give the run that starts at first the pages [present, want). 0, or -1 with ENOMEM and no page more than before. */
int zsi_run_commit(struct zsi_space *s, uint32_t first, unsigned present, unsigned want);

/*
 * Taking pages from runs again: first each is noted, false where there is no room for another; then all are given back in
 * as few calls as can be; then they are charged no longer. From the note to the end of giving back nobody may use them, and
 * so the owners of the runs have to keep these to themselves. The runs are their owners' still.
 */
bool zsi_cuts_add(struct zsi_cuts *cuts, uint32_t page, unsigned pages);
void zsi_cuts_decommit(struct zsi_space *s, struct zsi_cuts *cuts);
void zsi_cuts_settle(struct zsi_space *s, struct zsi_cuts *cuts);

/* The run's owner is done with it. Its pages are kept for reuse. */
void zsi_run_free(struct zsi_space *s, uint32_t first, unsigned present);

/* Give back what is kept for reuse beyond a small share, at most about `most` pages. */
void zsi_space_purge(struct zsi_space *s, uint64_t most);

/*
 * Take the space's lock, without its rank, when nobody is giving pages back: they would be lost to a child that is forked.
 * The caller holds nothing that those who do could wait for.
 */
void zsi_space_lock_at_rest(struct zsi_space *s);

/* Give back some of it, at most about `most` pages, for runs of another length. Returns the pages given back. */
uint64_t zsi_space_reclaim(struct zsi_space *s, uint64_t most);

/* Give back all memory kept for reuse. Returns the pages given back. */
uint64_t zsi_space_trim(struct zsi_space *s);

/*
 * The page of a caller's at that address, as a linear page number; ZSI_NO_PAGE where there is none or the space is an
 * arena. Where there is one, look() is called with the record of its run while the run can't be freed; the answer holds
 * as long as the caller prevents that.
 */
uint32_t zsi_space_find(struct zsi_space *s, const void *address, void (*look)(const void *record, void *arg),
			void *arg);

/*
 * Put another page of the caller's behind a page number; the bytes were copied already. 0, or -1 with ENOMEM or EINVAL
 * (the new page is in the space already). The old page is still read until a grace period has passed.
 */
int zsi_space_replace(struct zsi_space *s, uint32_t page, void *new_page);

/* Compare all counts and lists of the space: true when they agree. Takes the lock. */
bool zsi_space_validate(struct zsi_space *s);

/*
 * The backings' parts, called by space.c. Opening makes `chunks` chunks from `chunk` on accessible.
 */
int zsi_arena_open_chunks(struct zsi_space *s, uint32_t chunk, unsigned chunks);
void zsi_arena_decommit(const struct zsi_space *s, const struct zsi_cuts *cuts);
int zsi_source_open_chunks(struct zsi_space *s, uint32_t chunk, unsigned chunks);
int zsi_source_commit(struct zsi_space *s, uint32_t first, unsigned present, unsigned want);
void zsi_source_decommit(struct zsi_space *s, uint32_t first, unsigned pages);

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
	/* acquire: pairs with the release in zsi_space_replace(), so that the copied bytes are seen */
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
