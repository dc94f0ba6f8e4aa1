/* SPDX-License-Identifier: BSD-3-Clause */
/* units.c - the claims of units.h. */
#include "pages/units.h"

#include "base/account.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/os.h"
#include "pages/arena.h"
#include "pages/cuts.h"
#include "pages/layout.h"

/* A unit's bits are in one word: 64 pages, 256 KiB, are the most. Linux has no such page size. */
#define MAX_UNIT_SHIFT 6u

void zsi_units_init(struct zsi_space *s)
{
	size_t page = zsi_space_page_size(s), unit = zsi_os_page_bytes();

	if (s->base != NULL && unit > page)
		s->unit_shift = zsi_log2_floor(unit / page);
	ZSI_ASSERT(s->unit_shift <= MAX_UNIT_SHIFT);
}

static uint64_t *word_of(const struct zsi_space *s, uint32_t page)
{
	return &zsi_chunk_claims(s, zsi_space_chunk(s, page))[page % ZSI_CHUNK_PAGES / 64];
}

/* The bits of pages [from, to) of one unit, in its word. */
static uint64_t bits_of(uint32_t from, uint32_t to)
{
	return (to - from == 64 ? ~0ull : (1ull << (to - from)) - 1) << (from % 64);
}

/* A unit's part of pages [page, end). */
struct part {
	uint32_t unit_page; /* first page of the unit */
	uint32_t next;      /* page where the next part begins */
	uint64_t *word;
	uint64_t unit_bits, bits;
};

static struct part part_at(const struct zsi_space *s, uint32_t page, uint32_t end)
{
	uint32_t unit_pages = 1u << s->unit_shift;
	struct part p = { .unit_page = page & ~(unit_pages - 1), .word = word_of(s, page) };
	uint32_t unit_end = p.unit_page + unit_pages;

	p.next = unit_end < end ? unit_end : end;
	p.unit_bits = bits_of(p.unit_page, unit_end);
	p.bits = bits_of(page, p.next);
	return p;
}

int zsi_units_claim_locked(struct zsi_space *s, uint32_t page, uint32_t pages)
{
	uint32_t end = page + pages;
	uint64_t units = 0;

	for (uint32_t at = page; at < end;) {
		struct part p = part_at(s, at, end);

		units += (*p.word & p.unit_bits) == 0;
		at = p.next;
	}
	if (units > 0 && zsi_charge(s->account, units << (s->unit_shift + s->page_shift)) != 0)
		return -1;
	for (uint32_t at = page; at < end;) {
		struct part p = part_at(s, at, end);

		ZSI_ASSERT((*p.word & p.bits) == 0);
		*p.word |= p.bits;
		at = p.next;
	}
	return 0;
}

static void give_back(struct zsi_space *s, struct zsi_cuts *units)
{
	zsi_arena_decommit(s, units);
	zsi_uncharge(s->account, units->pages << s->page_shift);
	*units = (struct zsi_cuts){ .n = 0 };
}

void zsi_units_drop_locked(struct zsi_space *s, const struct zsi_cuts *cuts)
{
	struct zsi_cuts units = { .n = 0 };

	for (unsigned i = 0; i < cuts->n; i++) {
		uint32_t at = cuts->cut[i].page, end = at + cuts->cut[i].pages;

		while (at < end) {
			struct part p = part_at(s, at, end);
			bool there = (*p.word & p.unit_bits) != 0;

			*p.word &= ~p.bits;
			at = p.next;
			/*
			 * What a fork cut short is done once more in the child: what is no longer there isn't given
			 * back twice.
			 */
			if (!there || (*p.word & p.unit_bits) != 0)
				continue;
			if (!zsi_cuts_add(&units, p.unit_page, 1u << s->unit_shift)) {
				give_back(s, &units);
				(void)zsi_cuts_add(&units, p.unit_page, 1u << s->unit_shift);
			}
		}
	}
	give_back(s, &units);
}

bool zsi_units_there_locked(const struct zsi_space *s, uint32_t page)
{
	struct part p = part_at(s, page, page + 1);

	return (*p.word & p.unit_bits) != 0;
}

bool zsi_units_claimed_locked(const struct zsi_space *s, uint32_t page)
{
	return (*word_of(s, page) >> (page % 64) & 1) != 0;
}
