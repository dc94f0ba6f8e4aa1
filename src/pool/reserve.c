/* SPDX-License-Identifier: BSD-3-Clause */
/* reserve.c - the arithmetic of reserve.h, and what is right for this machine and this process. */
#include "pool/reserve.h"

#include <sys/resource.h>

#include "base/bits.h"
#include "base/os.h"
#include "pages/layout.h"
#include "pool/handle.h"

/*
 * Address space to reserve for all of a pool, as a multiple of the machine's memory: chunks are dedicated to one run
 * length, so a pool that was once full of each of many lengths has more of it in use than it has memory.
 * Docs/internals.md has what was measured. Address space costs nothing but in an emulator, which notes something about
 * each page of it.
 */
#define RESERVE_PER_RAM 4u
#define MIN_RESERVE_BYTES ((uint64_t)16 << 30)

/* The program's own malloc needs address space, too: of a limit on it a pool takes this share. */
#define RESERVE_OF_RLIMIT 8u

/*
 * So many pools get all of it. From there on each doubling of their number halves it, so that all the pools of a
 * doubling reserve no more than the first ones, and all 16383 fit into what a process can address.
 */
#define FULL_SIZED_POOLS 64u

/* A pool with a limit needs no more than this many times it. */
#define SPACE_PER_LIMIT 64u

/* Chunks that every pool is given room for, and those without which it is not made: one for each length of run. */
#define ENOUGH_CHUNKS 1024u
#define FEWEST_CHUNKS 128u

/* A space is a multiple of so many chunks, for the steps in which tables are made accessible. */
#define STEP_CHUNKS 64u

/* Ends of mappings that are whole pages of the system's, the pool itself, a cache or two: more than enough. */
#define ROUNDING_BYTES ((uint64_t)2 << 20)

static uint64_t chunk_bytes(const struct zsi_reserve *r)
{
	return ZSI_CHUNK_PAGES * r->page_size;
}

uint64_t zsi_reserve_bytes(const struct zsi_reserve *r, uint64_t space_bytes)
{
	uint64_t pages = space_bytes / r->page_size;
	uint64_t meta = space_bytes / ZSI_SPACE_PER_META;
	uint64_t handles = space_bytes / ZSI_SPACE_PER_HANDLE;
	uint64_t bytes = r->source ? pages * sizeof(void *) : space_bytes + ZSI_CHUNKS_AT_ONCE * chunk_bytes(r);

	/*
	 * Descriptors; words, with two bits for each sixteen bytes, which is more than their map has; entries and
	 * sizes.
	 */
	bytes += 2 * meta + meta / 64;
	bytes += handles * (sizeof(uint64_t) + sizeof(uint16_t));
	bytes += pages / ZSI_CHUNK_PAGES * sizeof(struct zsi_chunk);
	return bytes + ROUNDING_BYTES + 16 * zsi_os_page_bytes();
}

uint64_t zsi_reserve_least_space(const struct zsi_reserve *r)
{
	return FEWEST_CHUNKS * chunk_bytes(r);
}

uint64_t zsi_reserve_space_in(const struct zsi_reserve *r, uint64_t bytes)
{
	uint64_t step = STEP_CHUNKS * chunk_bytes(r);
	uint64_t most = ZSI_MAX_SPACE_BYTES / step, least = zsi_reserve_least_space(r) / step;

	if (zsi_reserve_bytes(r, least * step) > bytes)
		return 0;
	/* The most steps that fit. */
	while (least < most) {
		uint64_t middle = least + (most - least + 1) / 2;

		if (zsi_reserve_bytes(r, middle * step) <= bytes)
			least = middle;
		else
			most = middle - 1;
	}
	return least * step;
}

uint64_t zsi_reserve_default_space(const struct zsi_reserve *r, uint32_t others)
{
	uint64_t bytes = zsi_max((uint64_t)zsi_os_ram_bytes() * RESERVE_PER_RAM, MIN_RESERVE_BYTES);
	uint64_t enough = ENOUGH_CHUNKS * chunk_bytes(r);
	uint64_t space;
	struct rlimit limit;

	if (others >= FULL_SIZED_POOLS)
		bytes >>= zsi_log2_floor(others / FULL_SIZED_POOLS) + 1;
	/* Of a caller's pages there may be as many as of the arena's. */
	space = zsi_reserve_space_in(&(struct zsi_reserve){ .page_size = r->page_size }, bytes);
	space = zsi_max(space, enough);
	if (r->limit_bytes != 0 && r->limit_bytes < space / SPACE_PER_LIMIT)
		space = zsi_max(zsi_pow2_ceil(r->limit_bytes * SPACE_PER_LIMIT), enough);
	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		space = zsi_min(space, zsi_reserve_space_in(r, limit.rlim_cur / RESERVE_OF_RLIMIT));
	return zsi_max(space, zsi_reserve_least_space(r));
}
