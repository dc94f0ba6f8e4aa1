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
 *   account: every present page of a run in use and every resident page of a dirty run is charged (or its unit)
 *
 * Locks: `lock` (rank SOURCE) guards chunks, lists and the caller's callbacks. The table of page pointers, chunk
 * geometry and records are read without it by whoever owns an object in the run.
 */
#ifndef ZSI_PAGES_SPACE_H
#define ZSI_PAGES_SPACE_H

#include <stddef.h>
#include <stdint.h>

struct zsi_account;
struct zsi_meta;
struct zsi_page_callbacks;
struct zsi_space;

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

/* The run's owner is done with it. Its pages are kept for reuse. */
void zsi_run_free(struct zsi_space *s, uint32_t first, unsigned present);

/* Give back what is kept for reuse beyond a small share, at most about `most` pages. */
void zsi_space_purge(struct zsi_space *s, uint64_t most);

/* Give back some of it, at most about `most` pages, for runs of another length. Returns the pages given back. */
uint64_t zsi_space_reclaim(struct zsi_space *s, uint64_t most);

/* Give back all memory kept for reuse. Returns the pages given back. */
uint64_t zsi_space_trim(struct zsi_space *s);

#endif
