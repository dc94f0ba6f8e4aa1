/* SPDX-License-Identifier: BSD-3-Clause */
/* writeback.h - the attributes of writeback. */
#ifndef ZSI_ZRAM_WRITEBACK_H
#define ZSI_ZRAM_WRITEBACK_H

struct zram;
struct zsi_asker;
struct zsi_text;

int zsi_attr_backing_dev_get(struct zram *z, struct zsi_text *out);
int zsi_attr_backing_dev_set(struct zram *z, const char *value);
int zsi_attr_writeback(struct zram *z, const char *value);
int zsi_attr_wb_limit_get(struct zram *z, struct zsi_text *out);
int zsi_attr_wb_limit_set(struct zram *z, const char *value);
int zsi_attr_wb_limit_enable_get(struct zram *z, struct zsi_text *out);
int zsi_attr_wb_limit_enable_set(struct zram *z, const char *value);
int zsi_attr_bd_stat(struct zram *z, struct zsi_text *out);

int zsi_writeback_check(struct zram *z, const char *value);

int zsi_writeback(struct zram *z, const char *value, const struct zsi_asker *asker);

#endif
