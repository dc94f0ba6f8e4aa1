/* SPDX-License-Identifier: BSD-3-Clause */
/* tight.c - looks at the account and at hints; no lock is taken. */
#include "pool/tight.h"

#include <errno.h>

#include "base/account.h"
#include "pages/layout.h"
#include "pool/geometry.h"
#include "pool/pool.h"
#include "pool/room.h"

unsigned zsi_tight_next_hole(const struct zsi_room *r, unsigned position)
{
	for (unsigned word = position / 64; word < ZSI_MAX_CLASSES / 64; word++) {
		uint64_t rest = atomic_load_explicit(&r->holes[word], memory_order_relaxed);

		if (word == position / 64)
			rest &= ~0ull << (position % 64);
		if (rest != 0)
			return word * 64 + (unsigned)__builtin_ctzll(rest);
	}
	return ZSI_MAX_CLASSES;
}

bool zsi_tight_short(const struct zs_pool *pool)
{
	return atomic_load_explicit(&pool->room.tight, memory_order_relaxed) && zsi_account_short(&pool->account);
}

bool zsi_tight_page_in_sight(struct zs_pool *pool)
{
	if (atomic_load_explicit(&pool->space.dirty_pages, memory_order_relaxed) > 0)
		return true;
	if (zsi_charge_frozen)
		return false;
	return !zsi_account_full(&pool->account, zsi_space_page_size(&pool->space));
}

int zsi_tight_refused(struct zs_pool *pool, unsigned flags)
{
	struct zsi_room *r = &pool->room;

	/* It asked for none. */
	if ((flags & ZS_NOWAIT) != 0)
		return ENOMEM;
	atomic_fetch_add_explicit(zsi_limit_refused ? &r->limit_refusals : &r->other_refusals, 1, memory_order_relaxed);
	return zsi_limit_refused && (flags & ZS_LIMIT_EDQUOT) != 0 ? EDQUOT : ENOMEM;
}
