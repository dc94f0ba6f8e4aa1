/* SPDX-License-Identifier: BSD-3-Clause */
/* trim.c - when it is worth closing the gate to give empty parts of the table back. */
#include "zram/trim.h"

#include "base/lock.h"
#include "device/device.h"
#include "device/dict.h"
#include "device/gate.h"
#include "device/table.h"

/* With so many empty chunks of the table it is worth closing the gate to give them back. */
#define TRIM_AT 32u

void zsi_trim_table(struct zram *z, bool now)
{
	unsigned pending = atomic_load_explicit(&z->table.nr_pending, memory_order_relaxed);

	if (!now && pending < TRIM_AT)
		return;
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	/* Who stays inside for long is not waited for: everybody else would have to wait too. */
	if (z->pool != NULL && zsi_gate_try_close(z)) {
		zsi_table_trim_frozen(z);
		zsi_dict_retire_frozen(z, false);
		zsi_gate_open(z);
	}
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
}
