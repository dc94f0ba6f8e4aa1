/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_options.c - what the command line of zs advise may say, and what is wrong with it. */
#include "advise_options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "advise_figures.h"
#include "message.h"
#include "options.h"
#include "pages.h"

enum {
	OPTION_PID = OPTION_OWN,
	OPTION_PAD,
	OPTION_NO_PAD,
	OPTION_SAMPLE,
	OPTION_SURVEY,
	OPTION_GOAL,
	OPTION_ACCESS,
	OPTION_QUICK,
	OPTION_THREADS,
	OPTION_HTML,
	OPTION_FILES_FROM,
	OPTION_IDLE,
	OPTION_READS
};

enum {
	MOST_THREADS = 1024,
	USUAL_IDLE_PERCENT = 50,
	DEFAULT_SAMPLE = 64 << 20,
	DEFAULT_SURVEY = 1 << 20,
	QUICK_SURVEY = 1 << 18
};

const struct option advise_long_options[] = {
	JSON_OPTION,
	HELP_OPTION,
	{ "pid", required_argument, NULL, OPTION_PID },
	{ "pad", no_argument, NULL, OPTION_PAD },
	{ "no-pad", no_argument, NULL, OPTION_NO_PAD },
	{ "sample", required_argument, NULL, OPTION_SAMPLE },
	{ "survey", required_argument, NULL, OPTION_SURVEY },
	{ "goal", required_argument, NULL, OPTION_GOAL },
	{ "access", required_argument, NULL, OPTION_ACCESS },
	{ "quick", no_argument, NULL, OPTION_QUICK },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "html", required_argument, NULL, OPTION_HTML },
	{ "files-from", required_argument, NULL, OPTION_FILES_FROM },
	{ "null", no_argument, NULL, '0' },
	{ "recursive", no_argument, NULL, 'r' },
	{ "idle", required_argument, NULL, OPTION_IDLE },
	{ "reads", required_argument, NULL, OPTION_READS },
	OPTIONS_END,
};

/* Processors this process may run on, which is what a container's limits leave. */
static unsigned default_threads(void)
{
	cpu_set_t cpus;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		return (unsigned)CPU_COUNT(&cpus);
	long online = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than a cpu_set_t holds */
	return online < 1 ? 1 : online > MOST_THREADS ? MOST_THREADS : (unsigned)online;
}

/* Bytes, with K, M or G (KiB, MiB, GiB): at least a piece of the sample. */
static bool take_size(const char *name, const char *text, uint64_t *bytes)
{
	char *end = NULL;
	errno = 0;
	unsigned long long n = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
	unsigned shift = 0;
	if (end != NULL && *end) {
		const char *unit = strchr("KMG", toupper((unsigned char)*end));
		shift = unit != NULL ? 10 * (unsigned)(strchr("KMG", *unit) - "KMG" + 1) : 0;
		if (unit == NULL || (end[1] && strcmp(end + 1, "iB") != 0))
			end = NULL;
	}
	if (end == NULL || errno || n > (UINT64_MAX >> 16 >> shift) || (n << shift) < PIECE_BYTES) {
		message_usage("%s '%s': must be a size of at least 64K, as 256K, 64M or 1G%s", name, text,
			      strcmp(name, "--sample") == 0 ? ", or all" : "");
		return false;
	}
	*bytes = n << shift;
	return true;
}

static bool take_goal(const char *text, enum goal *goal)
{
	for (enum goal g = GOAL_SPEED; g <= GOAL_DENSITY; g++)
		if (strcmp(text, goal_name(g)) == 0) {
			*goal = g;
			return true;
		}
	message_usage("--goal '%s': must be speed, balanced or density", text);
	return false;
}

static bool take_access(const char *text, bool *sequential)
{
	*sequential = strcmp(text, "sequential") == 0;
	if (*sequential || strcmp(text, "random") == 0)
		return true;
	message_usage("--access '%s': must be random or sequential", text);
	return false;
}

/* One option, after those that have a number. */
static bool take_option(struct arguments *args, int option)
{
	uint64_t n = 0;
	switch (option) {
	case OPTION_PID:
		if (!option_number("--pid", optarg, 1, INT_MAX, &n))
			return false;
		args->pids[args->pid_count++] = (int)n;
		return true;
	case OPTION_THREADS:
		if (!option_number("--threads", optarg, 1, MOST_THREADS, &n))
			return false;
		args->settings.threads = (unsigned)n;
		return true;
	case OPTION_IDLE:
		if (!option_number("--idle", optarg, 0, 100, &n))
			return false;
		args->settings.idle_percent = (unsigned)n;
		return true;
	case OPTION_READS:
		if (!option_number("--reads", optarg, 0, MOST_READS, &n))
			return false;
		args->settings.reads = (unsigned)n;
		return true;
	case OPTION_SAMPLE:
		if (strcmp(optarg, "all") != 0)
			return take_size("--sample", optarg, &args->settings.sample_bytes);
		args->settings.sample_bytes = UINT64_MAX;
		return true;
	case OPTION_SURVEY:
		return take_size("--survey", optarg, &args->settings.survey_bytes);
	case OPTION_GOAL:
		return take_goal(optarg, &args->settings.goal);
	case OPTION_ACCESS:
		return take_access(optarg, &args->settings.sequential);
	case OPTION_PAD:
		args->parts = PARTS_PADDED_QUIET;
		return true;
	case OPTION_NO_PAD:
		args->parts = PARTS_LEFT_OUT;
		return true;
	case OPTION_QUICK:
		args->settings.quick = true;
		return true;
	case OPTION_HTML:
		args->html = optarg;
		return true;
	case OPTION_FILES_FROM:
		args->files_from = optarg;
		return true;
	case 'r':
		args->recursive = true;
		return true;
	case '0':
		args->null = true;
		return true;
	case OPTION_JSON:
		args->json = true;
		return true;
	case 'h':
		args->help = true;
		return true;
	default:
		return false;
	}
}

bool advise_options_read(struct arguments *args, int argc, char **argv)
{
	args->settings = (struct advise_settings){ .sample_bytes = DEFAULT_SAMPLE,
						   .goal = GOAL_BALANCED,
						   .threads = default_threads(),
						   .idle_percent = USUAL_IDLE_PERCENT,
						   .reads = 1 };
	for (int option; (option = option_next(argc, argv, ":h0r", advise_long_options)) != -1;) {
		if (!take_option(args, option))
			return false;
		if (args->help)
			return true;
	}
	args->files = argv + optind;
	args->file_count = (size_t)(argc - optind);
	if (args->settings.survey_bytes == 0)
		args->settings.survey_bytes = args->settings.quick ? QUICK_SURVEY : DEFAULT_SURVEY;
	size_t from_stdin = args->files_from != NULL && strcmp(args->files_from, "-") == 0;
	for (size_t i = 0; i < args->file_count; i++)
		from_stdin += strcmp(args->files[i], "-") == 0;
	if (args->null && args->files_from == NULL)
		message_usage("--null goes with --files-from");
	else if (args->files_from == NULL && args->file_count == 0 && args->pid_count == 0)
		message_usage("no FILE and no --pid given");
	else if (from_stdin > 1)
		message_usage("standard input can be read only once");
	else if (args->html != NULL && strcmp(args->html, "-") == 0)
		message_usage(
			"--html '-': standard output has the text already; for the report too say --html /dev/stdout");
	else if (args->html != NULL && !*args->html)
		message_usage("--html '': must be the name of a file");
	else
		return true;
	return false;
}
