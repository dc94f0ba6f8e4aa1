/* SPDX-License-Identifier: BSD-3-Clause */
/* mount_control.c - the servers' folders are searched for the one that has the directory and lives. */
#include "mount_control.h"

#include <stdlib.h>
#include <string.h>

#include "common/mount_place.h"

struct search {
	const char *directory;
	char *control;
};

static int look(const struct mount_found *m, void *arg)
{
	struct search *s = arg;
	if (!m->alive || strcmp(m->directory, s->directory) != 0)
		return 0;
	s->control = strdup(m->control);
	return 1;
}

char *mount_control_of(const char *directory)
{
	struct search s = { NULL, NULL };
	char *path = realpath(directory, NULL);
	if (path == NULL)
		return NULL;
	s.directory = path;
	mount_place_each(look, &s);
	free(path);
	return s.control;
}
