/* SPDX-License-Identifier: BSD-3-Clause */
/* space.c - aligned runs of ones are looked for in a segment's bits; lists of segments are kept by the longest. */
#include "space.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

enum { WORDS = SPACE_SEGMENT / 64, WORD_ORDER = 6 };

int space_init(struct space *s, uint64_t blocks)
{
	memset(s, 0, sizeof(*s));
	s->count = (uint32_t)(blocks / SPACE_SEGMENT);
	s->unused = 1;
	void *p = mmap(NULL, s->count * sizeof(*s->segments), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		errno = ENOMEM;
		return -1;
	}
	s->segments = p;
	return 0;
}

void space_destroy(struct space *s)
{
	if (s->segments != NULL)
		munmap(s->segments, s->count * sizeof(*s->segments));
	s->segments = NULL;
}

/* The shard of this thread. */
static struct space_shard *own_shard(struct space *s)
{
	static _Atomic unsigned threads;
	static _Thread_local unsigned mine;
	if (mine == 0)
		mine = atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % SPACE_SHARDS + 1;
	return &s->shards[mine - 1];
}

/* --- one segment --- */

/* The bits at which an aligned run of 2^order ones begins. */
static uint64_t runs_in_word(uint64_t word, unsigned order)
{
	static const uint64_t aligned[WORD_ORDER + 1] = {
		~0ull, 0x5555555555555555, 0x1111111111111111, 0x0101010101010101, 0x0001000100010001, 0x100000001, 1,
	};
	for (unsigned i = 0; i < order; i++)
		word &= word >> (1u << i);
	return word & aligned[order];
}

/* Where a free chunk begins in the segment, or -1. */
static int find_run(const struct space_segment *seg, unsigned order)
{
	if (order <= WORD_ORDER) {
		for (unsigned w = 0; w < WORDS; w++) {
			uint64_t runs = runs_in_word(seg->free[w], order);
			if (runs != 0)
				return (int)(w * 64 + (unsigned)__builtin_ctzll(runs));
		}
		return -1;
	}
	unsigned words = 1u << (order - WORD_ORDER);
	for (unsigned w = 0; w < WORDS; w += words) {
		uint64_t all = ~0ull;
		for (unsigned i = 0; i < words; i++)
			all &= seg->free[w + i];
		if (all == ~0ull)
			return (int)(w * 64);
	}
	return -1;
}

/* The bits of a chunk within the w-th word. */
static uint64_t chunk_bits(unsigned at, unsigned order, unsigned w)
{
	if (order > WORD_ORDER)
		return w >= at / 64 && w < at / 64 + (1u << (order - WORD_ORDER)) ? ~0ull : 0;
	uint64_t ones = order == WORD_ORDER ? ~0ull : (1ull << (1u << order)) - 1;
	return w == at / 64 ? ones << (at % 64) : 0;
}

static bool all_free(const struct space_segment *seg)
{
	return find_run(seg, SPACE_ORDERS - 1) == 0;
}

/* --- a shard's lists --- */

static void unlink_locked(struct space *s, struct space_shard *shard, uint32_t n)
{
	struct space_segment *seg = &s->segments[n];
	if (seg->order == 0)
		return;
	if (seg->prev != 0)
		s->segments[seg->prev].next = seg->next;
	else
		shard->list[seg->order] = seg->next;
	if (seg->next != 0)
		s->segments[seg->next].prev = seg->prev;
	seg->order = 0;
	seg->next = seg->prev = 0;
}

/* Put the segment into the list that it belongs in now. */
static void relink_locked(struct space *s, struct space_shard *shard, uint32_t n)
{
	struct space_segment *seg = &s->segments[n];
	unsigned order = SPACE_ORDERS;
	while (order > 0 && find_run(seg, order - 1) < 0)
		order--;
	if (order == seg->order)
		return;
	unlink_locked(s, shard, n);
	seg->order = (uint8_t)order;
	if (order == 0)
		return;
	seg->next = shard->list[order];
	if (seg->next != 0)
		s->segments[seg->next].prev = n;
	shard->list[order] = n;
}

/* --- segments that are all free --- */

static void adopt_locked(struct space *s, struct space_shard *shard, uint32_t n)
{
	struct space_segment *seg = &s->segments[n];
	memset(seg->free, 0xff, sizeof(seg->free));
	seg->next = seg->prev = 0;
	seg->order = 0;
	seg->shard = (uint8_t)(shard - s->shards);
	seg->taken = true;
	relink_locked(s, shard, n);
}

/* False: there is none. */
static bool new_segment_locked(struct space *s, struct space_shard *shard)
{
	lock_exclusive(&s->lock);
	uint32_t n = s->spare;
	if (n != 0)
		s->spare = s->segments[n].next;
	else if (s->unused < s->count)
		n = s->unused++;
	unlock_exclusive(&s->lock);
	if (n != 0)
		adopt_locked(s, shard, n);
	return n != 0;
}

static void drop_segment_locked(struct space *s, struct space_shard *shard, uint32_t n)
{
	unlink_locked(s, shard, n);
	s->segments[n].taken = false;
	lock_exclusive(&s->lock);
	s->segments[n].next = s->spare;
	s->spare = n;
	unlock_exclusive(&s->lock);
}

/* --- chunks --- */

static uint32_t take_locked(struct space *s, struct space_shard *shard, unsigned order)
{
	for (unsigned list = order + 1; list <= SPACE_ORDERS; list++) {
		uint32_t n = shard->list[list];
		if (n == 0)
			continue;
		struct space_segment *seg = &s->segments[n];
		unsigned at = (unsigned)find_run(seg, order);
		for (unsigned w = 0; w < WORDS; w++)
			seg->free[w] &= ~chunk_bits(at, order, w);
		relink_locked(s, shard, n);
		return n * SPACE_SEGMENT + at;
	}
	return 0;
}

static uint32_t take_from(struct space *s, struct space_shard *shard, unsigned order, bool fresh)
{
	lock_exclusive(&shard->lock);
	uint32_t at = take_locked(s, shard, order);
	if (at == 0 && fresh && new_segment_locked(s, shard))
		at = take_locked(s, shard, order);
	unlock_exclusive(&shard->lock);
	return at;
}

uint32_t space_take(struct space *s, unsigned order)
{
	uint32_t at = take_from(s, own_shard(s), order, true);
	for (unsigned i = 0; i < SPACE_SHARDS && at == 0; i++)
		at = take_from(s, &s->shards[i], order, false);
	if (at == 0)
		errno = ENOSPC;
	return at;
}

void space_give(struct space *s, uint32_t at, unsigned order)
{
	uint32_t n = at / SPACE_SEGMENT;
	struct space_segment *seg = &s->segments[n];
	struct space_shard *shard = &s->shards[seg->shard];
	lock_exclusive(&shard->lock);
	for (unsigned w = 0; w < WORDS; w++)
		seg->free[w] |= chunk_bits(at % SPACE_SEGMENT, order, w);
	if (all_free(seg))
		drop_segment_locked(s, shard, n);
	else
		relink_locked(s, shard, n);
	unlock_exclusive(&shard->lock);
}

/* Segments up to n are known: those that were passed over are spare. */
static void pass_over(struct space *s, uint32_t n)
{
	for (; s->unused < n; s->unused++) {
		s->segments[s->unused].next = s->spare;
		s->spare = s->unused;
	}
	if (s->unused == n)
		s->unused++;
}

/* Take a segment out of the list of spare ones. */
static void unspare(struct space *s, uint32_t n)
{
	for (uint32_t *at = &s->spare; *at != 0; at = &s->segments[*at].next) {
		if (*at == n) {
			*at = s->segments[n].next;
			return;
		}
	}
}

bool space_claim(struct space *s, uint32_t at, unsigned order)
{
	uint32_t n = at / SPACE_SEGMENT;
	if (n == 0 || n >= s->count || order >= SPACE_ORDERS || at % (1u << order) != 0)
		return false;
	struct space_segment *seg = &s->segments[n];
	struct space_shard *shard = &s->shards[n % SPACE_SHARDS];
	if (!seg->taken) {
		bool known = n < s->unused;
		if (known)
			unspare(s, n);
		else
			pass_over(s, n);
		adopt_locked(s, shard, n);
	}
	for (unsigned w = 0; w < WORDS; w++) {
		uint64_t bits = chunk_bits(at % SPACE_SEGMENT, order, w);
		if ((seg->free[w] & bits) != bits)
			return false;
	}
	for (unsigned w = 0; w < WORDS; w++)
		seg->free[w] &= ~chunk_bits(at % SPACE_SEGMENT, order, w);
	relink_locked(s, shard, n);
	return true;
}

/* The first block from this one on that is in a chunk or not, as is asked for; end: there is none. */
static uint64_t next_block(const struct space *s, uint64_t at, uint64_t end, bool is_free)
{
	while (at < end) {
		uint64_t n = at / SPACE_SEGMENT;
		if (n >= s->unused)
			return is_free ? at : end;
		const struct space_segment *seg = &s->segments[n];
		uint64_t free = seg->taken ? seg->free[at % SPACE_SEGMENT / 64] : ~0ull;
		uint64_t wanted = (is_free ? free : ~free) >> (at % 64);
		if (wanted != 0)
			return at + (unsigned)__builtin_ctzll(wanted);
		at = (at | 63) + 1;
	}
	return end;
}

void space_each_free(const struct space *s, space_run_fn fn, void *arg)
{
	uint64_t end = (uint64_t)s->count * SPACE_SEGMENT;
	for (uint64_t at = 0; (at = next_block(s, at, end, true)) < end;) {
		uint64_t stop = next_block(s, at, end, false);
		fn(at, stop - at, arg);
		at = stop;
	}
}
