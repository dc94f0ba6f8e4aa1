/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.c - chunks of the table are made accessible when a block of them is first used, and given back when none is.
 */
#include "device/table.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/os.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/memory.h"

/* Each granule that is made accessible may be a mapping of its own, of which a process has 65530 by default. */
#define MAX_GRANULES 1024u
#define MIN_GRANULE_BYTES ((uint64_t)1 << 16)

#define SUMS_PER_PAGE_SHIFT 2 /* a page of blocks goes with a quarter of a page of sums */

static size_t system_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static uint64_t bitmap_bytes(uint64_t bits)
{
	return zsi_div_up(bits, 64) * sizeof(uint64_t);
}

/* Address space that is accessible as a whole, and costs memory where it is touched. NULL with ENOMEM. */
static void *map_lazily(size_t bytes)
{
	void *p = zsi_os.reserve(bytes, system_page());

	if (p == NULL)
		return NULL;
	if (zsi_os.commit(p, bytes, ZSI_OS_NO_HUGEPAGE) != 0) {
		zsi_os.release(p, bytes);
		errno = ENOMEM;
		return NULL;
	}
	return p;
}

static void release(struct zsi_table *t)
{
	if (t->blocks != NULL)
		zsi_os.release(t->blocks, t->blocks_bytes);
	if (t->chunks != NULL)
		zsi_os.release(t->chunks, t->chunks_bytes);
	if (t->sums != NULL)
		zsi_os.release(t->sums, t->sums_bytes);
	free(t->accessible);
	free(t->touched);
	t->blocks = NULL;
	t->chunks = NULL;
	t->sums = NULL;
	t->accessible = NULL;
	t->touched = NULL;
}

int zsi_table_init(struct zram *z, uint64_t nr_blocks, bool sums)
{
	struct zsi_table *t = &z->table;
	size_t page = system_page();
	uint64_t per_page = page / sizeof(struct zsi_block);

	/* The lock and the count may be looked at by who is not inside. */
	atomic_store_explicit(&t->nr_pending, 0, memory_order_relaxed);
	if (nr_blocks > SIZE_MAX / 2 / sizeof(struct zsi_block)) {
		errno = ENOMEM;
		return -1;
	}
	t->nr_blocks = nr_blocks;
	t->chunk_shift = zsi_log2_floor(per_page) + (sums ? SUMS_PER_PAGE_SHIFT : 0);
	t->directory_shift = zsi_log2_floor(page / sizeof(uint32_t));
	t->nr_chunks = zsi_div_up(nr_blocks, 1ull << t->chunk_shift);
	t->chunk_bytes = ((size_t)1 << t->chunk_shift) * (sizeof(struct zsi_block) + (sums ? sizeof(uint32_t) : 0));
	t->granule = zsi_max(zsi_pow2_ceil(zsi_div_up(nr_blocks * sizeof(struct zsi_block), MAX_GRANULES)),
			     zsi_max(MIN_GRANULE_BYTES, (uint64_t)page << SUMS_PER_PAGE_SHIFT));
	t->blocks_bytes = zsi_round_up(nr_blocks * sizeof(struct zsi_block), t->granule);
	t->chunks_bytes = zsi_round_up(t->nr_chunks * sizeof(uint32_t), page);
	t->sums_bytes = sums ? zsi_round_up(t->nr_chunks << t->chunk_shift, page) * sizeof(uint32_t) : 0;

	t->accessible = calloc(1, bitmap_bytes(t->blocks_bytes / t->granule));
	t->touched = calloc(1, bitmap_bytes(t->chunks_bytes / page));
	t->blocks = zsi_os.reserve(t->blocks_bytes, page);
	t->chunks = map_lazily(t->chunks_bytes);
	t->sums = sums ? map_lazily(t->sums_bytes) : NULL;
	if (t->accessible != NULL && t->touched != NULL && t->blocks != NULL && t->chunks != NULL &&
	    (t->sums != NULL || !sums))
		return 0;
	release(t);
	errno = ENOMEM;
	return -1;
}

/* The first page of chunks[] from this one on that was written; behind the last one: none. */
static uint64_t touched_page(const struct zsi_table *t, uint64_t page, uint64_t pages)
{
	uint64_t skip = ~0ull << (page % 64);

	for (uint64_t word = page / 64; word * 64 < pages; word++, skip = ~0ull) {
		/* acquire: pairs with the release in make_chunk_locked() */
		uint64_t bits = atomic_load_explicit(&t->touched[word], memory_order_acquire) & skip;

		if (bits != 0)
			return word * 64 + (unsigned)__builtin_ctzll(bits);
	}
	return pages;
}

/* The first chunk from this one on that is there, or nr_chunks. */
static uint64_t present_chunk(const struct zsi_table *t, uint64_t chunk)
{
	const uint64_t pages = zsi_div_up(t->nr_chunks, 1ull << t->directory_shift);

	while (chunk < t->nr_chunks) {
		uint64_t page = chunk >> t->directory_shift, touched = touched_page(t, page, pages);

		if (touched != page)
			chunk = touched << t->directory_shift;
		else if (zsi_table_has(t, chunk << t->chunk_shift))
			return chunk;
		else
			chunk++;
	}
	return t->nr_chunks;
}

uint64_t zsi_table_hole_end(const struct zsi_table *t, uint64_t index)
{
	return zsi_min(present_chunk(t, (index >> t->chunk_shift) + 1) << t->chunk_shift, t->nr_blocks);
}

void zsi_table_fini(struct zram *z)
{
	struct zsi_table *t = &z->table;
	uint64_t bytes = 0, page = UINT64_MAX;

	if (t->blocks == NULL)
		return;
	for (uint64_t c = present_chunk(t, 0); c < t->nr_chunks; c = present_chunk(t, c + 1))
		bytes += t->chunk_bytes;
	const uint64_t pages = zsi_div_up(t->nr_chunks, 1ull << t->directory_shift);

	while ((page = touched_page(t, page + 1, pages)) < pages)
		bytes += system_page();
	zsi_memory_uncharge(z, bytes);
	release(t);
}

/* The part of blocks[] that a chunk is in; chunks never straddle granules. */
static int make_accessible_locked(struct zsi_table *t, uint64_t chunk)
{
	uint64_t at = (chunk << t->chunk_shift) * sizeof(struct zsi_block) / t->granule;

	if (zsi_bit_get(t->accessible, at))
		return 0;
	if (zsi_os.commit((uint8_t *)t->blocks + at * t->granule, t->granule, ZSI_OS_NO_HUGEPAGE) != 0) {
		errno = ENOMEM;
		return -1;
	}
	zsi_bit_set(t->accessible, at);
	return 0;
}

uint64_t zsi_table_first_bytes(const struct zsi_table *t)
{
	return t->chunk_bytes + system_page();
}

/* What a chunk takes that is not there: itself, and the page of chunks[] that it is in. */
static uint64_t bytes_for(const struct zsi_table *t, uint64_t chunk)
{
	return t->chunk_bytes + (zsi_table_touched(t, chunk) ? 0 : system_page());
}

static int make_chunk_locked(struct zsi_table *t, uint64_t chunk)
{
	uint64_t page = chunk >> t->directory_shift;

	if (make_accessible_locked(t, chunk) != 0)
		return -1;
	/* release: pairs with zsi_table_has(); the count is 0 while the chunk isn't there */
	atomic_store_explicit(&t->chunks[chunk], ZSI_CHUNK_PRESENT, memory_order_release);
	atomic_fetch_or_explicit(&t->touched[page / 64], 1ull << (page % 64), memory_order_release);
	return 0;
}

static int make_chunk(struct zram *z, uint64_t index)
{
	struct zsi_table *t = &z->table;
	uint64_t chunk = index >> t->chunk_shift;
	/* Charged without the lock, since room may have to be made: what others made meanwhile is given back. */
	uint64_t charged = bytes_for(t, chunk), needed = 0;
	int result = 0;

	if (zsi_memory_charge_reserve(z, charged) != 0)
		return -1;
	zsi_lock(&t->lock, ZSI_RANK_TABLE);
	if (!zsi_table_has(t, index)) {
		uint64_t bytes = bytes_for(t, chunk);

		result = make_chunk_locked(t, chunk);
		if (result == 0)
			needed = bytes;
	}
	zsi_unlock(&t->lock, ZSI_RANK_TABLE);
	if (needed < charged)
		zsi_memory_uncharge(z, charged - needed);
	return result;
}

int zsi_table_make(struct zram *z, uint64_t index)
{
	if (zsi_likely(zsi_table_has(&z->table, index)) || zsi_likely(make_chunk(z, index) == 0))
		return 0;
	return zsi_fail(ENOMEM, "%s: no memory for the block table", z->name);
}

void zsi_table_used(struct zram *z, uint64_t index)
{
	atomic_fetch_add_explicit(&z->table.chunks[index >> z->table.chunk_shift], 1, memory_order_relaxed);
}

static void add_pending(struct zsi_table *t, uint64_t chunk)
{
	zsi_lock(&t->lock, ZSI_RANK_TABLE);
	unsigned n = atomic_load_explicit(&t->nr_pending, memory_order_relaxed);

	if (n < ZSI_CHUNKS_PENDING)
		t->pending[n] = chunk;
	if (n <= ZSI_CHUNKS_PENDING)
		atomic_store_explicit(&t->nr_pending, n + 1, memory_order_relaxed);
	zsi_unlock(&t->lock, ZSI_RANK_TABLE);
}

void zsi_table_unused(struct zram *z, uint64_t index)
{
	struct zsi_table *t = &z->table;
	uint64_t chunk = index >> t->chunk_shift;

	if (atomic_fetch_sub_explicit(&t->chunks[chunk], 1, memory_order_relaxed) == (ZSI_CHUNK_PRESENT | 1))
		add_pending(t, chunk);
}

void zsi_table_check_empty(struct zram *z, uint64_t index)
{
	struct zsi_table *t = &z->table;
	uint64_t chunk = index >> t->chunk_shift;

	if (atomic_load_explicit(&t->chunks[chunk], memory_order_relaxed) == ZSI_CHUNK_PRESENT)
		add_pending(t, chunk);
}

static void trim_chunk_frozen(struct zram *z, uint64_t chunk)
{
	struct zsi_table *t = &z->table;
	uint64_t first = chunk << t->chunk_shift;

	if (atomic_load_explicit(&t->chunks[chunk], memory_order_relaxed) != ZSI_CHUNK_PRESENT)
		return;
	atomic_store_explicit(&t->chunks[chunk], 0, memory_order_relaxed);
	struct iovec ranges[2] = {
		{ .iov_base = &t->blocks[first], .iov_len = sizeof(struct zsi_block) << t->chunk_shift },
		{ .iov_base = t->sums != NULL ? &t->sums[first] : NULL, .iov_len = sizeof(uint32_t) << t->chunk_shift },
	};

	zsi_os.decommit(ranges, t->sums != NULL ? 2 : 1, ZSI_OS_NO_HUGEPAGE);
	zsi_memory_uncharge(z, t->chunk_bytes);
}

void zsi_table_trim_frozen(struct zram *z)
{
	struct zsi_table *t = &z->table;

	zsi_lock(&t->lock, ZSI_RANK_TABLE);
	unsigned n = atomic_load_explicit(&t->nr_pending, memory_order_relaxed);

	if (n <= ZSI_CHUNKS_PENDING) {
		for (unsigned i = 0; i < n; i++)
			trim_chunk_frozen(z, t->pending[i]);
	} else {
		for (uint64_t c = present_chunk(t, 0); c < t->nr_chunks; c = present_chunk(t, c + 1))
			trim_chunk_frozen(z, c);
	}
	atomic_store_explicit(&t->nr_pending, 0, memory_order_relaxed);
	zsi_unlock(&t->lock, ZSI_RANK_TABLE);
}
