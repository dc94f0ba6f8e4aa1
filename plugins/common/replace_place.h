/* SPDX-License-Identifier: BSD-3-Clause */
/* replace_place.h - where a file is replaced, and what is there already. Part of replace.h. */
#ifndef PLUGINS_COMMON_REPLACE_PLACE_H
#define PLUGINS_COMMON_REPLACE_PLACE_H

#include <stdbool.h>

/*
 * The file that path means, behind symbolic links, there or not. 0 and *real is to be freed; *in_place: it is no
 * regular file. Or -1 with errno: EISDIR; EBUSY a mount point; EPERM immutable, append-only, or another user's in a
 * folder where only owners rename; what the system says.
 */
int replace_place_find(const char *path, char **real, bool *in_place);

/* The folder that path is in. free() it; NULL without memory. */
char *replace_place_folder(const char *path);

/* Open what is no regular file for writing; -1 with errno. A block device that is mounted is busy. */
int replace_place_open(const char *path);

/* Give the new file the owner and the mode of the one at path, if there is one, as far as this process may. */
void replace_place_keep(int fd, const char *path);

/* fsync() of a folder, where it can be done at all. 0, or -1 with errno. */
int replace_place_sync(const char *folder);

/* strerror(), with more to say where this file sets errno. */
const char *replace_place_reason(int error);

#endif
