/* SPDX-License-Identifier: BSD-3-Clause */
/* pressure.h - the thread that watches for memory pressure. The caller holds the shrinker's lock. */
#ifndef ZSI_COMPACT_PRESSURE_H
#define ZSI_COMPACT_PRESSURE_H

#include <zsmalloc/zsmalloc.h>

struct zs_pool;

/* Start it, where the policy wants it. And: wait until it is known whether pressure will be reported. */
void zsi_pressure_start_locked(struct zs_pool *pool);
void zsi_pressure_wait_locked(struct zs_pool *pool);

/* End it. ZSI_BELL_STOP has been rung. */
void zsi_pressure_stop_locked(struct zs_pool *pool);

#endif
