/* SPDX-License-Identifier: BSD-3-Clause */
/* serve.c - zs serve: a disk in compressed memory, until it is stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "common/notify.h"
#include "message.h"
#include "options.h"
#include "paste.h"
#include "serve_print.h"
#include "server.h"

enum {
	OPTION_UNIX = OPTION_OWN,
	OPTION_PORT,
	OPTION_THREADS,
	OPTION_RUN,
	OPTION_PLUGIN,
	THREADS_MAX = 1024,
};

static const struct option long_options[] = {
	{ "unix", required_argument, NULL, OPTION_UNIX },
	{ "port", required_argument, NULL, OPTION_PORT },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "run", required_argument, NULL, OPTION_RUN },
	{ "plugin", required_argument, NULL, OPTION_PLUGIN },
	JSON_OPTION,
	HELP_OPTION,
	OPTIONS_END,
};

static const char help[] = "usage: zs serve [OPTION]... SIZE [NAME=VALUE]...\n"
			   "\n"
			   "Serve a disk in compressed memory over NBD, with nbdkit, until interrupted; say\n"
			   "how to attach it. Needs no root and no kernel module.\n"
			   "\n"
			   "  SIZE            of the disk: 4G, 512M; not needed with load=FILE\n"
			   "  NAME=VALUE      a parameter of the plugin: algorithm=zstd, mem-limit=1G,\n"
			   "                  snapshot=FILE, ...; see nbdkit-zram-plugin(1)\n"
			   "\n"
			   "  --unix PATH     listen on this Unix socket (default: one in a new folder)\n"
			   "  --port N        listen on this TCP port of localhost instead\n"
			   "  --threads N     requests that nbdkit carries out at once (default: 16)\n"
			   "  --run CMD       serve as long as this shell command runs; it has the disk's\n"
			   "                  $uri, $unixsocket or $port, and $control in its environment\n"
			   "  --plugin FILE   the plugin (default: the one that came with zs)\n"
			   "  --json          say where the disk is as one JSON object\n"
			   "  -h, --help      show this\n"
			   "\n"
			   "Where a disk is being saved, more signals say how far that is; the second one\n"
			   "after that ends it at once.\n"
			   "\n"
			   "exit status: 0 stopped by a signal, and saved where that was asked for; that of\n"
			   "CMD with --run; 2 wrong usage; 3 nbdkit could not start, or ended with an error,\n"
			   "or the disk could not be saved, or can't print.\n"
			   "\n"
			   "example: zs serve 4G algorithm=zstd snapshot=disk.zram\n";

/* zs serve SIZE NAME=VALUE...: the command line with the size in its place. */
static int misplaced_size(char **parameters, const char *size)
{
	char *line = NULL;
	size_t bytes;
	FILE *out = open_memstream(&line, &bytes);
	char *word = shell_word(size);
	if (out != NULL && word != NULL)
		fprintf(out, "zs serve %s", word);
	free(word);
	for (; out != NULL && *parameters != NULL; parameters++) {
		word = *parameters == size ? NULL : shell_word(*parameters);
		if (word != NULL)
			fprintf(out, " %s", word);
		free(word);
	}
	if (out == NULL || fclose(out) != 0) {
		message("out of memory");
		free(line);
		return EXIT_BROKEN;
	}
	int status = message_usage("the size comes first: %s", line);
	free(line);
	return status;
}

/* The first one may be the size alone; all others are NAME=VALUE. */
static int check_parameters(char **parameters)
{
	bool sized = *parameters != NULL && strchr(*parameters, '=') == NULL;
	if (*parameters == NULL)
		return message_usage("no SIZE is given");
	for (char **p = parameters; *p != NULL; p++)
		sized |= strncmp(*p, "size=", 5) == 0;
	for (char **p = parameters + 1; *p != NULL; p++) {
		if (strchr(*p, '=') != NULL)
			continue;
		if (sized)
			return message_usage("unexpected argument '%s': there is a size already, and all else is NAME=VALUE", *p);
		if (**p < '0' || **p > '9')
			return message_usage("unexpected argument '%s': must be NAME=VALUE", *p);
		return misplaced_size(parameters, *p);
	}
	return EXIT_DONE;
}

/* What the command line says besides the server's own. */
struct settings {
	bool json;
	const char *run;
};

/* Take an option: EXIT_DONE, or another status after a message. */
static int take_option(int option, struct server *server, struct settings *settings)
{
	uint64_t n;
	switch (option) {
	case OPTION_UNIX:
		server->unix_path = optarg;
		return EXIT_DONE;
	case OPTION_PORT:
		if (!option_number("--port", optarg, 1, 65535, &n))
			return EXIT_USAGE;
		server->port = (unsigned)n;
		return EXIT_DONE;
	case OPTION_THREADS:
		if (!option_number("--threads", optarg, 1, THREADS_MAX, &n))
			return EXIT_USAGE;
		server->threads = (unsigned)n;
		return EXIT_DONE;
	case OPTION_RUN:
		settings->run = optarg;
		return EXIT_DONE;
	case OPTION_PLUGIN:
		server->plugin = optarg;
		return EXIT_DONE;
	case OPTION_JSON:
		settings->json = true;
		return EXIT_DONE;
	default:
		return EXIT_USAGE;
	}
}

static int run(int argc, char **argv)
{
	struct server server = { 0 };
	struct settings settings = { false, NULL };
	int status = EXIT_DONE;
	for (int option; (option = option_next(argc, argv, ":h", long_options)) != -1;) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_DONE;
		}
		status = take_option(option, &server, &settings);
		if (status != EXIT_DONE)
			return status;
	}
	if (server.unix_path != NULL && server.port)
		return message_usage("only one of --unix and --port");
	if (settings.json && settings.run != NULL)
		return message_usage("only one of --json and --run");
	server.parameters = argv + optind;
	status = check_parameters(server.parameters);
	if (status != EXIT_DONE)
		return status;
	if (!server_start(&server))
		return EXIT_BROKEN;
	notify_manager("READY=1");
	if (settings.run != NULL) {
		status = server_run(&server, settings.run);
		return status < 0 ? EXIT_BROKEN : status;
	}
	bool printed = true;
	if (settings.json)
		serve_print_json(&server);
	else
		printed = serve_print_text(&server);
	fflush(stdout);
	return server_wait(&server) && printed ? EXIT_DONE : EXIT_BROKEN;
}

const struct command serve_command = {
	"serve",
	"serve a disk in compressed memory, with nbdkit",
	help,
	long_options,
	run,
};
