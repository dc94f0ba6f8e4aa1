/* SPDX-License-Identifier: BSD-3-Clause */
/* json_valid - exit status 0 when standard input is exactly one JSON value, by the strict rules of json_check.h. */
#include <stdio.h>
#include <stdlib.h>

#include "json_check.h"

int main(void)
{
	enum { STEP = 65536 };
	char *text = NULL;
	size_t size = 0;
	for (;;) {
		char *grown = realloc(text, size + STEP + 1);
		if (!grown)
			return 2;
		text = grown;
		size_t n = fread(text + size, 1, STEP, stdin);
		size += n;
		if (n == 0)
			break;
	}
	text[size] = '\0';
	int status = json_valid(text) ? 0 : 1;
	free(text);
	return status;
}
