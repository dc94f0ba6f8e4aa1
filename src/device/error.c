/* SPDX-License-Identifier: BSD-3-Clause */
/* error.c - each thread has a text for its last error; what is too long ends at a word with "...". */
#include "device/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zsmalloc/zram.h>

static _Thread_local char text[ZSI_ERROR_BYTES];

/*
 * End a text that didn't fit at its last word, or else at its last whole character: "..." says that more was to come.
 */
static void end_at_a_word(void)
{
	static const char more[] = "...";
	size_t room = sizeof(text) - sizeof(more), end = room;

	while (end > room / 2 && text[end - 1] != ' ')
		end--;
	if (end == room / 2)
		for (end = room; ((unsigned char)text[end] & 0xc0) == 0x80; end--)
			;
	memcpy(text + end, more, sizeof(more));
}

int zsi_fail(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) >= (int)sizeof(text))
		end_at_a_word();
	va_end(args);
	/* What callers passed in may hold anything: it stays one line. */
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	errno = error;
	return -1;
}

const char *zsi_last_error(void)
{
	return text;
}

const char *zram_strerror(void)
{
	return text;
}
