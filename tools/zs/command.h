/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * command.h - what a subcommand of zs is.
 *
 * One file per subcommand, named after it, which defines its struct command; main.c lists them. run() gets the
 * arguments from the subcommand's name on and returns the exit status. A subcommand writes what was asked for to
 * standard output and everything else to standard error.
 */
#ifndef ZS_COMMAND_H
#define ZS_COMMAND_H

#include <getopt.h>

/* Exit statuses, the same for every subcommand and documented in zs(1). */
enum exit_status {
	EXIT_DONE = 0,   /* everything was done */
	EXIT_PARTLY = 1, /* some inputs had problems; the rest was done. Or the server refused */
	EXIT_USAGE = 2,  /* the command line makes no sense */
	EXIT_BROKEN = 3, /* wrong data read back, no memory, no server, or the output can't be written */
};

struct command {
	const char *name;
	const char *summary; /* half a line, for zs --help */
	const char *help;    /* all of zs NAME --help; completion_option.h says how completions read it */
	const struct option *options;
	int (*run)(int argc, char **argv);
};

extern const struct command pack_command;
extern const struct command classes_command;
extern const struct command advise_command;
extern const struct command serve_command;
extern const struct command mount_command;
extern const struct command umount_command;
extern const struct command ctl_command;
extern const struct command top_command;
extern const struct command completion_command;

#endif
