/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * space.c - chunks and runs: who uses which page numbers. See space.h for the picture and the invariants.
 */
#include "pages/space.h"

#include <errno.h>
#include <string.h>

#include "base/account.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/lock.h"
#include "base/os.h"
#include "pages/arena.h"
#include "pages/chunk.h"
#include "pages/layout.h"
#include "pages/meta.h"
#include "pages/pagemap.h"
#include "pages/purge.h"
#include "pages/source.h"
#include "pages/units.h"

/* Committing the chunk table costs a system call, charging it does not: that is done by the system's page. */
#define TABLE_COMMIT_STEP ((uint64_t)64 << 10)

/* Resident pages kept for reuse: a 512th of what the pool holds, and enough for a few zspages in a small pool. */
#define DIRTY_SHIFT 9
/* Near the limit more: the next one to be refused memory has them given back, and most are used again before that. */
#define DIRTY_SHORT_SHIFT 4
#define DIRTY_FLOOR_BYTES ((uint64_t)128 << 10)

/* The first bit that is set; there is one. */
static uint32_t map_first(const uint64_t *map)
{
	uint32_t word = 0;

	while (map[word] == 0)
		word++;
	return word * 64 + (uint32_t)__builtin_ctzll(map[word]);
}

/* The records of so many runs, and what units.c keeps behind them. */
static size_t records_bytes(const struct zsi_space *s, uint32_t runs)
{
	return (size_t)runs * s->record_bytes + (zsi_has_units(s) ? ZSI_CLAIMS_BYTES : 0);
}

/* space_bytes is a multiple of what chunks are opened in. */
static int init_backing(struct zsi_space *s, const struct zsi_space_options *o)
{
	uint64_t chunk_bytes = (uint64_t)ZSI_CHUNK_PAGES << s->page_shift;

	s->max_chunks = (uint32_t)(o->space_bytes / chunk_bytes);
	ZSI_ASSERT(s->max_chunks > 0 && s->max_chunks % ZSI_CHUNKS_AT_ONCE == 0);
	if (o->source != NULL)
		s->table = zsi_os.reserve((size_t)s->max_chunks * ZSI_CHUNK_PAGES * sizeof(*s->table), 1);
	else
		s->base = zsi_os.reserve((size_t)s->max_chunks * chunk_bytes, ZSI_CHUNKS_AT_ONCE * chunk_bytes);
	if (s->table == NULL && s->base == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (s->base == NULL || o->numa_nodes == 0 ||
	    zsi_os_bind(s->base, (size_t)s->max_chunks * chunk_bytes, o->numa_nodes) == 0)
		return 0;
	int error = errno;

	zsi_os.release(s->base, (size_t)s->max_chunks * chunk_bytes);
	s->base = NULL;
	errno = error;
	return -1;
}

static void release_backing(struct zsi_space *s)
{
	uint64_t pages = (uint64_t)s->max_chunks * ZSI_CHUNK_PAGES;

	if (s->base != NULL)
		zsi_os.release(s->base, (size_t)(pages << s->page_shift));
	if (s->table != NULL)
		zsi_os.release(s->table, (size_t)pages * sizeof(*s->table));
}

int zsi_space_init(struct zsi_space *s, struct zsi_meta *meta, struct zsi_account *account,
		   const struct zsi_space_options *options)
{
	memset(s, 0, sizeof(*s));
	s->meta = meta;
	s->account = account;
	s->page_shift = zsi_log2_floor(options->page_size);
	s->record_bytes = (uint32_t)options->record_bytes;
	s->hints = options->hints;
	s->map.account = account;
	if (options->source != NULL)
		s->source = *options->source;
	if (init_backing(s, options) != 0)
		return -1;
	zsi_units_init(s);
	s->chunks = zsi_os.reserve(s->max_chunks * sizeof(*s->chunks), 1);
	if (s->chunks != NULL)
		return 0;
	release_backing(s);
	errno = ENOMEM;
	return -1;
}

/* A caller's pages are his: each goes back through free_page. The arena's go with the reservation. */
void zsi_space_fini(struct zsi_space *s)
{
	if (s->table != NULL) {
		uint64_t pages = (uint64_t)s->nr_chunks * ZSI_CHUNK_PAGES;

		for (uint64_t page = 0; page < pages && s->pages_in_runs > 0; page++)
			if (atomic_load_explicit(&s->table[page], memory_order_relaxed) != NULL)
				zsi_source_decommit(s, (uint32_t)page, 1);
		zsi_pagemap_fini(&s->map);
	}
	zsi_os.release(s->chunks, s->max_chunks * sizeof(*s->chunks));
	release_backing(s);
}

/* Make the chunk table reach over chunk number n. */
static int grow_table(struct zsi_space *s, uint32_t n)
{
	uint64_t page = zsi_os_page_bytes();
	uint64_t end = (n + 1) * sizeof(*s->chunks);
	uint64_t charge_end = zsi_round_up(end, page);
	uint64_t more = charge_end > s->chunk_table_charged ? charge_end - s->chunk_table_charged : 0;

	if (more > 0 && zsi_charge_metadata(s->account, more) != 0)
		return -1;
	if (end > s->chunk_table_committed) {
		uint64_t all = zsi_round_up(s->max_chunks * sizeof(*s->chunks), page);
		uint64_t to = zsi_min(zsi_round_up(end, zsi_max(TABLE_COMMIT_STEP, page)), all);

		if (zsi_os.commit((uint8_t *)s->chunks + s->chunk_table_committed, to - s->chunk_table_committed,
				  ZSI_OS_NO_HUGEPAGE) != 0) {
			zsi_uncharge_metadata(s->account, more);
			errno = ENOMEM;
			return -1;
		}
		s->chunk_table_committed = to;
	}
	s->chunk_table_charged += more;
	return 0;
}

/* Chunks made accessible together. The space is a multiple of so many. */
static unsigned chunks_at_once(const struct zsi_space *s)
{
	/* A caller's pages: whole pages of the system's of the table of their addresses. */
	if (s->base == NULL)
		return (unsigned)zsi_max(ZSI_CHUNKS_AT_ONCE,
					 zsi_os_page_bytes() / (ZSI_CHUNK_PAGES * sizeof(*s->table)));
	/* What is locked is locked as sparingly as can be. */
	return (s->hints & ZSI_OS_MLOCK) != 0 ? 1 : ZSI_CHUNKS_AT_ONCE;
}

/* A chunk number that was never used, its pages accessible. */
static struct zsi_chunk *new_chunk_locked(struct zsi_space *s)
{
	uint32_t n = atomic_load_explicit(&s->nr_chunks, memory_order_relaxed);

	if (n == s->max_chunks) {
		errno = ENOMEM;
		return NULL;
	}
	if (grow_table(s, n) != 0)
		return NULL;
	unsigned at_once = chunks_at_once(s);

	if (n % at_once == 0 &&
	    (s->base != NULL ? zsi_arena_open_chunks(s, n, at_once) : zsi_source_open_chunks(s, n, at_once)) != 0)
		return NULL;
	atomic_store_explicit(&s->nr_chunks, n + 1, memory_order_relaxed);
	return &s->chunks[n];
}

/* Where no run of the chunk is in use, undo its dedication. */
static bool close_chunk_locked(struct zsi_space *s, struct zsi_chunk *c)
{
	if (c->run_pages == 0 || c->nfree != c->fresh || c->ndirty != 0)
		return false;
	zsi_roomy_remove(s, c);
	zsi_meta_free(s->meta, c->records, records_bytes(s, c->runs));
	memset(c, 0, sizeof(*c));
	c->next = s->unused_chunks;
	s->unused_chunks = zsi_chunk_number(s, c) + 1;
	return true;
}

static void close_chunks_locked(struct zsi_space *s)
{
	uint32_t n = atomic_load_explicit(&s->nr_chunks, memory_order_relaxed);

	for (uint32_t i = 0; i < n; i++)
		(void)close_chunk_locked(s, &s->chunks[i]);
}

/* Dedicate a chunk to runs of `pages` pages. */
static struct zsi_chunk *open_chunk_locked(struct zsi_space *s, unsigned pages)
{
	struct zsi_chunk *c;

	if (s->unused_chunks == 0 && s->nr_chunks == s->max_chunks)
		close_chunks_locked(s);
	if (s->unused_chunks == 0) {
		c = new_chunk_locked(s);
		if (c == NULL)
			return NULL;
		c->next = s->unused_chunks;
		s->unused_chunks = zsi_chunk_number(s, c) + 1;
	}
	c = &s->chunks[s->unused_chunks - 1];
	uint32_t runs = ZSI_CHUNK_PAGES / pages;
	uint32_t records = zsi_meta_alloc(s->meta, records_bytes(s, runs));

	if (records == 0)
		return NULL;
	s->unused_chunks = c->next;
	memset(c, 0, sizeof(*c));
	c->records = records;
	c->run_pages = (uint16_t)pages;
	c->runs = (uint16_t)runs;
	c->reciprocal = zsi_reciprocal(pages);
	if (zsi_has_units(s))
		memset(zsi_chunk_claims(s, c), 0, ZSI_CLAIMS_BYTES);
	zsi_roomy_push(s, c);
	return c;
}

/*
 * One of the free runs, none of which is dirty. Where its first page costs nothing, since its unit is there: rather
 * that.
 */
static uint32_t choose_free_locked(const struct zsi_space *s, const struct zsi_chunk *c)
{
	for (uint32_t run = 0; zsi_has_units(s) && run < c->fresh; run++)
		if (zsi_bit_get(c->free_map, run) && zsi_units_there_locked(s, zsi_run_first_page(s, c, run)))
			return run;
	return map_first(c->free_map);
}

static uint32_t take_run_locked(struct zsi_space *s, struct zsi_chunk *c, unsigned *present)
{
	uint32_t run;

	*present = 0;
	if (c->ndirty > 0) {
		run = map_first(c->dirty_map);
		*present = zsi_chunk_note(s, c, run)->resident;
		s->dirty_pages -= *present;
		zsi_bit_clear(c->dirty_map, run);
		c->ndirty--;
		zsi_bit_clear(c->free_map, run);
		c->nfree--;
	} else if (c->nfree > 0) {
		run = choose_free_locked(s, c);
		zsi_bit_clear(c->free_map, run);
		c->nfree--;
	} else {
		run = c->fresh++;
	}
	if (!zsi_chunk_has_room(c))
		zsi_roomy_remove(s, c);
	return run;
}

uint32_t zsi_run_alloc(struct zsi_space *s, unsigned pages, unsigned *present)
{
	uint32_t first = ZSI_NO_PAGE;

	ZSI_ASSERT(pages >= 1 && pages <= ZSI_MAX_RUN_PAGES);
	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	uint32_t head = s->roomy[pages];
	struct zsi_chunk *c = head != 0 ? &s->chunks[head - 1] : open_chunk_locked(s, pages);

	if (c != NULL) {
		uint32_t run = take_run_locked(s, c, present);

		first = zsi_run_first_page(s, c, run);
	}
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
	return first;
}

int zsi_run_commit(struct zsi_space *s, uint32_t first, unsigned present, unsigned want)
{
	int result;

	if (want <= present)
		return 0;
	if (s->base != NULL && !zsi_has_units(s))
		return zsi_charge(s->account, (uint64_t)(want - present) << s->page_shift);
	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	result = zsi_has_units(s) ? zsi_units_claim_locked(s, first + present, want - present)
				  : zsi_source_commit(s, first, present, want);
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
	return result;
}

void zsi_run_free(struct zsi_space *s, uint32_t first, unsigned present)
{
	struct zsi_chunk *c = zsi_space_chunk(s, first);
	uint32_t run = zsi_reciprocal_divide(first & (ZSI_CHUNK_PAGES - 1), c->reciprocal);

	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	ZSI_ASSERT(run < c->fresh && !zsi_bit_get(c->free_map, run));
	if (s->base == NULL) {
		zsi_source_decommit(s, first, present);
		present = 0;
	}
	bool listed = zsi_chunk_listed(s, c);

	zsi_bit_set(c->free_map, run);
	c->nfree++;
	zsi_chunk_note(s, c, run)->resident = present;
	if (present > 0) {
		zsi_bit_set(c->dirty_map, run);
		c->ndirty++;
		s->dirty_pages += present;
	}
	if (!listed)
		zsi_roomy_push(s, c);
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
}

void zsi_space_purge(struct zsi_space *s, uint64_t most)
{
	uint64_t held = atomic_load_explicit(&s->account->used, memory_order_relaxed) >> s->page_shift;
	unsigned shift = zsi_account_short(s->account) ? DIRTY_SHORT_SHIFT : DIRTY_SHIFT;
	uint64_t keep = zsi_max(held >> shift, DIRTY_FLOOR_BYTES >> s->page_shift);

	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	if (s->dirty_pages > keep)
		zsi_purge_dirty_locked(s, keep / 2, most);
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
}

uint64_t zsi_space_reclaim(struct zsi_space *s, uint64_t most)
{
	if (atomic_load_explicit(&s->dirty_pages, memory_order_relaxed) == 0)
		return 0;
	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	uint64_t purged = zsi_purge_dirty_locked(s, 0, most);

	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
	return purged;
}

uint64_t zsi_space_trim(struct zsi_space *s)
{
	uint64_t purged;

	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	purged = zsi_purge_dirty_locked(s, 0, UINT64_MAX);
	close_chunks_locked(s);
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
	return purged;
}
