/* SPDX-License-Identifier: BSD-3-Clause */
/* completion.c - zs completion: what a shell completes of zs, as a script for that shell. */
#include "completion.h"

#include <stdio.h>
#include <string.h>

#include "completion_write.h"
#include "message.h"
#include "options.h"

static struct completion_set set;

static const struct option long_options[] = {
	HELP_OPTION,
	OPTIONS_END,
};

static const char help[] = "usage: zs completion bash|zsh|fish\n"
			   "\n"
			   "Print the script by which a shell completes zs, its commands, their options and\n"
			   "arguments. Where zs was installed with it there is nothing to do.\n"
			   "\n"
			   "  -h, --help      show this\n"
			   "\n"
			   "exit status: 0 done; 2 wrong usage; 3 can't print.\n"
			   "\n"
			   "example: source <(zs completion bash)\n";

void completion_of(const struct command *const *commands, size_t count)
{
	set = (struct completion_set){ commands, count };
}

static int run(int argc, char **argv)
{
	for (int option; (option = option_next(argc, argv, ":h", long_options)) != -1;) {
		if (option != 'h')
			return EXIT_USAGE;
		fputs(help, stdout);
		return EXIT_DONE;
	}
	if (optind == argc)
		return message_usage("no shell is given: bash, zsh or fish");
	if (optind + 1 < argc)
		return message_usage("unexpected argument '%s'", argv[optind + 1]);
	const char *shell = argv[optind];
	if (strcmp(shell, "bash") == 0)
		completion_bash(&set);
	else if (strcmp(shell, "zsh") == 0)
		completion_zsh(&set);
	else if (strcmp(shell, "fish") == 0)
		completion_fish(&set);
	else
		return message_usage("shell '%s': must be bash, zsh or fish", shell);
	return EXIT_DONE;
}

const struct command completion_command = {
	"completion",
	"print what a shell completes of zs",
	help,
	long_options,
	run,
};
