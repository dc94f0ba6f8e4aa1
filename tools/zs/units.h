/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * units.h - numbers as people read them. A struct text lives to the end of the expression it is made in:
 * printf("%s\n", format_bytes(n).s).
 */
#ifndef ZS_UNITS_H
#define ZS_UNITS_H

#include <stdint.h>

struct text {
	char s[64];
};

/* 1234567 -> "1,234,567" */
struct text format_count(uint64_t n);

/* 1234567 -> "1.18 MiB" */
struct text format_bytes(uint64_t bytes);

/* 3, "page", "pages" -> "3 pages" */
struct text format_plural(uint64_t n, const char *one, const char *many);

/* Nanoseconds of a clock that only goes forward. */
uint64_t now_ns(void);

#endif
