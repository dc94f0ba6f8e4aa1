/* SPDX-License-Identifier: BSD-3-Clause */
/* advise.c - zs advise: which zram settings suit some data, and what they will bring. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "advise_choose.h"
#include "advise_figures.h"
#include "advise_geometry.h"
#include "advise_html.h"
#include "advise_json.h"
#include "advise_options.h"
#include "advise_predict.h"
#include "advise_print.h"
#include "advise_recompress.h"
#include "advise_stream.h"
#include "advise_survey.h"
#include "command.h"
#include "interrupt.h"
#include "message.h"
#include "pages.h"

static const char help[] = "usage: zs advise [OPTION]... FILE...\n"
			   "       zs advise [OPTION]... --pid PID\n"
			   "\n"
			   "Say which zram settings suit the pages of the files, or a live process's\n"
			   "writable memory: try every compression algorithm, level, block size and a\n"
			   "trained dictionary, measure their speed here, predict what the kernel's zram\n"
			   "and libzram would hold, and recommend settings, ready to paste. With the\n"
			   "kernel's default, lzo-rle, and with lzo and lz4 its mm_stat is exact.\n"
			   "A FILE may be a block device or a pipe; - is standard input.\n"
			   "\n"
			   "  --pid PID               read the memory of this process; may be repeated\n"
			   "  --pad                   say nothing of last pages that are not whole: they\n"
			   "                          count as filled with zeros, as in the kernel's memory\n"
			   "  --no-pad                leave such pages out\n"
			   "  --files-from LIST       read names of further files from LIST, one a line;\n"
			   "                          - is standard input\n"
			   "  -0, --null              names in LIST end with a null byte (find -print0)\n"
			   "  -r, --recursive         of a FILE that is a directory read all files in it\n"
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
			   "  --idle PERCENT          so many of the blocks lie idle, and could be\n"
			   "                          compressed again with a second algorithm (default\n"
			   "                          50; 0: say nothing of that)\n"
			   "  --reads N               a block is read so often for each time that it is\n"
			   "                          written (default 1)\n"
			   "  --quick                 only a few levels of each algorithm: two seconds\n"
			   "                          instead of ten\n"
			   "  --threads N             threads to compress with\n"
			   "                          (default: one for each processor)\n"
			   "  --html FILE             write a report with charts too, a single page\n"
			   "  --json                  print one JSON object, sizes in bytes\n"
			   "  -h, --help              show this\n"
			   "\n"
			   "exit status: 0 all done; 1 some inputs had problems, the rest is done; 2 wrong\n"
			   "usage; 3 out of memory, or can't print or write the report.\n"
			   "\n"
			   "example: zs advise --html report.html --pid \"$(pidof redis-server)\"\n";

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

/* All measurements. False after a message; also ends when interrupted(). */
static bool measure(struct advice *advice, struct page_set *set)
{
	advice->pages = advice->sample.pages;
	advice->stripes = (advice->sample.pages + STRIPE_PAGES - 1) / STRIPE_PAGES;
	if (!geometries_make(&advice->geometries) || !survey_make_candidates(advice) || !advise_predict(advice))
		return false;
	if (advice->dictionary.size)
		survey_add_candidates(advice, true);
	if (interrupted() || !advise_survey(advice))
		return interrupted();
	figures_scale(advice);
	advise_choose(advice);
	if (!advise_predict_choices(advice))
		return false;
	if (!interrupted() && advice->sample.part && advice->settings.sample_bytes == UINT64_MAX &&
	    !advise_stream(advice, set))
		return false;
	if (interrupted())
		return true;
	advice->given_back = page_set_report(set);
	figures_scale(advice);
	advise_reason(advice);
	return advise_recompress(advice);
}

static void advice_free(struct advice *advice)
{
	geometries_free(&advice->geometries);
	for (size_t i = 0; i < advice->prediction_count; i++)
		prediction_free(&advice->predictions[i]);
	free(advice->candidates);
	free(advice->survey);
	free(advice->lessons);
	free(advice->order);
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
	advice.padded = page_set_padded(set);
	advice.cut_streams = set->cut_streams;
	if (good && !interrupted() && advice.sample.pages == 0) {
		page_set_report(set);
		message("nothing to advise on: no page could be read");
		status = EXIT_PARTLY;
	} else if (good && !interrupted() && measure(&advice, set) && !interrupted()) {
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
	struct arguments args = { .pids = NULL };
	args.pids = calloc((size_t)argc, sizeof(*args.pids));
	if (args.pids == NULL) {
		message("out of memory");
		return EXIT_BROKEN;
	}
	int status = EXIT_DONE;
	if (!advise_options_read(&args, argc, argv))
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
	advise_long_options,
	run,
};
