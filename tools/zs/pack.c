/* SPDX-License-Identifier: BSD-3-Clause */
/* pack.c - zs pack: store real pages, read them back, say what that took. */
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "interrupt.h"
#include "kernel_view.h"
#include "message.h"
#include "options.h"
#include "packer.h"
#include "pages.h"
#include "report.h"
#include "spare_memory.h"

enum { OPTION_ALGO = OPTION_OWN, OPTION_THREADS, OPTION_PID, OPTION_PAD, OPTION_NO_PAD, OPTION_FILES_FROM };

enum { MOST_THREADS = 1024 };

/*
 * Of the memory that is to be had, what keeps track of pages takes no more than this part; with the store
 * STORE_PERCENT.
 */
enum { RECORDS_PART = 2, STORE_PERCENT = 75 };

static const struct option long_options[] = {
	POOL_OPTIONS,
	JSON_OPTION,
	HELP_OPTION,
	{ "algo", required_argument, NULL, OPTION_ALGO },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "pid", required_argument, NULL, OPTION_PID },
	{ "pad", no_argument, NULL, OPTION_PAD },
	{ "no-pad", no_argument, NULL, OPTION_NO_PAD },
	{ "files-from", required_argument, NULL, OPTION_FILES_FROM },
	{ "null", no_argument, NULL, '0' },
	{ "recursive", no_argument, NULL, 'r' },
	OPTIONS_END,
};

static const char help[] =
	"usage: zs pack [OPTION]... FILE...\n"
	"       zs pack [OPTION]... --pid PID\n"
	"\n"
	"Compress every page of the files, or of a live process's writable memory, store\n"
	"them in a zram device, read everything back, compare it, and print what it took:\n"
	"density, compression ratio, speed, and what the kernel's zram would hold for the\n"
	"same pages. A FILE may be a block device or a pipe; - is standard input.\n"
	"\n" POOL_OPTIONS_HELP "  --algo lz4|lz4hc|lzo|lzo-rle|zstd|deflate\n"
	"                          the compressor, at its usual level (default lz4)\n"
	"  --threads N             threads to store and read with (default: one for each\n"
	"                          processor)\n"
	"  --pid PID               read the memory of this process; may be repeated\n"
	"  --pad                   say nothing of last pages that are not whole: they\n"
	"                          count as filled with zeros, as in the kernel's memory\n"
	"  --no-pad                leave such pages out\n"
	"  --files-from LIST       read names of further files from LIST, one a line;\n"
	"                          - is standard input\n"
	"  -r, --recursive         of a FILE that is a directory take all files in it\n"
	"  -0, --null              names in LIST end with a null byte (find -print0)\n"
	"  --json                  print one JSON object, sizes in bytes\n"
	"  -h, --help              show this\n"
	"\n"
	"exit status: 0 all done and equal; 1 some inputs had problems, the rest is done;\n"
	"2 wrong usage; 3 what was read back differs, or out of memory, or can't print.\n"
	"\n"
	"example: zs pack --pad /usr/lib/x86_64-linux-gnu/*.so.*\n";

struct arguments {
	struct pool_settings pool;
	const char *algorithm;
	unsigned threads;
	enum part_pages parts;
	bool json, null, recursive, help;
	const char *files_from;
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

/* The device's own names; which of them there are, it knows. */
static bool take_algorithm(struct arguments *args, const char *name)
{
	struct zram *device = zram_create("zs pack", NULL);
	bool known = device != NULL && zram_attr_set(device, "comp_algorithm", name) == 0;
	if (!known)
		message_usage("--algo '%s': must be lz4, lz4hc, lzo, lzo-rle, zstd or deflate", name);
	zram_destroy(device);
	args->algorithm = name;
	return known;
}

static bool take_option(struct arguments *args, int option)
{
	uint64_t n;
	switch (option) {
	case OPTION_ALGO:
		return take_algorithm(args, optarg);
	case OPTION_THREADS:
		if (!option_number("--threads", optarg, 1, MOST_THREADS, &n))
			return false;
		args->threads = (unsigned)n;
		return true;
	case OPTION_PID:
		if (!option_number("--pid", optarg, 1, INT_MAX, &n))
			return false;
		args->pids[args->pid_count++] = (int)n;
		return true;
	case OPTION_PAD:
		args->parts = PARTS_PADDED_QUIET;
		return true;
	case OPTION_NO_PAD:
		args->parts = PARTS_LEFT_OUT;
		return true;
	case OPTION_FILES_FROM:
		args->files_from = optarg;
		return true;
	case OPTION_JSON:
		args->json = true;
		return true;
	case 'r':
		args->recursive = true;
		return true;
	case '0':
		args->null = true;
		return true;
	case 'h':
		args->help = true;
		return true;
	case OPTION_BAD:
		return false;
	default:
		return pool_settings_option(&args->pool, option, optarg);
	}
}

static bool check_arguments(const struct arguments *args)
{
	bool reads_stdin = args->files_from != NULL && strcmp(args->files_from, "-") == 0;
	size_t from_stdin = reads_stdin;
	for (size_t i = 0; i < args->file_count; i++)
		from_stdin += strcmp(args->files[i], "-") == 0;
	if (args->null && args->files_from == NULL)
		message_usage("--null goes with --files-from");
	else if (args->files_from == NULL && args->file_count == 0 && args->pid_count == 0)
		message_usage("no FILE and no --pid given");
	else if (from_stdin > 1)
		message_usage("standard input can be read only once");
	else
		return pool_settings_check(&args->pool);
	return false;
}

static bool read_arguments(struct arguments *args, int argc, char **argv)
{
	for (int option; (option = option_next(argc, argv, ":h0r", long_options)) != -1;) {
		if (!take_option(args, option))
			return false;
		if (args->help)
			return true;
	}
	args->files = argv + optind;
	args->file_count = (size_t)(argc - optind);
	return check_arguments(args);
}

static bool add_inputs(struct page_set *set, const struct arguments *args)
{
	bool added = true;
	for (size_t i = 0; i < args->file_count && added && !set->full && !interrupted(); i++)
		added = args->recursive ? page_set_add_tree(set, args->files[i])
					: page_set_add_file(set, args->files[i]);
	if (args->files_from != NULL && added && !set->full && !interrupted())
		added = page_set_add_list(set, args->files_from, args->null, args->recursive);
	for (size_t i = 0; i < args->pid_count && added && !interrupted(); i++)
		added = page_set_add_process(set, args->pids[i]);
	if (!added)
		message("out of memory: too many inputs");
	return added;
}

/* Both passes and what the kernel would hold, into the report. False when it could not be done to the end. */
static bool measure(struct packer *packer, struct report *report)
{
	struct zs_pool_stats stats = ZS_POOL_STATS_INIT;
	if (!packer_store(packer) || interrupted())
		return false;
	zs_pool_stats(zram_get_pool(packer->device), &stats);
	report->held_bytes = stats.bytes_total;
	report->metadata_bytes = stats.bytes_metadata;
	if (!packer_check(packer) || interrupted())
		return false;
	report->given_back = page_set_report(packer->set);
	return kernel_view_of(packer, &report->kernel) && !interrupted();
}

/* What the store may take, 0: as much as it needs, since that much is there even if nothing shrinks. */
static uint64_t store_limit(const struct page_set *set)
{
	uint64_t most = spare_memory() / 100 * STORE_PERCENT, records = set->pages * PAGE_RECORD_BYTES;
	uint64_t bytes = set->pages * set->page_size;
	if (bytes + bytes / 8 + records < most)
		return 0;
	return records < most / 2 ? most - records : most / 2;
}

/* A device with a block for each page. NULL after a message. */
static struct zram *create_device(const struct page_set *set, const struct arguments *args, uint64_t limit)
{
	struct zram_options options = ZRAM_OPTIONS_INIT;
	options.disksize = set->pages * set->page_size;
	options.block_size = set->page_size;
	options.mem_limit = limit;
	options.comp_algorithm = args->algorithm;
	options.pool.geometry = args->pool.geometry;
	options.pool.chain_size = args->pool.chain_size;
	struct zram *device = zram_create("zs pack", &options);
	if (device == NULL)
		message("the store can't be made: %s", zram_strerror());
	return device;
}

/* set has pages. The exit status. */
static int pack(struct page_set *set, const struct arguments *args)
{
	struct packer packer;
	struct report report = { .settings = &args->pool, .algorithm = args->algorithm, .packer = &packer };
	uint64_t limit = store_limit(set);
	struct zram *device = create_device(set, args, limit);
	if (device == NULL)
		return EXIT_BROKEN;
	report.longest_zspage = pool_longest_zspage(zram_get_pool(device));
	bool done = packer_init(&packer, set, device, args->threads);
	packer.limit_bytes = limit;
	done = done && measure(&packer, &report);
	if (done && args->json)
		report_json(&report);
	else if (done)
		report_print(&report);
	packer_destroy(&packer);
	zram_destroy(device);
	if (!done || packer.broken)
		return EXIT_BROKEN;
	return message_problem_count() ? EXIT_PARTLY : EXIT_DONE;
}

static int pack_inputs(const struct arguments *args)
{
	struct page_set set;
	int status = EXIT_PARTLY;
	page_set_init(&set, args->pool.page_size, args->parts);
	set.most_pages = spare_memory() / RECORDS_PART / PAGE_RECORD_BYTES;
	interrupt_catch();
	bool added = add_inputs(&set, args);
	if (added && !interrupted())
		page_set_tell(&set);
	if (!added)
		status = EXIT_BROKEN;
	else if (set.pages > 0 && !interrupted())
		status = pack(&set, args);
	else if (!interrupted())
		message("nothing to pack");
	page_set_destroy(&set);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments args = { .pool = POOL_SETTINGS_INIT, .algorithm = "lz4", .threads = default_threads() };
	args.pids = calloc((size_t)argc, sizeof(*args.pids));
	if (args.pids == NULL) {
		message("out of memory");
		return EXIT_BROKEN;
	}
	int status = EXIT_DONE;
	if (!read_arguments(&args, argc, argv))
		status = EXIT_USAGE;
	else if (args.help)
		fputs(help, stdout);
	else
		status = pack_inputs(&args);
	free(args.pids);
	if (interrupted())
		interrupt_die();
	return status;
}

const struct command pack_command = {
	"pack",
	"store real pages compressed, check them, print what that took",
	help,
	long_options,
	run,
};
