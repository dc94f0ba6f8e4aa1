/* SPDX-License-Identifier: BSD-3-Clause */
/* words.c - the memory of words.h. */
#include "pages/words.h"

#include <errno.h>
#include <string.h>

#include "base/account.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/lock.h"
#include "base/os.h"

/* Committing has the price of a system call, charging has none: commit in steps of this, charge page by page. */
#define COMMIT_STEP ((uint64_t)64 << 10)

#define UNIT ((uint64_t)1 << ZSI_WORDS_UNIT_SHIFT)
#define UNITS_A_WORD_SHIFT 6u
#define ABSENT UINT64_MAX
#define LINEAR_SHIFT 6
#define LINEAR_UNITS (1u << LINEAR_SHIFT) /* sizes up to here have a list each, then four a doubling */

/* Free blocks that alloc_below looks at. */
#define LOOKS 64u

/*
 * Moved together, blocks are given a quarter more room than they take. It pays again when there is as much more than
 * that, and at least this, and so many pages: the last ones may have to stay for little.
 */
#define WORTH_BYTES ((uint64_t)32 << 10)
#define WORTH_PAGES 4u

struct free_block {
	uint32_t next, prev; /* references */
	uint32_t units;      /* length; again in the last four bytes of the block */
	uint32_t last;       /* of a block of one unit */
};

_Static_assert(sizeof(struct free_block) == UNIT, "the smallest block");

static struct free_block *block_at(const struct zsi_words *w, uint32_t ref)
{
	return zsi_words_ptr(w, ref);
}

static uint32_t *last_word(const struct zsi_words *w, uint32_t end)
{
	return (uint32_t *)(void *)(w->base + ((uint64_t)end << ZSI_WORDS_UNIT_SHIFT)) - 1;
}

static uint64_t page_bytes(const struct zsi_words *w)
{
	return (uint64_t)1 << w->page_shift;
}

/* Of the map. */
static unsigned words_a_page_shift(const struct zsi_words *w)
{
	return w->page_shift - ZSI_WORDS_UNIT_SHIFT - UNITS_A_WORD_SHIFT;
}

static uint64_t page_of(const struct zsi_words *w, uint64_t unit)
{
	return unit >> (w->page_shift - ZSI_WORDS_UNIT_SHIFT);
}

/* The first page that does not begin before the unit does. */
static uint64_t page_from(const struct zsi_words *w, uint64_t unit)
{
	return page_of(w, unit + (page_bytes(w) >> ZSI_WORDS_UNIT_SHIFT) - 1);
}

static uint32_t units_for(size_t bytes)
{
	return (uint32_t)zsi_div_up(bytes, UNIT);
}

/* The list that a free block of so many units is in. */
static unsigned list_of(uint32_t units)
{
	if (units <= LINEAR_UNITS)
		return units;
	unsigned list = LINEAR_UNITS + 1 + zsi_quarter_step(units, LINEAR_SHIFT);

	return list < ZSI_WORDS_LISTS ? list : ZSI_WORDS_LISTS - 1;
}

static bool is_absent(const struct zsi_words *w, uint64_t page)
{
	return w->map[page << words_a_page_shift(w)] == ABSENT;
}

static void set_absent(struct zsi_words *w, uint64_t page, bool absent)
{
	w->map[page << words_a_page_shift(w)] = absent ? ABSENT : 0;
}

static bool edge_get(const struct zsi_words *w, uint32_t unit)
{
	return !is_absent(w, page_of(w, unit)) && zsi_bit_get(w->map, unit);
}

static void edge_set(struct zsi_words *w, uint32_t unit)
{
	ZSI_ASSERT(!is_absent(w, page_of(w, unit)));
	zsi_bit_set(w->map, unit);
}

static void edge_clear(struct zsi_words *w, uint32_t unit)
{
	zsi_bit_clear(w->map, unit);
}

static void insert_locked(struct zsi_words *w, uint32_t ref, uint32_t units)
{
	unsigned list = list_of(units);
	uint32_t head = w->lists[list];

	*block_at(w, ref) = (struct free_block){ .next = head, .units = units };
	*last_word(w, ref + units) = units;
	if (head != 0)
		block_at(w, head)->prev = ref;
	w->lists[list] = ref;
	zsi_bit_set(w->nonempty, list);
	edge_set(w, ref);
	edge_set(w, ref + units - 1);
	if (w->cursor > ref && w->cursor < ref + units)
		w->cursor = ref;
	w->free_bytes += (uint64_t)units << ZSI_WORDS_UNIT_SHIFT;
}

static void remove_locked(struct zsi_words *w, uint32_t ref)
{
	struct free_block b = *block_at(w, ref);
	unsigned list = list_of(b.units);

	if (b.prev != 0)
		block_at(w, b.prev)->next = b.next;
	else
		w->lists[list] = b.next;
	if (b.next != 0)
		block_at(w, b.next)->prev = b.prev;
	if (w->lists[list] == 0)
		zsi_bit_clear(w->nonempty, list);
	edge_clear(w, ref);
	edge_clear(w, ref + b.units - 1);
	w->free_bytes -= (uint64_t)b.units << ZSI_WORDS_UNIT_SHIFT;
}

/* Have the memory of all pages that units [from, to) touch. 0, or -1 with ENOMEM and no page more than before. */
static int make_present_locked(struct zsi_words *w, uint32_t from, uint32_t to)
{
	uint64_t first = page_of(w, from), end = page_from(w, to);
	uint64_t bytes = 0;

	for (uint64_t page = first; page < end; page++)
		bytes += is_absent(w, page) ? page_bytes(w) : 0;
	if (bytes == 0)
		return 0;
	if (zsi_charge_metadata(w->account, bytes) != 0)
		return -1;
	for (uint64_t page = first; page < end; page++)
		if (is_absent(w, page))
			set_absent(w, page, false);
	w->absent_bytes -= bytes;
	return 0;
}

/* Cut units off the front of a free block. False, with ENOMEM: no memory for what of it was given back. */
static bool cut_locked(struct zsi_words *w, uint32_t ref, uint32_t units)
{
	uint32_t have = block_at(w, ref)->units;
	uint32_t rest = have - units;

	/* And the head of what is left. Its end is there. */
	if (make_present_locked(w, ref, ref + units + (rest > 0 ? 1 : 0)) != 0)
		return false;
	remove_locked(w, ref);
	if (rest > 0)
		insert_locked(w, ref + units, rest);
	return true;
}

/* The first block that is large enough, in the first list that may have one; 0: none, or ENOMEM. */
static uint32_t take_locked(struct zsi_words *w, uint32_t units)
{
	unsigned list = list_of(units);

	/* Lists of more than one length: some of its blocks may be too small. */
	for (uint32_t ref = w->lists[list]; list > LINEAR_UNITS && ref != 0; ref = block_at(w, ref)->next)
		if (block_at(w, ref)->units >= units)
			return cut_locked(w, ref, units) ? ref : 0;
	if (list > LINEAR_UNITS)
		list++;
	for (unsigned word = list / 64; word < ZSI_WORDS_LISTS / 64; word++) {
		uint64_t bits = w->nonempty[word];

		if (word == list / 64)
			bits &= ~(uint64_t)0 << (list % 64);
		if (bits == 0)
			continue;
		uint32_t ref = w->lists[word * 64 + (unsigned)__builtin_ctzll(bits)];

		return cut_locked(w, ref, units) ? ref : 0;
	}
	return 0;
}

/* Make [0, end) of a reservation accessible. */
static int commit_to(uint8_t *base, uint64_t *committed, uint64_t end, uint64_t most)
{
	uint64_t to = zsi_min(zsi_round_up(end, zsi_max(COMMIT_STEP, zsi_os_page_bytes())), most);

	if (end <= *committed)
		return 0;
	if (zsi_os.commit(base + *committed, to - *committed, ZSI_OS_NO_HUGEPAGE) != 0)
		return -1;
	*committed = to;
	return 0;
}

static uint64_t map_bytes(const struct zsi_words *w, uint64_t top)
{
	return zsi_div_up(top, page_bytes(w)) * sizeof(uint64_t) << words_a_page_shift(w);
}

/* What is charged when [0, top) is used and nothing is absent. */
static uint64_t charged(const struct zsi_words *w, uint64_t top)
{
	return zsi_round_up(top, page_bytes(w)) + zsi_round_up(map_bytes(w, top), page_bytes(w));
}

static int grow_locked(struct zsi_words *w, uint64_t top)
{
	if (top > w->reserved) {
		errno = ENOMEM;
		return -1;
	}
	/* Nothing is charged before the first block. */
	uint64_t more = charged(w, top) - (w->committed == 0 ? 0 : charged(w, w->top));

	if (more > 0 && zsi_charge_metadata(w->account, more) != 0)
		return -1;
	if (commit_to((uint8_t *)w->map, &w->map_committed, map_bytes(w, top), map_bytes(w, w->reserved)) != 0 ||
	    commit_to(w->base, &w->committed, top, w->reserved) != 0) {
		zsi_uncharge_metadata(w->account, more);
		errno = ENOMEM;
		return -1;
	}
	w->top = top;
	return 0;
}

int zsi_words_init(struct zsi_words *w, struct zsi_account *account, uint64_t reserve_bytes)
{
	memset(w, 0, sizeof(*w));
	w->account = account;
	w->page_shift = zsi_log2_floor(zsi_os_page_bytes());
	w->reserved = reserve_bytes;
	w->top = ZSI_CACHE_LINE; /* so that no block has reference 0 */
	w->base = zsi_os.reserve(reserve_bytes, COMMIT_STEP);
	if (w->base == NULL)
		return -1;
	w->map = zsi_os.reserve(map_bytes(w, reserve_bytes), 1);
	if (w->map != NULL)
		return 0;
	zsi_words_fini(w);
	errno = ENOMEM;
	return -1;
}

void zsi_words_fini(struct zsi_words *w)
{
	if (w->map != NULL)
		zsi_os.release(w->map, map_bytes(w, w->reserved));
	if (w->base != NULL)
		zsi_os.release(w->base, w->reserved);
	w->base = NULL;
	w->map = NULL;
}

uint32_t zsi_words_alloc(struct zsi_words *w, size_t bytes)
{
	uint32_t units = units_for(bytes);
	uint32_t ref;

	ZSI_ASSERT(bytes > 0 && bytes <= ZSI_WORDS_MAX_BYTES);
	zsi_lock(&w->lock, ZSI_RANK_META);
	ref = take_locked(w, units);
	if (ref == 0) {
		uint64_t start = w->top;

		if (grow_locked(w, start + units * UNIT) == 0)
			ref = (uint32_t)(start >> ZSI_WORDS_UNIT_SHIFT);
	}
	zsi_unlock(&w->lock, ZSI_RANK_META);
	return ref;
}

/* The first free block from a unit on that is not inside one; 0: none below. */
static uint32_t next_free_locked(const struct zsi_words *w, uint32_t from, uint32_t below)
{
	uint32_t word = from / 64;
	uint64_t skip = ~0ull << (from % 64);

	for (; word * 64 < below; word++, skip = ~0ull) {
		uint64_t bits = is_absent(w, word >> words_a_page_shift(w)) ? 0 : w->map[word] & skip;

		if (bits != 0)
			return word * 64 + (uint32_t)__builtin_ctzll(bits);
	}
	return 0;
}

uint32_t zsi_words_alloc_below(struct zsi_words *w, size_t bytes, uint32_t below)
{
	uint32_t units = units_for(bytes);
	uint32_t found = 0;

	zsi_lock(&w->lock, ZSI_RANK_META);
	below = (uint32_t)zsi_min(below, w->top >> ZSI_WORDS_UNIT_SHIFT);
	uint32_t ref = next_free_locked(w, w->cursor, below);

	if (ref != 0)
		w->cursor = ref;
	for (unsigned looks = 0; ref != 0 && found == 0 && looks < LOOKS; looks++) {
		uint32_t have = block_at(w, ref)->units;

		if (have >= units && ref + units <= below)
			found = ref;
		else
			ref = next_free_locked(w, ref + have, below);
	}
	/* What is too small for anything that may come is left behind. */
	if (found == 0 && w->cursor < below)
		w->cursor = ref != 0 ? ref : below;
	if (found != 0 && !cut_locked(w, found, units))
		found = 0;
	zsi_unlock(&w->lock, ZSI_RANK_META);
	return found;
}

void zsi_words_free(struct zsi_words *w, uint32_t ref, size_t bytes)
{
	uint32_t units = units_for(bytes);

	if (ref == 0)
		return;
	zsi_lock(&w->lock, ZSI_RANK_META);
	uint32_t end = ref + units;

	ZSI_ASSERT((uint64_t)end << ZSI_WORDS_UNIT_SHIFT <= w->top);
	if (edge_get(w, ref - 1)) {
		uint32_t before = ref - *last_word(w, ref);

		remove_locked(w, before);
		ref = before;
	}
	if ((uint64_t)end << ZSI_WORDS_UNIT_SHIFT < w->top && edge_get(w, end)) {
		uint32_t after = block_at(w, end)->units;

		remove_locked(w, end);
		end += after;
	}
	insert_locked(w, ref, end - ref);
	zsi_unlock(&w->lock, ZSI_RANK_META);
}

uint32_t zsi_words_target(struct zsi_words *w)
{
	uint64_t target = 0;

	zsi_lock(&w->lock, ZSI_RANK_META);
	uint64_t used = w->top - w->free_bytes;
	uint64_t spare = w->free_bytes - w->absent_bytes;

	w->cursor = 0;
	if (spare >= zsi_max(WORTH_BYTES, WORTH_PAGES * page_bytes(w)) && spare >= used / 2)
		target = zsi_round_up(used + used / 4 + page_bytes(w), page_bytes(w)) >> ZSI_WORDS_UNIT_SHIFT;
	zsi_unlock(&w->lock, ZSI_RANK_META);
	return (uint32_t)target;
}

/* Ranges that are given back together. */
struct ranges {
	unsigned n;
	struct iovec range[64];
};

static void give_back(struct ranges *r)
{
	if (r->n > 0)
		zsi_os.decommit(r->range, r->n, 0);
	r->n = 0;
}

/* The pages inside one free block, as far as they are there. */
static void trim_block_locked(struct zsi_words *w, uint32_t ref, struct ranges *r)
{
	uint32_t end = ref + block_at(w, ref)->units;
	uint64_t page = page_from(w, ref + 1), last = page_of(w, end - 1);
	uint64_t bytes = 0;

	while (page < last) {
		uint64_t from = page;

		while (page < last && !is_absent(w, page))
			set_absent(w, page++, true);
		if (page > from) {
			r->range[r->n++] = (struct iovec){ .iov_base = w->base + (from << w->page_shift),
							   .iov_len = (page - from) << w->page_shift };
			if (r->n == sizeof(r->range) / sizeof(r->range[0]))
				give_back(r);
		}
		bytes += (page - from) << w->page_shift;
		while (page < last && is_absent(w, page))
			page++;
	}
	w->absent_bytes += bytes;
}

void zsi_words_trim(struct zsi_words *w)
{
	struct ranges r = { .n = 0 };
	uint64_t before;

	zsi_lock(&w->lock, ZSI_RANK_META);
	before = w->absent_bytes;
	for (unsigned list = LINEAR_UNITS; list < ZSI_WORDS_LISTS; list++)
		for (uint32_t ref = w->lists[list]; ref != 0; ref = block_at(w, ref)->next)
			trim_block_locked(w, ref, &r);
	give_back(&r);
	zsi_uncharge_metadata(w->account, w->absent_bytes - before);
	zsi_unlock(&w->lock, ZSI_RANK_META);
}

/* A free block: inside, its length at both ends and at both edges of the map. */
static bool block_valid(const struct zsi_words *w, uint32_t ref, uint32_t prev, unsigned list)
{
	uint64_t top = w->top >> ZSI_WORDS_UNIT_SHIFT;

	if (ref >= top || !edge_get(w, ref))
		return false;
	const struct free_block *b = block_at(w, ref);

	return b->units > 0 && ref + (uint64_t)b->units <= top && b->prev == prev && list_of(b->units) == list &&
	       *last_word(w, ref + b->units) == b->units && edge_get(w, ref + b->units - 1);
}

bool zsi_words_validate(struct zsi_words *w)
{
	uint64_t free_units = 0, edges = 0, set = 0, absent = 0;
	bool ok = true;

	zsi_lock(&w->lock, ZSI_RANK_META);
	for (unsigned list = 0; ok && list < ZSI_WORDS_LISTS; list++) {
		uint32_t prev = 0;

		ok = zsi_bit_get(w->nonempty, list) == (w->lists[list] != 0);
		for (uint32_t ref = w->lists[list]; ok && ref != 0; ref = block_at(w, ref)->next) {
			ok = block_valid(w, ref, prev, list);
			if (!ok)
				break;
			free_units += block_at(w, ref)->units;
			edges += block_at(w, ref)->units > 1 ? 2 : 1;
			ok = free_units << ZSI_WORDS_UNIT_SHIFT <= w->top;
			prev = ref;
		}
	}
	for (uint64_t page = 0; ok && w->committed > 0 && page < zsi_div_up(w->top, page_bytes(w)); page++) {
		if (is_absent(w, page)) {
			absent += page_bytes(w);
			continue;
		}
		for (unsigned i = 0; i < 1u << words_a_page_shift(w); i++)
			set += (uint64_t)__builtin_popcountll(w->map[(page << words_a_page_shift(w)) + i]);
	}
	ok = ok && free_units << ZSI_WORDS_UNIT_SHIFT == w->free_bytes && edges == set && absent == w->absent_bytes;
	zsi_unlock(&w->lock, ZSI_RANK_META);
	return ok;
}
