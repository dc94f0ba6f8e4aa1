/* SPDX-License-Identifier: BSD-3-Clause */
/* ctl.c - zs ctl: one request to a disk that is being served. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "control_client.h"
#include "message.h"
#include "options.h"
#include "paste.h"

enum {
	OPTION_PROMETHEUS = OPTION_OWN,
	OPTION_CLASSES,
};

static const struct option long_options[] = {
	JSON_OPTION,
	{ "prometheus", no_argument, NULL, OPTION_PROMETHEUS },
	{ "classes", no_argument, NULL, OPTION_CLASSES },
	HELP_OPTION,
	OPTIONS_END,
};

static const char help[] = "usage: zs ctl SOCKET get [ATTR]\n"
			   "       zs ctl SOCKET set ATTR [VALUE]...\n"
			   "       zs ctl SOCKET stats [--json | --prometheus | --classes]\n"
			   "       zs ctl SOCKET save [FILE]\n"
			   "\n"
			   "Ask or change a disk while it is being served. SOCKET is what the server was\n"
			   "given as control=; zs serve says where it is. A directory that zs mount has\n"
			   "made will do as well.\n"
			   "\n"
			   "  get      print an attribute: mm_stat, io_stat, bd_stat, block_state, ...;\n"
			   "           without ATTR all but the longest\n"
			   "  set      change one, or start what it stands for: compact, recompress,\n"
			   "           writeback, mem_limit, ...; the names and values are the kernel's,\n"
			   "           and a '-' in a name will do for '_'\n"
			   "  stats    print all statistics, as JSON where nothing else is said\n"
			   "  save     write a snapshot; without FILE to the server's save=\n"
			   "\n"
			   "  --json         statistics as one JSON object\n"
			   "  --prometheus   statistics for Prometheus\n"
			   "  --classes      the kernel's table of size classes\n"
			   "  -h, --help     show this\n"
			   "\n"
			   "exit status: 0 done; 1 the server refused, and says why; 2 wrong usage;\n"
			   "3 no server, out of memory, or can't print.\n"
			   "\n"
			   "example: zs ctl /run/disk.ctl set recompress \"type=idle algo=zstd\"\n";

/* What the command line asks for. */
struct request {
	const char *word;
	char *rest; /* to be freed; NULL: none */
};

/* The arguments with a blank between each. NULL without memory. */
static char *join(int argc, char **argv)
{
	size_t len = 1;
	for (int i = 0; i < argc; i++)
		len += strlen(argv[i]) + 1;
	char *all = calloc(1, len);
	for (int i = 0; all != NULL && i < argc; i++) {
		if (i)
			strcat(all, " ");
		strcat(all, argv[i]);
	}
	return all;
}

static const char *stats_format(int option)
{
	return option == OPTION_PROMETHEUS ? "prometheus" : option == OPTION_CLASSES ? "classes" : "json";
}

/* Fill *r. EXIT_DONE, or another status after a message. */
static int read_request(int argc, char **argv, int format, struct request *r)
{
	static const struct {
		const char *name;
		int least, most; /* arguments */
	} words[] = { { "get", 0, 1 }, { "set", 1, 1000 }, { "stats", 0, 0 }, { "save", 0, 1 } };
	size_t i = 0;
	const size_t count = sizeof(words) / sizeof(words[0]);
	while (i < count && strcmp(argv[0], words[i].name) != 0)
		i++;
	if (i == count)
		return message_usage("unknown request '%s': there are get, set, stats and save", argv[0]);
	if (argc - 1 < words[i].least || argc - 1 > words[i].most)
		return message_usage("%s: %s arguments", argv[0], argc - 1 < words[i].least ? "too few" : "too many");
	r->word = words[i].name;
	bool stats = strcmp(r->word, "stats") == 0;
	if (format && !stats)
		return message_usage("--json, --prometheus and --classes go with stats");
	if (stats)
		r->rest = strdup(stats_format(format));
	else if (argc == 1)
		return EXIT_DONE;
	else
		r->rest = strcmp(r->word, "save") == 0 ? absolute_path(argv[1]) : join(argc - 1, argv + 1);
	if (r->rest == NULL) {
		message("%s", strerror(errno));
		return EXIT_BROKEN;
	}
	if (strchr(r->rest, '\n') != NULL)
		return message_usage("%s: a line break can't be sent", r->word);
	return EXIT_DONE;
}

static int ask(const char *path, const struct request *r)
{
	struct control_client client;
	if (!control_connect(&client, path))
		return EXIT_BROKEN;
	int status = EXIT_DONE;
	switch (control_ask(&client, r->word, r->rest)) {
	case CONTROL_DONE:
		fwrite(client.body, 1, client.bytes, stdout);
		if (client.bytes && client.body[client.bytes - 1] != '\n')
			putchar('\n');
		break;
	case CONTROL_REFUSED:
		message("%s", client.body);
		status = EXIT_PARTLY;
		break;
	case CONTROL_LOST:
		status = EXIT_BROKEN;
		break;
	}
	control_disconnect(&client);
	return status;
}

static int run(int argc, char **argv)
{
	int format = 0;
	for (int option; (option = option_next(argc, argv, ":h", long_options)) != -1;) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_DONE;
		}
		if (option == OPTION_BAD)
			return EXIT_USAGE;
		if (format && format != option)
			return message_usage("only one of --json, --prometheus and --classes");
		format = option;
	}
	if (argc - optind < 2)
		return message_usage("%s", argc == optind ? "no SOCKET is given" : "no request is given");
	struct request r = { NULL, NULL };
	int status = read_request(argc - optind - 1, argv + optind + 1, format, &r);
	if (status == EXIT_DONE)
		status = ask(argv[optind], &r);
	free(r.rest);
	return status;
}

const struct command ctl_command = {
	"ctl",
	"ask or change a disk or directory while it is served",
	help,
	long_options,
	run,
};
