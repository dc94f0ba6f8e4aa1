/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * attr.h - attributes: a table of names, each with a function that reads and one that sets, of which either may be
 * NULL.
 *
 * An attribute's functions are in the file of what it is about; attr.c has the table and those that are about the
 * device itself. They are called with no lock held and no stream, and say with zsi_fail() what was wrong.
 */
#ifndef ZSI_ZRAM_ATTR_H
#define ZSI_ZRAM_ATTR_H

struct zram;
struct zsi_text;

struct zsi_attr {
	const char *name;
	int (*get)(struct zram *z, struct zsi_text *out);
	int (*set)(struct zram *z, const char *value);
};

#endif
