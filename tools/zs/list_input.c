/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * list_input.c - files that a list names, as --files-from and --null say.
 *
 * A list may be a pipe that never ends, or no list at all: a name is read no further than the system takes names.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "interrupt.h"
#include "message.h"
#include "pages.h"

enum name_result { NAME_READ, NAME_TOO_LONG, NAME_HAS_NULL, NAME_NONE };

/* The next name into name, of PATH_MAX bytes. */
static enum name_result next_name(FILE *list, int end, char *name)
{
	size_t len = 0;
	int c;
	while ((c = getc(list)) != EOF && c != end) {
		if (len + 1 == PATH_MAX)
			return NAME_TOO_LONG;
		name[len++] = (char)c;
	}
	name[len] = '\0';
	if (c == EOF && (len == 0 || ferror(list)))
		return NAME_NONE;
	return strlen(name) == len ? NAME_READ : NAME_HAS_NULL;
}

static bool add_names(struct page_set *set, const char *path, FILE *list, int end, bool trees)
{
	char name[PATH_MAX];
	bool added = true;
	while (added && !set->full && !interrupted()) {
		switch (next_name(list, end, name)) {
		case NAME_NONE:
			return true;
		case NAME_TOO_LONG:
			message_problem(path, "has a name of more than %d bytes; the rest of the list is left out%s",
					PATH_MAX - 1, end == '\0' ? "" : " (is --null missing?)");
			return true;
		case NAME_HAS_NULL:
			message_problem(path, "has a null byte in a name (is --null missing?)");
			break;
		case NAME_READ:
			/* Standard input is the list, or is named on the command line. */
			if (name[0] != '\0' && trees)
				added = page_set_add_tree(set, strcmp(name, "-") == 0 ? "./-" : name);
			else if (name[0] != '\0')
				added = page_set_add_file(set, strcmp(name, "-") == 0 ? "./-" : name);
			break;
		}
	}
	return added;
}

bool page_set_add_list(struct page_set *set, const char *path, bool null, bool trees)
{
	bool from_stdin = strcmp(path, "-") == 0;
	const char *shown = from_stdin ? "standard input" : path;
	FILE *list = from_stdin ? stdin : fopen(path, "re");
	if (list == NULL) {
		if (!interrupted())
			message_problem(path, "%s", strerror(errno));
		return true;
	}
	bool added = add_names(set, shown, list, null ? '\0' : '\n', trees);
	if (ferror(list) && !interrupted())
		message_problem(shown, "%s", strerror(errno));
	if (!from_stdin)
		fclose(list);
	return added;
}
