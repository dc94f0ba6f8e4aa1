/* SPDX-License-Identifier: BSD-3-Clause */
/* meta.c - the bookkeeping memory of meta.h. */
#include "pages/meta.h"

#include <errno.h>
#include <string.h>

#include "base/account.h"
#include "base/assert.h"
#include "base/bits.h"
#include "base/lock.h"
#include "base/os.h"

/*
 * Committing has the price of a system call, charging has none: commit in steps of this, charge by the system's page.
 */
#define COMMIT_STEP ((uint64_t)64 << 10)

#define UNIT ((size_t)1 << ZSI_META_UNIT_SHIFT)
#define LINEAR_SHIFT 6
#define LINEAR_UNITS (1u << LINEAR_SHIFT) /* sizes up to here have a list each */

/* Joining looks at every free block, so it is worth it when this much was freed, or a quarter more than last time. */
#define JOIN_FLOOR ((uint64_t)4096)

struct free_block {
	uint32_t next;  /* reference */
	uint32_t units; /* length */
};

static struct free_block *block_at(const struct zsi_meta *m, uint32_t ref)
{
	return zsi_meta_ptr(m, ref);
}

/*
 * What a request takes: whole units, and beyond the lists of one length the least length of a list, so that a block
 * that was freed serves the next request of its size.
 */
static uint32_t units_for(size_t bytes)
{
	uint64_t units = zsi_div_up(bytes, UNIT);

	if (units > LINEAR_UNITS)
		units = zsi_round_up(units, 1ull << (zsi_log2_floor(units - 1) - 2));
	return (uint32_t)units;
}

/* The list that a free block of so many units is in. */
static unsigned list_of(uint32_t units)
{
	if (units <= LINEAR_UNITS)
		return units;
	return LINEAR_UNITS + zsi_quarter_step(units, LINEAR_SHIFT);
}

/* The first list in which every block has at least so many units. */
static unsigned list_for(uint32_t units)
{
	if (units <= LINEAR_UNITS)
		return units;
	return list_of(units - 1) + 1;
}

int zsi_meta_init(struct zsi_meta *m, struct zsi_account *account, uint64_t reserve_bytes)
{
	memset(m, 0, sizeof(*m));
	m->base = zsi_os.reserve(reserve_bytes, COMMIT_STEP);
	if (m->base == NULL)
		return -1;
	m->reserved = reserve_bytes;
	m->account = account;
	m->top = ZSI_CACHE_LINE; /* so that no block has reference 0 */
	m->join_at = JOIN_FLOOR;
	return 0;
}

void zsi_meta_fini(struct zsi_meta *m)
{
	if (m->base != NULL)
		zsi_os.release(m->base, m->reserved);
	m->base = NULL;
}

/* Make [0, top) accessible and charged. */
static int grow_locked(struct zsi_meta *m, uint64_t top)
{
	if (top > m->reserved) {
		errno = ENOMEM;
		return -1;
	}
	uint64_t page = zsi_os_page_bytes();
	uint64_t charged = m->committed == 0 ? 0 : zsi_round_up(m->top, page);
	uint64_t more = zsi_round_up(top, page) - charged;

	if (more > 0 && zsi_charge_metadata(m->account, more) != 0)
		return -1;
	if (top > m->committed) {
		uint64_t end = zsi_min(zsi_round_up(top, zsi_max(COMMIT_STEP, page)), m->reserved);

		if (zsi_os.commit(m->base + m->committed, end - m->committed, ZSI_OS_NO_HUGEPAGE) != 0) {
			zsi_uncharge_metadata(m->account, more);
			errno = ENOMEM;
			return -1;
		}
		m->committed = end;
	}
	m->top = top;
	return 0;
}

static void put_locked(struct zsi_meta *m, uint32_t ref, uint32_t units)
{
	unsigned list = list_of(units);

	ZSI_ASSERT(list < ZSI_META_LISTS);
	*block_at(m, ref) = (struct free_block){ .next = m->lists[list], .units = units };
	m->lists[list] = ref;
	zsi_bit_set(m->nonempty, list);
	m->free_bytes += (uint64_t)units << ZSI_META_UNIT_SHIFT;
}

static uint64_t join_threshold(const struct zsi_meta *m)
{
	return m->free_bytes + zsi_max(m->free_bytes / 4, JOIN_FLOOR);
}

/* The first block of a list that has one. */
static uint32_t pop_locked(struct zsi_meta *m, unsigned list)
{
	uint32_t ref = m->lists[list];

	m->lists[list] = block_at(m, ref)->next;
	if (m->lists[list] == 0)
		zsi_bit_clear(m->nonempty, list);
	m->free_bytes -= (uint64_t)block_at(m, ref)->units << ZSI_META_UNIT_SHIFT;
	m->join_at = zsi_min(m->join_at, join_threshold(m));
	return ref;
}

/* A block of that many units out of the lists; 0: none is large enough. */
static uint32_t take_locked(struct zsi_meta *m, uint32_t units)
{
	unsigned list = list_for(units);

	for (unsigned word = list / 64; word < ZSI_META_LISTS / 64; word++) {
		uint64_t bits = m->nonempty[word];

		if (word == list / 64)
			bits &= ~(uint64_t)0 << (list % 64);
		if (bits == 0)
			continue;
		uint32_t ref = pop_locked(m, word * 64 + (unsigned)__builtin_ctzll(bits));
		uint32_t have = block_at(m, ref)->units;

		if (have > units)
			put_locked(m, ref + units, have - units);
		return ref;
	}
	return 0;
}

/* Merge two lists that are sorted by address. */
static uint32_t merge(struct zsi_meta *m, uint32_t a, uint32_t b)
{
	uint32_t head = 0, *tail = &head;

	while (a != 0 && b != 0) {
		uint32_t *smaller = a < b ? &a : &b;

		*tail = *smaller;
		tail = &block_at(m, *smaller)->next;
		*smaller = *tail;
	}
	*tail = a != 0 ? a : b;
	return head;
}

/* All free blocks in one list, sorted by address: a merge sort whose runs of 2^i blocks wait at runs[i]. */
static uint32_t sort_locked(struct zsi_meta *m)
{
	uint32_t runs[32] = { 0 };
	uint32_t sorted = 0;

	for (unsigned list = 0; list < ZSI_META_LISTS; list++) {
		while (m->lists[list] != 0) {
			uint32_t run = pop_locked(m, list);
			unsigned i = 0;

			block_at(m, run)->next = 0;
			for (; runs[i] != 0; i++) {
				run = merge(m, runs[i], run);
				runs[i] = 0;
			}
			runs[i] = run;
		}
	}
	for (unsigned i = 0; i < 32; i++)
		sorted = merge(m, sorted, runs[i]);
	return sorted;
}

/* Make one block of neighbours that are free. */
static void join_locked(struct zsi_meta *m)
{
	uint32_t ref = sort_locked(m);

	while (ref != 0) {
		uint32_t units = block_at(m, ref)->units;
		uint32_t next = block_at(m, ref)->next;

		while (next != 0 && next == ref + units) {
			units += block_at(m, next)->units;
			next = block_at(m, next)->next;
		}
		/* In pieces of the largest size that is ever asked for. */
		for (uint32_t most = ZSI_META_MAX_BYTES >> ZSI_META_UNIT_SHIFT; units > most;
		     units -= most, ref += most)
			put_locked(m, ref, most);
		put_locked(m, ref, units);
		ref = next;
	}
	m->join_at = join_threshold(m);
}

uint32_t zsi_meta_alloc(struct zsi_meta *m, size_t bytes)
{
	uint32_t units = units_for(bytes);
	uint32_t ref;

	ZSI_ASSERT(bytes > 0 && bytes <= ZSI_META_MAX_BYTES);
	zsi_lock(&m->lock, ZSI_RANK_META);
	ref = take_locked(m, units);
	if (ref == 0 && m->free_bytes >= m->join_at) {
		join_locked(m);
		ref = take_locked(m, units);
	}
	if (ref == 0) {
		uint64_t start = m->top;

		if (grow_locked(m, start + units * UNIT) == 0) {
			ref = (uint32_t)(start >> ZSI_META_UNIT_SHIFT);
		} else if (m->free_bytes >= units * UNIT) {
			/* At the limit, before giving up. */
			join_locked(m);
			ref = take_locked(m, units);
		}
	}
	zsi_unlock(&m->lock, ZSI_RANK_META);
	return ref;
}

void zsi_meta_free(struct zsi_meta *m, uint32_t ref, size_t bytes)
{
	if (ref == 0)
		return;
	zsi_lock(&m->lock, ZSI_RANK_META);
	put_locked(m, ref, units_for(bytes));
	zsi_unlock(&m->lock, ZSI_RANK_META);
}
