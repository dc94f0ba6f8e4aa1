/* SPDX-License-Identifier: BSD-3-Clause */
/* top.c - zs top: what a served disk holds and does, again and again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "disk_view.h"
#include "interrupt.h"
#include "message.h"
#include "options.h"

enum {
	OPTION_ONCE = OPTION_OWN,
	PLAIN_COLUMNS = 100,
	PLAIN_LINES = 21,
	COLUMNS_MIN = 40,
	LINES_MIN = 12,
	NAP_MS = 50, /* an interrupt is noticed after that */
};

static const struct option long_options[] = {
	{ "count", required_argument, NULL, 'n' },
	{ "interval", required_argument, NULL, 'd' },
	{ "once", no_argument, NULL, OPTION_ONCE },
	HELP_OPTION,
	OPTIONS_END,
};

static const char help[] = "usage: zs top [OPTION]... SOCKET|DIRECTORY\n"
			   "\n"
			   "Show what a disk holds and does while it is being served: sizes, memory,\n"
			   "operations a second, compaction, memory pressure, and how full the pages of the\n"
			   "largest size classes are. SOCKET is what the server was given as control=;\n"
			   "DIRECTORY one that zs mount has made, whose files are counted as well.\n"
			   "\n"
			   "  -n, --count N      end after N views (default: when interrupted)\n"
			   "  -d, --interval S   seconds between two, 1 to 3600 (default 1)\n"
			   "  --once             the same as -n 1: one view, with totals and not rates\n"
			   "  -h, --help         show this\n"
			   "\n"
			   "On a terminal each view takes the place of the one before; elsewhere they\n"
			   "follow each other.\n"
			   "\n"
			   "exit status: 0 done; 2 wrong usage; 3 no server, out of memory, or can't print.\n"
			   "\n"
			   "example: zs top /run/disk.ctl\n";

struct settings {
	uint64_t count; /* views; 0: until interrupted */
	uint64_t interval_s;
};

static bool on_terminal(void)
{
	const char *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && term != NULL && *term && strcmp(term, "dumb") != 0;
}

static struct view current_view(bool terminal)
{
	struct view view = { PLAIN_COLUMNS, PLAIN_LINES, "" };
	struct winsize size;
	if (!terminal)
		return view;
	view.end = "\033[K";
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		view.columns = size.ws_col > COLUMNS_MIN ? size.ws_col : COLUMNS_MIN;
		view.lines = size.ws_row > LINES_MIN + 1 ? size.ws_row - 1u : LINES_MIN;
	}
	return view;
}

/* False: interrupted. */
static bool wait_seconds(uint64_t seconds)
{
	const struct timespec nap = { .tv_nsec = NAP_MS * 1000000 };
	for (uint64_t i = 0; i < seconds * 1000 / NAP_MS && !interrupted(); i++)
		nanosleep(&nap, NULL);
	return !interrupted();
}

static int watch(struct control_client *client, const char *name, const struct settings *settings)
{
	static struct disk_sample samples[2];
	bool terminal = on_terminal();
	int status = EXIT_DONE;
	for (uint64_t i = 0; settings->count == 0 || i < settings->count; i++) {
		if (i > 0 && !wait_seconds(settings->interval_s))
			break;
		struct disk_sample *now = &samples[i % 2];
		const struct disk_sample *before = i > 0 ? &samples[(i + 1) % 2] : NULL;
		struct view view = current_view(terminal);
		if (!disk_sample_take(client, now)) {
			status = EXIT_BROKEN;
			break;
		}
		if (terminal)
			fputs(i == 0 ? "\033[H\033[2J" : "\033[H", stdout);
		else if (i > 0)
			putchar('\n');
		disk_view_print(stdout, &view, name, before, now);
		if (terminal)
			fputs("\033[J", stdout);
		if (fflush(stdout) != 0)
			break; /* main() says why */
	}
	return status;
}

static int run(int argc, char **argv)
{
	struct settings settings = { 0, 1 };
	for (int option; (option = option_next(argc, argv, ":hn:d:", long_options)) != -1;) {
		switch (option) {
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		case 'n':
			if (!option_number("--count", optarg, 1, 1000000000, &settings.count))
				return EXIT_USAGE;
			break;
		case 'd':
			if (!option_number("--interval", optarg, 1, 3600, &settings.interval_s))
				return EXIT_USAGE;
			break;
		case OPTION_ONCE:
			settings.count = 1;
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return message_usage("no SOCKET is given");
	if (optind + 1 < argc)
		return message_usage("unexpected argument '%s'", argv[optind + 1]);
	struct control_client client;
	if (!control_connect(&client, argv[optind]))
		return EXIT_BROKEN;
	interrupt_catch();
	int status = watch(&client, argv[optind], &settings);
	control_disconnect(&client);
	if (interrupted())
		interrupt_die();
	return status;
}

const struct command top_command = {
	"top",
	"watch a disk or directory while it is served",
	help,
	long_options,
	run,
};
