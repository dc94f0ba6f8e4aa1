/* SPDX-License-Identifier: BSD-3-Clause */
/* completion_write.c - what the three shells' writers share. */
#include "completion_write.h"

#include <stdio.h>
#include <string.h>

void completion_put_text(const char *text, const char *quote, const char *special)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			fputs(quote, stdout);
			continue;
		}
		if (strchr(special, *text) != NULL)
			putchar('\\');
		putchar(*text);
	}
}

void completion_put_commands(const struct completion_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		printf("%s ", set->commands[i]->name);
	fputs("help", stdout);
}
