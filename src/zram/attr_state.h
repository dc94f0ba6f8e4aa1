/* SPDX-License-Identifier: BSD-3-Clause */
/* attr_state.h - attributes that tell what a device holds. */
#ifndef ZSI_ZRAM_ATTR_STATE_H
#define ZSI_ZRAM_ATTR_STATE_H

struct zram;
struct zsi_text;

/* attr_state.c */
int zsi_attr_mm_stat(struct zram *z, struct zsi_text *out);
int zsi_attr_io_stat(struct zram *z, struct zsi_text *out);
int zsi_attr_debug_stat(struct zram *z, struct zsi_text *out);
int zsi_attr_block_state(struct zram *z, struct zsi_text *out);

#endif
