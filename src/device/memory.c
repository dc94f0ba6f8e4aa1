/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.c - the limit on everything a device holds.
 *
 * The pool holds itself to a limit of its own, without asking anybody. So the device gives it what is left of mem_limit
 * after what the device holds beside it: pool limit = mem_limit - own. To take more for itself the device lowers the
 * pool's limit first, and then looks whether the pool is below it.
 *
 * The last bytes below the limit are the reserve. Blocks that hold something may be changed with it, and the table may
 * grow into it; new blocks, contexts and dictionaries may not. Where a new block finds a free slot while less than the
 * reserve is left, it is refused all the same: else changes would use up the reserve and new blocks what they leave
 * free.
 */
#include "device/memory.h"

#include <errno.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/os.h"
#include "device/device.h"
#include "device/error.h"

/*
 * What is kept below the limit for blocks that are there, and for the table: a share of it, so that a full device
 * stays one that can be changed; of a large block some; and of a small limit not too much.
 */
#define RESERVE_SHIFT 8
#define RESERVE_MIN ((uint64_t)64 << 10)
#define RESERVE_BLOCKS 4u
#define RESERVE_PAGES 16u /* of the system's: an object may need one, and a chunk of the table */
#define RESERVE_MOST_SHIFT 2

/* How often a refused charge is tried again after room was made, as for an object. */
#define ROOM_TRIES 4u

static uint64_t own(const struct zram *z)
{
	return atomic_load_explicit(&z->memory.own, memory_order_relaxed);
}

/* 0: none, or none yet. */
static uint64_t limit_of(const struct zram *z)
{
	return z->memory.unchecked ? 0 : z->memory.limit;
}

static uint64_t pool_limit(const struct zram *z, uint64_t held)
{
	uint64_t mine = z->pool_options.limit_bytes;
	uint64_t left;

	if (limit_of(z) == 0)
		return mine;
	/* 0 would be no limit. */
	left = z->memory.limit > held ? z->memory.limit - held : 1;
	return mine == 0 ? left : zsi_min(mine, left);
}

uint64_t zsi_memory_pool_limit(struct zram *z)
{
	return pool_limit(z, own(z));
}

static uint64_t least_reserve(const struct zram *z)
{
	return zsi_max(zsi_max(RESERVE_MIN, RESERVE_PAGES * zsi_os_page_bytes()), RESERVE_BLOCKS * z->block_size);
}

uint64_t zsi_memory_limit(struct zram *z)
{
	uint64_t limit = atomic_load_explicit(&z->memory.limit, memory_order_relaxed),
		 pools = z->pool_options.limit_bytes;

	return limit == 0 || (pools != 0 && pools < limit) ? pools : limit;
}

uint64_t zsi_memory_reserve(struct zram *z)
{
	uint64_t limit = zsi_memory_limit(z);

	return zsi_min(zsi_max(limit >> RESERVE_SHIFT, least_reserve(z)), limit >> RESERVE_MOST_SHIFT);
}

uint64_t zsi_memory_with_reserve(const struct zram *z, uint64_t bytes)
{
	uint64_t share = bytes + bytes / ((1u << RESERVE_SHIFT) - 1) + 1;
	uint64_t most = bytes + bytes / ((1u << RESERVE_MOST_SHIFT) - 1) + 1;

	return zsi_min(zsi_max(share, bytes + least_reserve(z)), most);
}

uint64_t zsi_memory_note_most(struct zram *z)
{
	uint64_t bytes = own(z) + (z->pool != NULL ? zs_get_total_bytes(z->pool) : 0);
	uint64_t max = atomic_load_explicit(&z->max_bytes, memory_order_relaxed);

	while (bytes > max && !atomic_compare_exchange_weak_explicit(&z->max_bytes, &max, bytes, memory_order_relaxed,
								     memory_order_relaxed))
		;
	return zsi_max(bytes, max);
}

static bool charge_locked(struct zram *z, uint64_t bytes, uint64_t spare)
{
	uint64_t held = own(z) + bytes;

	if (limit_of(z) != 0) {
		if (held > z->memory.limit)
			return false;
		if (z->pool != NULL) {
			(void)zs_set_limit(z->pool, pool_limit(z, held));
			if (spare > z->memory.limit - held ||
			    zs_get_total_bytes(z->pool) > z->memory.limit - held - spare) {
				(void)zs_set_limit(z->pool, pool_limit(z, own(z)));
				return false;
			}
		}
	}
	atomic_store_explicit(&z->memory.own, held, memory_order_relaxed);
	(void)zsi_memory_note_most(z);
	return true;
}

/* spare: what has to be left below the limit. */
static bool try_charge(struct zram *z, uint64_t bytes, uint64_t spare)
{
	bool ok;

	zsi_lock(&z->memory.lock, ZSI_RANK_MEMORY);
	ok = charge_locked(z, bytes, spare);
	zsi_unlock(&z->memory.lock, ZSI_RANK_MEMORY);
	return ok;
}

bool zsi_memory_try_charge(struct zram *z, uint64_t bytes)
{
	return try_charge(z, bytes, zsi_memory_reserve(z));
}

/*
 * What an object's allocation tries before it gives up: free slots become pages, and those go back, as many as are
 * missing. Whether a retry is worth it.
 */
static bool make_room(struct zram *z, uint64_t bytes)
{
	uint64_t limit = zsi_memory_pool_limit(z);

	/* Before there is a pool there is nothing to win, and above the limit not enough. */
	if (z->pool == NULL || limit < bytes)
		return false;
	uint64_t before = zs_get_total_bytes(z->pool);

	if (before <= limit - bytes)
		return true;
	uint64_t pages = zsi_div_up(before - (limit - bytes), z->pool_options.page_size);

	return zs_shrinker_scan(z->pool, (unsigned long)pages) > 0 || zs_get_total_bytes(z->pool) < before;
}

static int charge(struct zram *z, uint64_t bytes, uint64_t spare)
{
	for (unsigned tries = 0;; tries++) {
		if (zsi_likely(try_charge(z, bytes, spare)))
			return 0;
		if (tries == ROOM_TRIES || !make_room(z, bytes + spare))
			break;
	}
	atomic_fetch_add_explicit(&z->memory.hits, 1, memory_order_relaxed);
	return zsi_fail(ENOMEM, "%s: mem_limit is reached", z->name);
}

int zsi_memory_charge(struct zram *z, uint64_t bytes)
{
	return charge(z, bytes, zsi_memory_reserve(z));
}

int zsi_memory_charge_reserve(struct zram *z, uint64_t bytes)
{
	return charge(z, bytes, 0);
}

bool zsi_memory_leaves(struct zram *z, uint64_t spare)
{
	for (unsigned tries = 0;; tries++) {
		uint64_t limit = zsi_memory_pool_limit(z);

		if (limit == 0 || (spare <= limit && zs_get_total_bytes(z->pool) <= limit - spare))
			return true;
		if (tries == ROOM_TRIES || !make_room(z, spare))
			break;
	}
	atomic_fetch_add_explicit(&z->memory.hits, 1, memory_order_relaxed);
	return false;
}

void zsi_memory_uncharge(struct zram *z, uint64_t bytes)
{
	zsi_lock(&z->memory.lock, ZSI_RANK_MEMORY);
	atomic_store_explicit(&z->memory.own, own(z) - bytes, memory_order_relaxed);
	if (limit_of(z) != 0 && z->pool != NULL)
		(void)zs_set_limit(z->pool, pool_limit(z, own(z)));
	zsi_unlock(&z->memory.lock, ZSI_RANK_MEMORY);
}

int zsi_memory_set_limit_locked(struct zram *z, uint64_t bytes)
{
	if (bytes != 0 && (z->pool_options.flags & ZS_POOL_HUGEPAGE) != 0)
		return zsi_fail(EINVAL, "%s: memory that comes in huge pages (ZS_POOL_HUGEPAGE) can't be limited",
				z->name);
	zsi_lock(&z->memory.lock, ZSI_RANK_MEMORY);
	z->memory.limit = bytes;
	if (z->pool != NULL) {
		(void)zs_set_limit(z->pool, pool_limit(z, own(z)));
		zs_set_headroom(z->pool, zsi_memory_reserve(z));
	}
	zsi_unlock(&z->memory.lock, ZSI_RANK_MEMORY);
	return 0;
}

void zsi_memory_begin_locked(struct zram *z)
{
	z->memory.unchecked = true;
}

void zsi_memory_end_locked(struct zram *z)
{
	zsi_lock(&z->memory.lock, ZSI_RANK_MEMORY);
	z->memory.unchecked = false;
	if (z->pool != NULL)
		(void)zs_set_limit(z->pool, pool_limit(z, own(z)));
	zsi_unlock(&z->memory.lock, ZSI_RANK_MEMORY);
}

bool zsi_memory_limited(struct zram *z)
{
	return z->memory.limit != 0;
}
