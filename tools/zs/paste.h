/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * paste.h - names in lines that are printed to be pasted into a shell.
 *
 * A file name may hold any byte but '/' and 0, and the line may be pasted where another folder is the current one. So a
 * name in such a line is made absolute where it is a path, and is a word of the shell, whatever is in it.
 */
#ifndef ZS_PASTE_H
#define ZS_PASTE_H

/* The text as one word of a POSIX shell, bare where nothing in it is special. free() it; NULL without memory. */
char *shell_word(const char *text);

/* The path from the root on. free() it; NULL with errno. */
char *absolute_path(const char *path);

/* Both. free() it; NULL with errno. */
char *shell_path(const char *path);

#endif
