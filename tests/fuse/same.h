/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * same.h - does things in a directory and prints what came of each, a line a thing. What is printed depends on what
 * POSIX and Linux promise alone: so two file systems that keep to it give the same lines.
 */
#ifndef FUSE_SAME_H
#define FUSE_SAME_H

#include <stdbool.h>
#include <stdio.h>

/* Nothing is said of holes and blocks. */
extern bool same_bytes_only;

/* What a call came to: "WHAT: 0", or the number that it gave, or the name of its error. */
void say(const char *what, long result);

/* Always a number. */
void tell(const char *what, long number);
void tell_text(const char *what, const char *text);

/* All in the current directory, which is empty, and is empty again afterwards. */
void same_names(void);
void same_directories(void);
void same_data(void);
void same_ranges(void);
void same_attributes(void);
void same_open(void);

#endif
