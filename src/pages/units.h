/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * units.h - the arena's pages where the system's are larger.
 *
 * The system gives and takes memory in pages of its own. Where they are larger than the pool's, one of them, a unit,
 * has several pages of the pool in it, which may be of different runs:
 *
 *   unit of 4 pages    |               |               |               |
 *   runs of 3 pages    |   run 0   |   run 1   |   run 2   |   run 3   |
 *   claims               1   1   0   0   0   0   1   1   1   0   0   0
 *
 * A page is claimed from when its run got it until it was given back, whether the run is in use or dirty. A unit is
 * there, and charged whole, while any page in it is claimed: it comes with the first and goes with the last.
 *
 *   charged for pages = units with a claim * bytes of a unit
 *
 * Claims are guarded by the space's lock, which is also held while units are given back: once it is dropped, a
 * neighbour may claim a page of any of them. Where the system's pages are not larger there are no claims, and none of
 * this is called.
 */
#ifndef ZSI_PAGES_UNITS_H
#define ZSI_PAGES_UNITS_H

#include "pages/layout.h"

/* Two words of bits a chunk, behind the records of its runs. */
#define ZSI_CLAIMS_BYTES (ZSI_CHUNK_WORDS * sizeof(uint64_t))

/* Whether the space's pages are smaller than the system's. */
static inline bool zsi_has_units(const struct zsi_space *s)
{
	return s->unit_shift > 0;
}

/* The claims of a chunk that is dedicated. */
static inline uint64_t *zsi_chunk_claims(const struct zsi_space *s, const struct zsi_chunk *c)
{
	return zsi_chunk_record(s, c, c->runs);
}

/* Find out. Called once, when it is known where the pages come from. */
void zsi_units_init(struct zsi_space *s);

/* Claim pages of a run, and charge the units that come with them. 0, or -1 with ENOMEM and nothing changed. */
int zsi_units_claim_locked(struct zsi_space *s, uint32_t page, uint32_t pages);

/* Drop the claims in the cuts, as far as there are any; give back, and uncharge, the units that go with them. */
void zsi_units_drop_locked(struct zsi_space *s, const struct zsi_cuts *cuts);

/* Whether the unit that the page is in is there. */
bool zsi_units_there_locked(const struct zsi_space *s, uint32_t page);

/* Whether a page is claimed. */
bool zsi_units_claimed_locked(const struct zsi_space *s, uint32_t page);

#endif
