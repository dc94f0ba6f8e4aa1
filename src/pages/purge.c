/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * purge.c - giving pages back, many at a time: telling all processors to forget a page costs more than the page.
 */
#include "pages/purge.h"

#include "base/account.h"
#include "base/bits.h"
#include "base/lock.h"
#include "pages/arena.h"
#include "pages/chunk.h"
#include "pages/cuts.h"
#include "pages/layout.h"
#include "pages/source.h"
#include "pages/units.h"

void zsi_purge_cuts(struct zsi_space *s, struct zsi_cuts *cuts)
{
	if (s->base != NULL && !zsi_has_units(s)) {
		/* A child that was forked meanwhile may do it once more, and nothing is lost. */
		zsi_arena_decommit(s, cuts);
		return;
	}
	/* With a caller's pages it would be, and with pages that share one of the system's. */
	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	if (zsi_has_units(s)) {
		zsi_units_drop_locked(s, cuts);
		cuts->n = 0;
	}
	for (; cuts->n > 0; cuts->n--)
		zsi_source_decommit(s, cuts->cut[cuts->n - 1].page, cuts->cut[cuts->n - 1].pages);
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
}

void zsi_purge_settle(struct zsi_space *s, struct zsi_cuts *cuts)
{
	/* A caller's page was uncharged as it went, and so was a unit. */
	if (s->base != NULL && !zsi_has_units(s) && cuts->pages > 0)
		zsi_uncharge(s->account, cuts->pages << s->page_shift);
	cuts->n = 0;
	cuts->pages = 0;
}

/* Take dirty runs of a chunk, enough and as long as there is room for them: they are neither free nor in use then. */
static uint64_t take_dirty_locked(struct zsi_space *s, struct zsi_chunk *c, uint64_t enough, struct zsi_cuts *cuts)
{
	uint64_t resident = 0;

	for (uint32_t run = 0; run < c->runs && resident < enough; run++) {
		if (!zsi_bit_get(c->dirty_map, run))
			continue;
		if (!zsi_cuts_add(cuts, zsi_run_first_page(s, c, run), c->run_pages))
			break;
		resident += zsi_chunk_note(s, c, run)->resident;
		zsi_bit_clear(c->dirty_map, run);
		zsi_bit_clear(c->free_map, run);
		c->ndirty--;
		c->nfree--;
	}
	if (!zsi_chunk_has_room(c) && zsi_chunk_listed(s, c))
		zsi_roomy_remove(s, c);
	return resident;
}

/* Dirty runs of several chunks. Goes on where the last call ended. Returns their resident pages. */
static uint64_t gather_locked(struct zsi_space *s, uint64_t keep, uint64_t most, struct zsi_cuts *cuts)
{
	uint64_t gathered = 0;

	for (uint32_t n = 0; n <= s->nr_chunks && s->dirty_pages > keep && gathered < most; n++) {
		uint32_t i = s->purge_cursor < s->nr_chunks ? s->purge_cursor : 0;
		struct zsi_chunk *c = &s->chunks[i];

		if (c->ndirty > 0) {
			uint64_t enough = zsi_min(s->dirty_pages - keep, most - gathered);
			uint64_t resident = take_dirty_locked(s, c, enough, cuts);

			gathered += resident;
			s->dirty_pages -= resident;
			if (c->ndirty > 0)
				break;
		}
		s->purge_cursor = i + 1;
	}
	return gathered;
}

static void put_back_locked(struct zsi_space *s, const struct zsi_cuts *cuts)
{
	for (unsigned i = 0; i < cuts->n; i++) {
		struct zsi_chunk *c = zsi_space_chunk(s, cuts->cut[i].page);
		uint32_t first = zsi_reciprocal_divide(cuts->cut[i].page & (ZSI_CHUNK_PAGES - 1), c->reciprocal);
		uint32_t runs = cuts->cut[i].pages / c->run_pages;

		for (uint32_t run = first; run < first + runs; run++)
			zsi_bit_set(c->free_map, run);
		c->nfree = (uint16_t)(c->nfree + runs);
		if (!zsi_chunk_listed(s, c))
			zsi_roomy_push(s, c);
	}
}

uint64_t zsi_purge_dirty_locked(struct zsi_space *s, uint64_t keep, uint64_t most)
{
	uint64_t purged = 0;

	while (s->dirty_pages > keep && purged < most) {
		struct zsi_cuts cuts = { .n = 0 };
		uint64_t resident = gather_locked(s, keep, most - purged, &cuts);

		if (cuts.n == 0)
			break;
		purged += resident;
		if (zsi_has_units(s)) {
			zsi_units_drop_locked(s, &cuts);
			put_back_locked(s, &cuts);
			continue;
		}
		s->purging++;
		zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
		zsi_arena_decommit(s, &cuts);
		zsi_uncharge(s->account, resident << s->page_shift);
		zsi_lock(&s->lock, ZSI_RANK_SOURCE);
		s->purging--;
		put_back_locked(s, &cuts);
	}
	return purged;
}

void zsi_purge_lock_at_rest(struct zsi_space *s)
{
	for (unsigned round = 0;; round++) {
		zsi_lock_unranked(&s->lock);
		if (s->purging == 0)
			return;
		zsi_unlock_unranked(&s->lock);
		zsi_backoff(round);
	}
}
