/* SPDX-License-Identifier: BSD-3-Clause */
/* idle.h - which blocks recompression and writeback are about. */
#ifndef ZSI_ZRAM_IDLE_H
#define ZSI_ZRAM_IDLE_H

#include <stdint.h>

struct zram;

/* Mark what is at least so old, and take no mark away. */
int zsi_idle_mark_old(struct zram *z, int32_t ticks);

/* idle.c, recompress.c, writeback.c */
int zsi_attr_idle(struct zram *z, const char *value);

#endif
