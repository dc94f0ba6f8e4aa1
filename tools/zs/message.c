/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * message.c - one line on standard error, past a progress bar; problems are counted.
 *
 * A file name may hold any byte but '/' and 0, line breaks and escape sequences too. Each message is made whole first
 * and then written with those bytes shown as \ooo, in one call, so that it stays one line whatever the name is.
 */
#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "progress.h"

static const char *prefix = "zs", *program = "zs";
static char **problems;
static size_t problem_count, kept_count;

enum { MOST_KEPT = 10000 };

void message_prefix(const char *text)
{
	prefix = text;
}

const char *message_command(void)
{
	return prefix;
}

void message_set_program(const char *name)
{
	program = name;
}

const char *message_program(void)
{
	return program;
}

static void put_line(const char *text)
{
	progress_clear();
	flockfile(stderr);
	fprintf(stderr, "%s: ", prefix);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			fprintf(stderr, "\\%03o", *c);
		else
			putc_unlocked(*c, stderr);
	}
	putc_unlocked('\n', stderr);
	funlockfile(stderr);
}

/* vasprintf that never gives NULL: a message about lack of memory must come out as well. *made: free() it. */
static const char *format_text(char **made, const char *format, va_list args)
{
	if (vasprintf(made, format, args) < 0) {
		*made = NULL;
		return "out of memory";
	}
	return *made;
}

void message(const char *format, ...)
{
	va_list args;
	char *made;
	va_start(args, format);
	put_line(format_text(&made, format, args));
	va_end(args);
	free(made);
}

int message_usage(const char *format, ...)
{
	va_list args;
	char *made;
	va_start(args, format);
	const char *text = format_text(&made, format, args);
	va_end(args);
	char *whole = NULL;
	if (asprintf(&whole, "%s (see: %s --help)", text, prefix) < 0)
		whole = NULL;
	put_line(whole != NULL ? whole : text);
	free(whole);
	free(made);
	return EXIT_USAGE;
}

void message_problem(const char *input, const char *format, ...)
{
	va_list args;
	char *made;
	va_start(args, format);
	const char *text = format_text(&made, format, args);
	va_end(args);

	char *whole = NULL;
	problem_count++;
	/* A list of names may be endless. */
	char **grown = kept_count < MOST_KEPT ? reallocarray(problems, kept_count + 1, sizeof(*problems)) : NULL;
	if (grown != NULL)
		problems = grown;
	if (asprintf(&whole, "%s: %s", input, text) < 0)
		whole = NULL;
	put_line(whole != NULL ? whole : text);
	/* A text may be lost, the count never, and so the exit status stays right. */
	if (grown != NULL)
		problems[kept_count++] = whole;
	else
		free(whole);
	free(made);
}

size_t message_problem_count(void)
{
	return problem_count;
}

size_t message_problem_lines(void)
{
	return kept_count + (problem_count > kept_count);
}

const char *message_problem_text(size_t i)
{
	static char more[64];
	if (i < kept_count)
		return problems[i] != NULL ? problems[i] : "out of memory";
	snprintf(more, sizeof(more), "and %zu more", problem_count - kept_count);
	return more;
}
