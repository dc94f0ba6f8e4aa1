/* SPDX-License-Identifier: BSD-3-Clause */
/* text.h - text that grows up to the room there is. */
#ifndef ZSI_ZRAM_TEXT_H
#define ZSI_ZRAM_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Text of which as much as fits is kept, and the length of all is counted. */
struct zsi_text {
	char *buf;
	size_t size, len;
};

void zsi_text_add(struct zsi_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
