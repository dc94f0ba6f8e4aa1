/* SPDX-License-Identifier: BSD-3-Clause */
/* serve.c - zs serve: a disk in compressed memory, until it is stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "server.h"

enum {
	OPTION_UNIX = OPTION_OWN,
	OPTION_PORT,
	OPTION_PLUGIN,
};

static const struct option long_options[] = {
	{ "unix", required_argument, NULL, OPTION_UNIX },
	{ "port", required_argument, NULL, OPTION_PORT },
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
			   "  --plugin FILE   the plugin (default: the one that came with zs)\n"
			   "  --json          say where the disk is as one JSON object\n"
			   "  -h, --help      show this\n"
			   "\n"
			   "exit status: 0 stopped by a signal, as it should be; 2 wrong usage; 3 nbdkit\n"
			   "could not start, or ended with an error, or can't print.\n"
			   "\n"
			   "example: zs serve 4G algorithm=zstd snapshot=disk.zram\n";

static void print_text(const struct server *s)
{
	const char *uri = s->uri;
	printf("The disk is at\n\n  %s\n\n", uri);
	printf("  look at it     nbdinfo '%s'\n", uri);
	printf("  copy in, out   nbdcopy FILE '%s'; nbdcopy '%s' FILE\n", uri, uri);
	printf("  an image       qemu-img convert -n -O raw IMAGE '%s'\n", uri);
	printf("  in QEMU        -drive 'file=%s,format=raw,if=virtio,discard=unmap'\n", uri);
	printf("  as a file      mkdir DIR && nbdfuse DIR '%s'\n", uri);
	if (s->socket)
		printf("  as /dev/nbd0   nbd-client -b 4096 -unix %s /dev/nbd0\n", s->socket);
	else
		printf("  as /dev/nbd0   nbd-client -b 4096 localhost %u /dev/nbd0\n", s->port);
	printf("  watch it       zs top %s\n", s->control);
	printf("  change it      zs ctl %s get mm_stat\n", s->control);
	printf("\nCtrl-C, or a signal to process %ld, stops it.\n", (long)s->pid);
}

static void print_json(const struct server *s)
{
	struct json j = JSON_INIT(stdout);
	json_begin_object(&j, NULL);
	json_string(&j, "uri", s->uri);
	if (s->socket)
		json_string(&j, "socket", s->socket);
	json_string(&j, "control", s->control);
	json_uint(&j, "pid", (uint64_t)s->pid);
	json_end_object(&j);
}

/* The first one may be the size alone; all others are NAME=VALUE. */
static int check_parameters(char **parameters)
{
	if (!*parameters)
		return message_usage("no SIZE is given");
	for (char **p = parameters; *p; p++)
		if (!strchr(*p, '=') && p != parameters)
			return message_usage("unexpected argument '%s'", *p);
	return EXIT_DONE;
}

static int run(int argc, char **argv)
{
	struct server server = { 0 };
	bool json = false;
	uint64_t n;
	for (int option; (option = option_next(argc, argv, ":h", long_options)) != -1;) {
		switch (option) {
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		case OPTION_UNIX:
			server.unix_path = optarg;
			break;
		case OPTION_PORT:
			if (!option_number("--port", optarg, 1, 65535, &n))
				return EXIT_USAGE;
			server.port = (unsigned)n;
			break;
		case OPTION_PLUGIN:
			server.plugin = optarg;
			break;
		case OPTION_JSON:
			json = true;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (server.unix_path && server.port)
		return message_usage("only one of --unix and --port");
	server.parameters = argv + optind;
	int status = check_parameters(server.parameters);
	if (status != EXIT_DONE)
		return status;
	if (!server_start(&server))
		return EXIT_BROKEN;
	if (json)
		print_json(&server);
	else
		print_text(&server);
	fflush(stdout);
	return server_wait(&server) ? EXIT_DONE : EXIT_BROKEN;
}

const struct command serve_command = {
	"serve",
	"serve a disk in compressed memory, with nbdkit",
	help,
	run,
};
