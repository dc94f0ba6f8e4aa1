/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replace.h - a file that takes the place of another one as a whole, or not at all.
 *
 * It is written without a name in the same folder, made durable, gets a name of its own and is renamed over the old
 * one. Where a file without a name can't be made, or can't be named afterwards (no O_TMPFILE; no linkat(), no /proc),
 * it has that name from the start: the file's, ".unfinished-" and eight digits. Whoever writes one holds its lock
 * (flock), so one that is not locked was left by a process that was killed: the next replacement of that file removes
 * it.
 *
 * Symbolic links stay, the file behind them is replaced. Owner and mode of the old file are kept, as far as this
 * process may; a new one has mode 0600. What is there and is no regular file (a device, a pipe) is written in place.
 */
#ifndef PLUGINS_COMMON_REPLACE_H
#define PLUGINS_COMMON_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

struct replacement {
	int fd;          /* to be written, from where it stands */
	char *path;      /* of the file that is replaced */
	char *folder;    /* that it is in */
	char *temporary; /* the new file's name; NULL: it has none yet, or needs none */
	bool in_place;
};

/*
 * Find out whether path can be replaced, without a change to it: a file is made beside it, renamed, and removed. 0, or
 * -1 with errno and one line in why.
 */
int replace_try(const char *path, char *why, size_t why_bytes);

/* Begin: 0 and *r is to be committed or abandoned; or -1 with errno and one line in why. */
int replace_begin(struct replacement *r, const char *path, char *why, size_t why_bytes);

/* The new file is whole: make it durable and put it in its place. 0, or -1 as above; the old file is then untouched. */
int replace_commit(struct replacement *r, char *why, size_t why_bytes);

/* Leave everything as it was. errno stays. */
void replace_abandon(struct replacement *r);

#endif
