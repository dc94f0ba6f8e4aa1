/* SPDX-License-Identifier: BSD-3-Clause */
/* space_validate.c - the equations of space.h, checked. */
#include "base/lock.h"
#include "base/bits.h"
#include "pages/chunk.h"
#include "pages/layout.h"
#include "pages/space_validate.h"
#include "pages/units.h"

static uint32_t map_count(const uint64_t *map)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < ZSI_CHUNK_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(map[i]);
	return n;
}

/* Of a run that is not in use, the resident pages are claimed, and no other. */
static bool claims_valid(const struct zsi_space *s, const struct zsi_chunk *c, uint32_t run)
{
	uint32_t first = zsi_run_first_page(s, c, run);
	uint32_t resident = zsi_bit_get(c->dirty_map, run) ? zsi_chunk_note(s, c, run)->resident : 0;

	if (run < c->fresh && !zsi_bit_get(c->free_map, run))
		return true;
	for (uint32_t page = 0; page < c->run_pages; page++)
		if (zsi_units_claimed_locked(s, first + page) != (page < resident))
			return false;
	return true;
}

static bool chunk_valid(const struct zsi_space *s, const struct zsi_chunk *c, uint64_t *dirty_pages)
{
	if (c->run_pages == 0)
		return true;
	if (c->run_pages > ZSI_MAX_RUN_PAGES || c->runs != ZSI_CHUNK_PAGES / c->run_pages || c->fresh > c->runs)
		return false;
	if (map_count(c->free_map) != c->nfree || map_count(c->dirty_map) != c->ndirty || c->nfree > c->fresh)
		return false;
	for (uint32_t run = 0; run < c->runs; run++) {
		if (zsi_bit_get(c->dirty_map, run)) {
			if (!zsi_bit_get(c->free_map, run) || zsi_chunk_note(s, c, run)->resident > c->run_pages)
				return false;
			*dirty_pages += zsi_chunk_note(s, c, run)->resident;
		}
		if (zsi_has_units(s) && !claims_valid(s, c, run))
			return false;
	}
	return true;
}

static bool roomy_valid(const struct zsi_space *s, unsigned pages, uint32_t *listed)
{
	uint32_t prev = 0;

	for (uint32_t n = s->roomy[pages]; n != 0; n = s->chunks[n - 1].next) {
		const struct zsi_chunk *c = &s->chunks[n - 1];

		if (n > s->nr_chunks || c->prev != prev || c->run_pages != pages || !zsi_chunk_has_room(c) ||
		    ++*listed > s->nr_chunks)
			return false;
		prev = n;
	}
	return true;
}

bool zsi_space_validate(struct zsi_space *s)
{
	uint64_t dirty_pages = 0;
	uint32_t roomy = 0, listed = 0;
	bool ok = true;

	zsi_lock(&s->lock, ZSI_RANK_SOURCE);
	for (uint32_t i = 0; ok && i < s->nr_chunks; i++) {
		ok = chunk_valid(s, &s->chunks[i], &dirty_pages);
		roomy += s->chunks[i].run_pages != 0 && zsi_chunk_has_room(&s->chunks[i]);
	}
	for (unsigned pages = 1; ok && pages <= ZSI_MAX_RUN_PAGES; pages++)
		ok = roomy_valid(s, pages, &listed);
	ok = ok && listed == roomy && dirty_pages == s->dirty_pages;
	zsi_unlock(&s->lock, ZSI_RANK_SOURCE);
	return ok;
}
