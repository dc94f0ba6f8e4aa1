/* SPDX-License-Identifier: BSD-3-Clause */
/* classes.c - zs classes: the table of size classes. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "json.h"
#include "message.h"
#include "options.h"
#include "units.h"

static const struct option long_options[] = {
	POOL_OPTIONS,
	JSON_OPTION,
	HELP_OPTION,
	OPTIONS_END,
};

static const char help[] = "usage: zs classes [OPTION]...\n"
			   "\n"
			   "Print the table of size classes: which sizes share a class, of how many pages\n"
			   "its zspages are made, how many objects fit in one, and what is left over.\n"
			   "\n" POOL_OPTIONS_HELP "  --json                  print one JSON object, sizes in bytes\n"
			   "  -h, --help              show this\n"
			   "\n"
			   "exit status: 0 done; 2 wrong usage; 3 out of memory, or can't print.\n"
			   "\n"
			   "example: zs classes --geometry linux --chain-size 4\n";

/* Bytes at the end of a zspage that no object takes. */
static unsigned left_over(const struct zs_class_info *info, size_t page_size)
{
	return (unsigned)(info->pages_per_zspage * page_size) - info->objs_per_zspage * info->size;
}

static double left_over_share(const struct zs_class_info *info, size_t page_size)
{
	return left_over(info, page_size) / ((double)info->pages_per_zspage * (double)page_size);
}

/* The first class, then each next one. False when there are no more. */
static bool next_class(struct zs_pool *pool, struct zs_class_info *info, bool first)
{
	return zs_get_class_info(pool, first ? 0 : info->index + 1, info) == 0;
}

static void print_table(struct zs_pool *pool, const struct pool_settings *settings)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT, worst = ZS_CLASS_INFO_INIT;
	unsigned classes = 0;
	double sum = 0;
	printf("%6s %6s  %-13s  %5s %7s %10s %8s\n", "class", "size", "requests", "pages", "objects", "left over",
	       "share");
	for (; next_class(pool, &info, classes == 0); classes++) {
		double share = left_over_share(&info, settings->page_size);
		char requests[32];
		snprintf(requests, sizeof(requests), "%u..%u", info.min_request, info.max_request);
		printf("%6u %6u  %-13s  %5u %7u %10u %6.2f %%\n", info.index, info.size, requests,
		       info.pages_per_zspage, info.objs_per_zspage, left_over(&info, settings->page_size), 100 * share);
		sum += share;
		if (classes == 0 || share > left_over_share(&worst, settings->page_size))
			worst = info;
	}
	printf("\n%s geometry, pages of %zu bytes, %u classes, zspages of up to %s\n",
	       geometry_name(settings->geometry), settings->page_size, classes,
	       format_plural(pool_longest_zspage(pool), "page", "pages").s);
	printf("left over at the end of a zspage: %.2f %% as the mean of the classes, %.2f %% at most (class %u)\n",
	       100 * sum / classes, 100 * left_over_share(&worst, settings->page_size), worst.index);
	printf("huge watermark: from %zu bytes on an object takes a page of its own\n", zs_huge_class_size(pool));
}

static void print_json(struct zs_pool *pool, const struct pool_settings *settings)
{
	struct json j = JSON_INIT(stdout);
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	json_begin_object(&j, NULL);
	json_string(&j, "geometry", geometry_name(settings->geometry));
	json_uint(&j, "page_size", settings->page_size);
	json_uint(&j, "longest_zspage", pool_longest_zspage(pool));
	json_uint(&j, "huge_class_size", zs_huge_class_size(pool));
	json_begin_array(&j, "classes");
	for (bool first = true; next_class(pool, &info, first); first = false) {
		json_begin_object(&j, NULL);
		json_uint(&j, "index", info.index);
		json_uint(&j, "size", info.size);
		json_uint(&j, "min_request", info.min_request);
		json_uint(&j, "max_request", info.max_request);
		json_uint(&j, "pages_per_zspage", info.pages_per_zspage);
		json_uint(&j, "objs_per_zspage", info.objs_per_zspage);
		json_uint(&j, "left_over_bytes", left_over(&info, settings->page_size));
		json_real(&j, "left_over_share", left_over_share(&info, settings->page_size));
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
}

static int run(int argc, char **argv)
{
	struct pool_settings settings = POOL_SETTINGS_INIT;
	bool json = false;
	for (int option; (option = option_next(argc, argv, ":h", long_options)) != -1;) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_DONE;
		}
		if (option == OPTION_BAD || !pool_settings_option(&settings, option, optarg))
			return EXIT_USAGE;
		json |= option == OPTION_JSON;
	}
	if (!pool_settings_check(&settings))
		return EXIT_USAGE;
	if (optind < argc)
		return message_usage("unexpected argument '%s'", argv[optind]);
	struct zs_pool *pool = pool_settings_create(&settings, "zs classes", 0);
	if (pool == NULL)
		return EXIT_BROKEN;
	if (json)
		print_json(pool, &settings);
	else
		print_table(pool, &settings);
	zs_destroy_pool(pool);
	return EXIT_DONE;
}

const struct command classes_command = {
	"classes",
	"print the table of size classes",
	help,
	long_options,
	run,
};
