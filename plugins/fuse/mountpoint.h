/* SPDX-License-Identifier: BSD-3-Clause */
/* mountpoint.h - whether a directory can be mounted over, said before anything is done. */
#ifndef ZS_FUSE_MOUNTPOINT_H
#define ZS_FUSE_MOUNTPOINT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The directory from the root on, without links, which is there, is empty, and has none of ours mounted on it. *stale:
 * one is mounted whose server is gone. free() it; NULL with one line in why.
 */
char *mountpoint_find(const char *directory, bool *stale, char *why, size_t why_bytes);

/* Whether this process can use FUSE at all. 0, or -1 with one line in why. */
int mountpoint_has_fuse(char *why, size_t why_bytes);

/* Take a mount away whose server is gone. 0, or -1 with one line in why. */
int mountpoint_clean(const char *directory, char *why, size_t why_bytes);

/* Whether nobody could reach a file of that name (NULL: there is none) once the directory is mounted. */
bool mountpoint_hides(const char *directory, const char *file);

#endif
