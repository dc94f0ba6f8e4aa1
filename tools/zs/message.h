/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * message.h - everything that goes to standard error: one line a message, "zs COMMAND: TEXT".
 *
 * A problem is a message about one input that could not be used, or not all of it. Problems are kept, so that the
 * JSON output can list them and the exit status can tell. Called from the main thread only.
 */
#ifndef ZS_MESSAGE_H
#define ZS_MESSAGE_H

#include <stddef.h>

/* Set what messages begin with: "zs", or "zs pack". The string must stay. */
void message_prefix(const char *text);

/* What they begin with: how the command is called. */
const char *message_command(void);

/* How the program was called: argv[0]. */
void message_set_program(const char *name);
const char *message_program(void);

/* Print one line. Bytes that would break the line or drive the terminal are shown as \ooo. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, followed by where help is to be found. Returns EXIT_USAGE. */
int message_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Print "INPUT: TEXT" and keep it. */
void message_problem(const char *input, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The problems so far. */
size_t message_problem_count(void);

/* Lines about them, the last of which says how many more there are where that is too much to keep; they stay. */
size_t message_problem_lines(void);
const char *message_problem_text(size_t i);

#endif
