/* SPDX-License-Identifier: BSD-3-Clause */
/* mount.c - zs mount: a directory in compressed memory. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "message.h"
#include "mount_list.h"
#include "mount_server.h"
#include "options.h"
#include "paste.h"

enum {
	OPTION_FOREGROUND = OPTION_OWN,
	OPTION_LIST,
};

static const struct option long_options[] = {
	{ "foreground", no_argument, NULL, OPTION_FOREGROUND },
	{ "list", no_argument, NULL, OPTION_LIST },
	JSON_OPTION,
	HELP_OPTION,
	OPTIONS_END,
};

static const char help[] = "usage: zs mount [--foreground] DIRECTORY SIZE [NAME=VALUE]...\n"
			   "       zs mount --list [--json]\n"
			   "\n"
			   "Make a directory whose files are in compressed memory. Needs no root and no\n"
			   "kernel module but FUSE. What is in it is gone when it is unmounted, unless it\n"
			   "has a snapshot. zs umount DIRECTORY ends it.\n"
			   "\n"
			   "  DIRECTORY       an empty one\n"
			   "  SIZE            of all files together: 4G, 512M; not needed with load=FILE\n"
			   "  NAME=VALUE      algorithm=zstd, mem-limit=1G, snapshot=FILE, ...;\n"
			   "                  see zs-mount(1)\n"
			   "\n"
			   "  --foreground    stay in the foreground, as services do; end with a signal\n"
			   "  --list          print what is mounted\n"
			   "  --json          as a JSON array\n"
			   "  -h, --help      show this\n"
			   "\n"
			   "exit status: 0 the directory can be used; with --foreground, it was ended by a\n"
			   "signal or unmounted, and saved where that was asked for; 2 wrong usage; 3 it\n"
			   "could not be mounted, served or saved, or can't print.\n"
			   "\n"
			   "example: zs mount build 4G\n";

static int start(const char *directory, char **parameters)
{
	char *control;
	int status = mount_server_start(directory, parameters, &control);
	if (status != EXIT_DONE)
		return status;
	char *path = shell_path(directory), *socket = shell_word(control);
	if (path != NULL && socket != NULL)
		printf("mounted %s; its control socket is %s; to end it: zs umount %s\n", path, socket, path);
	else
		message("out of memory");
	bool good = path != NULL && socket != NULL;
	free(path);
	free(socket);
	free(control);
	return good ? EXIT_DONE : EXIT_BROKEN;
}

static int run(int argc, char **argv)
{
	bool foreground = false, list = false, json = false;
	for (int option; (option = option_next(argc, argv, ":h", long_options)) != -1;) {
		switch (option) {
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		case OPTION_FOREGROUND:
			foreground = true;
			break;
		case OPTION_LIST:
			list = true;
			break;
		case OPTION_JSON:
			json = true;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (json && !list)
		return message_usage("--json goes with --list");
	if (list && foreground)
		return message_usage("only one of --list and --foreground");
	if (list && optind < argc)
		return message_usage("unexpected argument '%s'", argv[optind]);
	if (list) {
		mount_list_print(json);
		return EXIT_DONE;
	}
	if (optind == argc)
		return message_usage("no DIRECTORY is given");
	if (optind + 1 == argc)
		return message_usage("no SIZE is given: zs mount %s 4G", argv[optind]);
	if (!foreground)
		return start(argv[optind], argv + optind + 1);
	mount_server_become(argv[optind], argv + optind + 1);
	return EXIT_BROKEN;
}

const struct command mount_command = {
	"mount",
	"make a directory in compressed memory",
	help,
	long_options,
	run,
};
