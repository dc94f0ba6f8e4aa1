/* SPDX-License-Identifier: BSD-3-Clause */
/* error.c - see error.h. */
#include "zram/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <zsmalloc/zram.h>

static _Thread_local char text[ZSI_ERROR_BYTES];

int zsi_fail(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
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
