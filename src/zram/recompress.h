/* SPDX-License-Identifier: BSD-3-Clause */
/* recompress.h - the attribute "recompress", and a look at a request of it. */
#ifndef ZSI_ZRAM_RECOMPRESS_H
#define ZSI_ZRAM_RECOMPRESS_H

struct zram;
struct zsi_asker;

int zsi_attr_recompress(struct zram *z, const char *value);

/* Whether a value would be taken, of a device that is initialised. 0 or -1. */
int zsi_recompress_check(struct zram *z, const char *value);

/* The attributes' work, for either of them. */
int zsi_recompress(struct zram *z, const char *value, const struct zsi_asker *asker);

#endif
