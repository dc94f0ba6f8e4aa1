/* SPDX-License-Identifier: BSD-3-Clause */
/* advise.c - zs advise: which zram settings suit some data, and what they will bring. */

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <lzo/lzo1x.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "advise_choose.h"
#include "advise_html.h"
#include "advise_json.h"
#include "advise_predict.h"
#include "advise_print.h"
#include "advise_survey.h"
#include "command.h"
#include "interrupt.h"
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
	OPTION_FILES_FROM
};

enum { MOST_THREADS = 1024, DEFAULT_SAMPLE = 64 << 20, DEFAULT_SURVEY = 1 << 20, QUICK_SURVEY = 1 << 18 };

static const struct option long_options[] = {
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
	OPTIONS_END,
};

static const char help[] = "usage: zs advise [OPTION]... FILE...\n"
			   "       zs advise [OPTION]... --pid PID\n"
			   "\n"
			   "Say which zram settings suit the pages of the files, or a live process's\n"
			   "writable memory: try every compression algorithm, level, block size and a\n"
			   "trained dictionary, measure their speed here, predict what the kernel's zram\n"
			   "(to the byte) and libzram would hold, and recommend settings, ready to paste.\n"
			   "A FILE may be a block device or a pipe; - is standard input.\n"
			   "\n"
			   "  --pid PID               read the memory of this process; may be repeated\n"
			   "  --pad                   say nothing of last pages that are not whole: they\n"
			   "                          count as filled with zeros, as in the kernel's memory\n"
			   "  --no-pad                leave such pages out\n"
			   "  --files-from LIST       read names of further files from LIST, one a line;\n"
			   "                          - is standard input\n"
			   "  -0, --null              names in LIST end with a null byte (find -print0)\n"
			   "  --sample SIZE|all       read no more than this, in pieces spread evenly over\n"
			   "                          the input (default 64M)\n"
			   "  --survey SIZE           try the candidates on so much of the sample\n"
			   "                          (default 1M; 256K with --quick)\n"
			   "  --goal speed|balanced|density\n"
			   "                          what counts (default balanced)\n"
			   "  --access random|sequential\n"
			   "                          whether an access to 4 KiB pays for its whole block\n"
			   "                          (random, the default) or blocks are used from end to\n"
			   "                          end\n"
			   "  --quick                 only a few levels of each algorithm: seconds\n"
			   "  --threads N             threads to compress with where no time is taken\n"
			   "                          (default: one for each processor)\n"
			   "  --html FILE             write a report with charts too, a single page\n"
			   "  --json                  print one JSON object, sizes in bytes\n"
			   "  -h, --help              show this\n"
			   "\n"
			   "exit status: 0 all done; 1 some inputs had problems, the rest is done; 2 wrong\n"
			   "usage; 3 out of memory, or can't print or write the report.\n"
			   "\n"
			   "example: zs advise --html report.html --pid \"$(pidof redis-server)\"\n";

struct arguments {
	struct advise_settings settings;
	enum part_pages parts;
	bool json, null, help;
	const char *html, *files_from;
	char **files;
	size_t file_count;
	int *pids; /* room for as many as there are arguments */
	size_t pid_count;
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

static bool read_arguments(struct arguments *args, int argc, char **argv)
{
	for (int option; (option = option_next(argc, argv, ":h0", long_options)) != -1;) {
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
		message_usage("--html '-': standard output has the text already; for the report too say --html /dev/stdout");
	else if (args->html != NULL && !*args->html)
		message_usage("--html '': must be the name of a file");
	else
		return true;
	return false;
}

static bool add_inputs(struct page_set *set, const struct arguments *args)
{
	bool added = true;
	for (size_t i = 0; i < args->file_count && added && !set->full && !interrupted(); i++)
		added = page_set_add_file(set, args->files[i]);
	if (args->files_from != NULL && added && !set->full && !interrupted())
		added = page_set_add_list(set, args->files_from, args->null);
	for (size_t i = 0; i < args->pid_count && added && !interrupted(); i++)
		added = page_set_add_process(set, args->pids[i]);
	if (!added)
		message("out of memory: too many inputs");
	return added;
}

/* All measurements. False after a message; also ends when interrupted(). */
static bool measure(struct advice *advice)
{
	if (!advise_prepare(advice) || !advise_survey(advice))
		return false;
	if (interrupted())
		return true;
	advise_choose(advice);
	return advise_predict(advice);
}

static void advice_free(struct advice *advice)
{
	for (unsigned i = 0; i < BLOCK_SIZES; i++) {
		if (advice->geometries.kernel[i].pool != NULL)
			zs_destroy_pool(advice->geometries.kernel[i].pool);
		if (advice->geometries.dense[i].pool != NULL)
			zs_destroy_pool(advice->geometries.dense[i].pool);
	}
	for (size_t i = 0; i < advice->prediction_count; i++)
		prediction_free(&advice->predictions[i]);
	free(advice->candidates);
	free(advice->survey);
	free(advice->dictionary.bytes);
	sample_destroy(&advice->sample);
}

/* set has pages. The exit status. */
static int advise(struct page_set *set, const struct arguments *args)
{
	struct advice advice = { .settings = args->settings, .inputs = set->input_count };
	int status = EXIT_BROKEN;
	advice.ram_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	bool good = sample_take(&advice.sample, set, args->settings.sample_bytes);
	if (good)
		advice.given_back = page_set_report(set);
	advice.padded = page_set_padded(set);
	advice.cut_streams = set->cut_streams;
	if (good && !interrupted() && advice.sample.pages == 0) {
		message("nothing to advise on: no page could be read");
		status = EXIT_PARTLY;
	} else if (good && !interrupted() && measure(&advice) && !interrupted()) {
		status = message_problem_count() ? EXIT_PARTLY : EXIT_DONE;
		if (args->html != NULL && !advise_html(&advice, args->html))
			status = EXIT_BROKEN;
		if (args->json)
			advise_json(&advice);
		else
			advise_print(&advice);
	}
	advice_free(&advice);
	return status;
}

static int advise_inputs(const struct arguments *args)
{
	struct page_set set;
	int status = EXIT_PARTLY;
	page_set_init(&set, SAMPLE_PAGE, args->parts);
	set.sample_bytes = args->settings.sample_bytes;
	interrupt_catch();
	bool added = add_inputs(&set, args);
	if (added && !interrupted())
		page_set_tell(&set);
	if (!added)
		status = EXIT_BROKEN;
	else if (set.pages > 0 && !interrupted())
		status = advise(&set, args);
	else if (!interrupted())
		message("nothing to advise on");
	page_set_destroy(&set);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments args = {
		.settings = { .sample_bytes = DEFAULT_SAMPLE, .goal = GOAL_BALANCED, .threads = default_threads() }
	};
	args.pids = calloc((size_t)argc, sizeof(*args.pids));
	if (args.pids == NULL || lzo_init() != LZO_E_OK) {
		message(args.pids != NULL ? "the LZO library is not what it was built for" : "out of memory");
		free(args.pids);
		return EXIT_BROKEN;
	}
	int status = EXIT_DONE;
	if (!read_arguments(&args, argc, argv))
		status = EXIT_USAGE;
	else if (args.help)
		fputs(help, stdout);
	else
		status = advise_inputs(&args);
	free(args.pids);
	if (interrupted())
		interrupt_die();
	return status;
}

const struct command advise_command = {
	"advise",
	"say which zram settings suit some data, and what they will bring",
	help,
	run,
};
