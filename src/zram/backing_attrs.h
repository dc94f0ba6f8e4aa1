/* SPDX-License-Identifier: BSD-3-Clause */
/* backing_attrs.h - the attributes that say how a device uses its backing file, and how much of it. */
#ifndef ZSI_ZRAM_BACKING_ATTRS_H
#define ZSI_ZRAM_BACKING_ATTRS_H

struct zram;
struct zsi_text;

int zsi_attr_backing_dev_get(struct zram *z, struct zsi_text *out);
int zsi_attr_backing_dev_set(struct zram *z, const char *value);
int zsi_attr_compressed_wb_get(struct zram *z, struct zsi_text *out);
int zsi_attr_compressed_wb_set(struct zram *z, const char *value);
int zsi_attr_wb_batch_size_get(struct zram *z, struct zsi_text *out);
int zsi_attr_wb_batch_size_set(struct zram *z, const char *value);
int zsi_attr_wb_limit_get(struct zram *z, struct zsi_text *out);
int zsi_attr_wb_limit_set(struct zram *z, const char *value);
int zsi_attr_wb_limit_enable_get(struct zram *z, struct zsi_text *out);
int zsi_attr_wb_limit_enable_set(struct zram *z, const char *value);
int zsi_attr_bd_stat(struct zram *z, struct zsi_text *out);

#endif
