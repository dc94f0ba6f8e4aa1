/* SPDX-License-Identifier: BSD-3-Clause */
/* writeback.h - the attribute "writeback", and a look at a request of it. */
#ifndef ZSI_ZRAM_WRITEBACK_H
#define ZSI_ZRAM_WRITEBACK_H

struct zram;
struct zsi_asker;

int zsi_attr_writeback(struct zram *z, const char *value);

int zsi_writeback_check(struct zram *z, const char *value);

int zsi_writeback(struct zram *z, const char *value, const struct zsi_asker *asker);

#endif
