/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * completion_write.h - completions as the three shells want them, each in a file of its own name.
 *
 * Each writes a whole script to standard output: of zs with its commands and of each command with its options and
 * arguments, as completion_option.h has them. None runs zs when it completes.
 */
#ifndef ZS_COMPLETION_WRITE_H
#define ZS_COMPLETION_WRITE_H

#include <stddef.h>

#include "command.h"

struct completion_set {
	const struct command *const *commands;
	size_t count;
};

void completion_bash(const struct completion_set *set);
void completion_zsh(const struct completion_set *set);
void completion_fish(const struct completion_set *set);

/* Text inside of single quotes: a quote becomes quote, other characters of special get a backslash. */
void completion_put_text(const char *text, const char *quote, const char *special);

/* The names of all commands and help, with a blank between each. */
void completion_put_commands(const struct completion_set *set);

#endif
