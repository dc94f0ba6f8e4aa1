/* SPDX-License-Identifier: BSD-3-Clause */
/* assert.c - the end of the road for a failed assertion. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void zsi_assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "zsmalloc: bug: %s:%d: %s does not hold\n", file, line, expr);
	abort();
}
