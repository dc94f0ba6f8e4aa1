/* SPDX-License-Identifier: BSD-3-Clause */
/* text.c - adding to a text. */
#include "zram/text.h"

#include <stdarg.h>
#include <stdio.h>

void zsi_text_add(struct zsi_text *t, const char *format, ...)
{
	size_t room = t->len < t->size ? t->size - t->len : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(room > 0 ? t->buf + t->len : NULL, room, format, args);
	va_end(args);
	t->len += n > 0 ? (size_t)n : 0;
}
