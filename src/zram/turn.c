/* SPDX-License-Identifier: BSD-3-Clause */
/* turn.c - taking turns: the background ends its own early where somebody waits. */
#include "zram/turn.h"

#include <errno.h>

#include "base/lock.h"
#include "device/device.h"
#include "device/error.h"

int zsi_turn_begin(struct zram *z, const struct zsi_asker *asker, const char *what)
{
	if (asker->background)
		atomic_store_explicit(&z->background.at_work, true, memory_order_relaxed);
	if (zsi_trylock(&z->turn_lock, ZSI_RANK_TRAIN))
		return 0;
	if (asker->background) {
		atomic_store_explicit(&z->background.at_work, false, memory_order_relaxed);
	} else if (atomic_load_explicit(&z->background.at_work, memory_order_relaxed)) {
		atomic_fetch_add_explicit(&z->background.in_the_way, 1, memory_order_relaxed);
		zsi_lock(&z->turn_lock, ZSI_RANK_TRAIN);
		atomic_fetch_sub_explicit(&z->background.in_the_way, 1, memory_order_relaxed);
		return 0;
	}
	return zsi_fail(EAGAIN, "%s: %s: another recompression or writeback is under way", z->name, what);
}

void zsi_turn_end(struct zram *z, const struct zsi_asker *asker)
{
	zsi_unlock(&z->turn_lock, ZSI_RANK_TRAIN);
	if (asker->background)
		atomic_store_explicit(&z->background.at_work, false, memory_order_relaxed);
}

bool zsi_turn_should_end(struct zram *z, const struct zsi_asker *asker)
{
	return asker->background && (atomic_load_explicit(&z->background.in_the_way, memory_order_relaxed) != 0 ||
				     atomic_load_explicit(&z->background.stop, memory_order_relaxed) != 0);
}
