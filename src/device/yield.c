/* SPDX-License-Identifier: BSD-3-Clause */
/* yield.c - contexts of streams go first, then a save under way. */
#include "device/yield.h"

#include "base/bits.h"
#include "device/device.h"
#include "device/keep.h"
#include "device/streams.h"
#include "device/table.h"

bool zsi_yield_memory(struct zram *z, unsigned *step, bool wanted)
{
	if (*step == 0) {
		++*step;
		if (zsi_streams_spare(z))
			return true;
	}
	return (*step)++ == 1 && zsi_keep_give_up(z, wanted);
}

int zsi_yield_make_chunk(struct zram *z, uint64_t index)
{
	if (zsi_likely(zsi_table_has(&z->table, index)))
		return 0;
	for (unsigned step = 0; zsi_table_make(z, index) != 0;)
		if (!zsi_yield_memory(z, &step, false))
			return -1;
	return 0;
}
