/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file_replace.h - write a file as a whole, and leave what a name means as it was.
 *
 *   nothing is there            a new file, with the mode that the umask leaves
 *   a regular file              a new one beside it gets its owner and mode and, complete, takes its place
 *   the same, where that can't be (an owner that may not be given, a folder that may not be written, a second name)
 *                               is overwritten
 *   a symbolic link             stays; what it leads to is written, also where nothing is there yet
 *   a device, a pipe, /dev/fd/N is written into
 *
 * Access lists and other attributes are not carried over to a new file.
 */
#ifndef ZS_FILE_REPLACE_H
#define ZS_FILE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

/* False with errno; then a regular file that was there is as it was, unless overwriting it failed. */
bool file_replace(const char *path, const void *bytes, size_t count);

#endif
