/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * folder_input.c - all files below a directory as pages.
 *
 * Taken are the files themselves: no symbolic links, no pipes, no devices, nothing on other file systems, which keeps
 * /proc and what is mounted out of a walk through /. By name, so that a sample is the same each time.
 */
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "interrupt.h"
#include "message.h"
#include "pages.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool add_entry(struct page_set *set, const FTSENT *entry)
{
	switch (entry->fts_info) {
	case FTS_F:
		return page_set_add_file(set, entry->fts_path);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		message_problem(entry->fts_path, "%s", strerror(entry->fts_errno));
		return true;
	default:
		return true;
	}
}

bool page_set_add_tree(struct page_set *set, const char *path)
{
	struct stat st;
	char *copy = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? strdup(path) : NULL;
	if (copy == NULL)
		return page_set_add_file(set, path);
	char *const roots[] = { copy, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV, by_name);
	bool added = tree != NULL;
	const FTSENT *entry;
	errno = 0;
	while (added && !set->full && !interrupted() && (entry = fts_read(tree)) != NULL)
		added = add_entry(set, entry);
	if (tree != NULL)
		fts_close(tree);
	free(copy);
	return added;
}
