/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * completion_option.h - what a shell has to know of a command's options and arguments.
 *
 * Its options are those that getopt knows. What --help prints of each says the rest: the line
 *
 *   "  -n, --count N      end after N views"
 *
 * names the value N and describes the option; the usage lines name the arguments. What a value is, its name says: FILE
 * and SOCKET are files, DIRECTORY is a folder, SOCKET|DIRECTORY either, fast|dense is one of two words, in capitals it is
 * for people to fill in.
 */
#ifndef ZS_COMPLETION_OPTION_H
#define ZS_COMPLETION_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"

enum { COMPLETION_TEXT_BYTES = 512, COMPLETION_PLACES = 4 };

enum completion_kind {
	COMPLETION_NOTHING, /* anything, which the shell can't guess */
	COMPLETION_WORDS,
	COMPLETION_FILES,
	COMPLETION_FOLDERS,
	COMPLETION_PROCESSES,
	COMPLETION_COMMANDS,
};

struct completion_value {
	enum completion_kind kind;
	char name[COMPLETION_TEXT_BYTES];  /* as --help has it */
	char words[COMPLETION_TEXT_BYTES]; /* with a blank between each */
};

struct completion_option {
	const char *name;
	char letter; /* 0: has none */
	bool takes_value, repeats;
	struct completion_value value;
	char text[COMPLETION_TEXT_BYTES]; /* "": --help does not have it */
};

/* The arguments that are no options: those of each place, and whether the last may be repeated. */
struct completion_arguments {
	unsigned count;
	bool repeats;
	struct completion_value places[COMPLETION_PLACES];
};

/* The command's option of that number, from 0. False: there are no more. */
bool completion_option_at(const struct command *command, size_t index, struct completion_option *option);

void completion_arguments_of(const struct command *command, struct completion_arguments *arguments);

#endif
