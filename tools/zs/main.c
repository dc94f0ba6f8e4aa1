/* SPDX-License-Identifier: BSD-3-Clause */
/* main.c - zs: finds the subcommand and runs it; help and version. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zsmalloc/zsmalloc.h>

#include "command.h"
#include "completion.h"
#include "message.h"
#include "options.h"

static const struct command *const commands[] = {
	&pack_command,  &advise_command, &classes_command, &serve_command,
	&mount_command, &umount_command, &ctl_command,     &top_command,
	&completion_command,
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const struct option long_options[] = {
	HELP_OPTION,
	{ "version", no_argument, NULL, 'V' },
	OPTIONS_END,
};

static void print_help(FILE *out)
{
	fputs("usage: zs COMMAND [OPTION]... [ARGUMENT]...\n"
	      "\n"
	      "Compressed memory: what it would hold, exact to the page; and a disk\n"
	      "or a directory in it.\n"
	      "\n"
	      "commands:\n",
	      out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("  help       show the help of a command\n"
	      "\n"
	      "options:\n"
	      "  -h, --help     show this; zs COMMAND --help shows that of a command\n"
	      "  -V, --version  show the version\n",
	      out);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	char names[128] = "";
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		size_t len = strlen(names);
		snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "", commands[i]->name);
	}
	message_usage("unknown command '%s': the commands are %s and help", name, names);
	return NULL;
}

static int run_help(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (argc > 2)
		return message_usage("unexpected argument '%s'", argv[2]);
	if (strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return EXIT_DONE;
	}
	const struct command *command = find_command(argv[1]);
	if (command == NULL)
		return EXIT_USAGE;
	fputs(command->help, stdout);
	return EXIT_DONE;
}

static int run_command(int argc, char **argv)
{
	static char prefix[64];
	if (strcmp(argv[0], "help") == 0)
		return run_help(argc, argv);
	const struct command *command = find_command(argv[0]);
	if (command == NULL)
		return EXIT_USAGE;
	snprintf(prefix, sizeof(prefix), "zs %s", command->name);
	message_prefix(prefix);
	optind = 0; /* makes getopt start anew, on the subcommand's arguments */
	return command->run(argc, argv);
}

static int run(int argc, char **argv)
{
	switch (option_next(argc, argv, "+:hV", long_options)) {
	case 'h':
		print_help(stdout);
		return EXIT_DONE;
	case 'V':
		printf("zs %d.%d.%d\n", ZS_VERSION_MAJOR, ZS_VERSION_MINOR, ZS_VERSION_PATCH);
		return EXIT_DONE;
	case OPTION_BAD:
		return EXIT_USAGE;
	default:
		break;
	}
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	return run_command(argc - optind, argv + optind);
}

/*
 * A descriptor that was closed by whoever started this would be the number of the next file that is opened, and the
 * output would go there. So something is opened that can't be used in that direction.
 */
static void hold_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	hold_standard_descriptors();
	if (argc > 0)
		message_set_program(argv[0]);
	completion_of(commands, COMMAND_COUNT);
	int status = run(argc, argv);
	/* A full disk shows only now: what was printed is still in the stream's buffer. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		message("cannot write the output: %s", strerror(errno));
		return EXIT_BROKEN;
	}
	return status;
}
