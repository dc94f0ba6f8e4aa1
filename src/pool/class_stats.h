/* SPDX-License-Identifier: BSD-3-Clause */
/* class_stats.h - the counts of one class, as one moment has them. */
#ifndef ZSI_POOL_CLASS_STATS_H
#define ZSI_POOL_CLASS_STATS_H

#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

#include "pool/geometry.h"

struct zs_pool;

struct zsi_class_stats {
	unsigned long zspages;
	unsigned long allocated; /* slots */
	unsigned long used;      /* slots */
	unsigned long pages;
	unsigned long freeable;                  /* pages */
	unsigned long almost_empty, almost_full; /* zspages, by the kernel's old rule */
	uint64_t requested;                      /* bytes */
	uint32_t by_group[ZSI_GROUPS - 1];       /* zspages of fullness group g at [g - 1] */
};

/* position: in the geometry's classes[]. almost_empty and almost_full are left 0. */
void zsi_class_stats(struct zs_pool *pool, unsigned position, struct zsi_class_stats *out);

/* With those two, for which every partly filled zspage of the class is looked at, its lock held. */
void zsi_class_stats_walk(struct zs_pool *pool, unsigned position, struct zsi_class_stats *out);

#endif
