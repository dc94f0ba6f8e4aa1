/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attr.h - attributes: a table of names, each with a function that reads and one that sets, of which either may be NULL.
 *
 * An attribute's functions are in the file of what it is about; attr.c has the table and those that are about the device
 * itself. They are called with no lock held and no stream, and say with zsi_fail() what was wrong.
 */
#ifndef ZSI_ZRAM_ATTR_H
#define ZSI_ZRAM_ATTR_H

#include <stddef.h>

struct zram;

/* Text of which as much as fits is kept, and the length of all is counted. */
struct zsi_text {
	char *buf;
	size_t size, len;
};

void zsi_text_add(struct zsi_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct zsi_attr {
	const char *name;
	int (*get)(struct zram *z, struct zsi_text *out);
	int (*set)(struct zram *z, const char *value);
};

/* attr_state.c */
int zsi_attr_mm_stat(struct zram *z, struct zsi_text *out);
int zsi_attr_io_stat(struct zram *z, struct zsi_text *out);
int zsi_attr_debug_stat(struct zram *z, struct zsi_text *out);
int zsi_attr_block_state(struct zram *z, struct zsi_text *out);

/* idle.c, recompress.c, writeback.c */
int zsi_attr_idle(struct zram *z, const char *value);
int zsi_attr_recompress(struct zram *z, const char *value);
int zsi_attr_backing_dev_get(struct zram *z, struct zsi_text *out);
int zsi_attr_backing_dev_set(struct zram *z, const char *value);
int zsi_attr_writeback(struct zram *z, const char *value);
int zsi_attr_wb_limit_get(struct zram *z, struct zsi_text *out);
int zsi_attr_wb_limit_set(struct zram *z, const char *value);
int zsi_attr_wb_limit_enable_get(struct zram *z, struct zsi_text *out);
int zsi_attr_wb_limit_enable_set(struct zram *z, const char *value);
int zsi_attr_bd_stat(struct zram *z, struct zsi_text *out);

/* Whether a value would be taken, of a device that is initialised. 0 or -1. */
int zsi_recompress_check(struct zram *z, const char *value);
int zsi_writeback_check(struct zram *z, const char *value);

#endif
