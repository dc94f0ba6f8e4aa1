/* SPDX-License-Identifier: BSD-3-Clause */
/* paste.c - what a shell would take apart is quoted, and what a terminal would not show is spelled out. */
#include "paste.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In single quotes only the quote itself has a meaning; it is put between two such strings. */
static char *in_quotes(const char *text)
{
	char *word = malloc(4 * strlen(text) + 3), *to = word;
	if (word == NULL)
		return NULL;
	*to++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *text;
	}
	*to++ = '\'';
	*to = '\0';
	return word;
}

static bool is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

/*
 * Control characters would drive the terminal that the line is shown on, or are shown as something else. printf makes
 * them where the line is run; its %b knows \0ooo, and no other way to write them is in every shell.
 */
static char *by_printf(const char *text)
{
	static const char head[] = "\"$(printf %b '", tail[] = "')\"";
	char *word = malloc(sizeof(head) + sizeof(tail) + 5 * strlen(text)), *to = word;
	if (word == NULL)
		return NULL;
	to = stpcpy(to, head);
	for (; *text; text++) {
		if (is_control((unsigned char)*text) || *text == '\'' || *text == '\\')
			to += sprintf(to, "\\0%03o", (unsigned char)*text);
		else
			*to++ = *text;
	}
	stpcpy(to, tail);
	return word;
}

char *shell_word(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-";
	size_t len = strlen(text);
	bool controls = false;
	if (len && strspn(text, plain) == len)
		return strdup(text);
	for (const char *c = text; *c; c++)
		controls |= is_control((unsigned char)*c);
	/* $( ) drops line breaks at its end, so such a name keeps its own. */
	return controls && text[len - 1] != '\n' ? by_printf(text) : in_quotes(text);
}

char *absolute_path(const char *path)
{
	char *out = NULL;
	if (path[0] == '/')
		return strdup(path);
	char *here = getcwd(NULL, 0);
	if (here != NULL && asprintf(&out, "%s/%s", strcmp(here, "/") == 0 ? "" : here, path) < 0)
		out = NULL;
	free(here);
	return out;
}

char *shell_path(const char *path)
{
	char *absolute = absolute_path(path);
	char *word = absolute != NULL ? shell_word(absolute) : NULL;
	free(absolute);
	return word;
}
