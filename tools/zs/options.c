/* SPDX-License-Identifier: BSD-3-Clause */
/* options.c - numbers, sizes and choices of the command line, each with what would have been right. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

enum {
	PAGE_SIZE_MIN = 4096,
	PAGE_SIZE_MAX = 65536,
	CHAIN_MAX_LINUX = 16,
	CHAIN_MAX_DENSE = 64,
};

static const struct option *long_option_with(const struct option *longs, int val)
{
	for (; longs->name != NULL; longs++)
		if (longs->val == val)
			return longs;
	return NULL;
}

/* Long options that begin as the argument does: getopt takes none where there are several. */
static bool report_ambiguous(const char *argument, const struct option *longs)
{
	char names[256] = "";
	unsigned count = 0;
	size_t len = strcspn(argument, "="), used = 0;
	for (; longs->name != NULL && len > 2; longs++) {
		if (strncmp(longs->name, argument + 2, len - 2) != 0)
			continue;
		int n = snprintf(names + used, sizeof(names) - used, "%s--%s", count ? ", " : "", longs->name);
		used += n > 0 && (size_t)n < sizeof(names) - used ? (size_t)n : 0;
		count++;
	}
	if (count > 1)
		message_usage("option '%.*s' may be %s", (int)len, argument, names);
	return count > 1;
}

static void report_bad(char **argv, const struct option *longs)
{
	/* getopt has moved past the bad argument, except where it is a letter with others after it. */
	const struct option *known = long_option_with(longs, optopt);
	if (optopt == 0 && report_ambiguous(argv[optind - 1], longs))
		return;
	if (optopt == 0)
		message_usage("unknown option '%s'", argv[optind - 1]);
	else if (known != NULL)
		message_usage("option '--%s' takes no value", known->name);
	else
		message_usage("unknown option '-%c'", optopt);
}

int option_next(int argc, char **argv, const char *shorts, const struct option *longs)
{
	opterr = 0;
	optopt = 0;
	int option = getopt_long(argc, argv, shorts, longs, NULL);
	if (option == '?') {
		report_bad(argv, longs);
		return OPTION_BAD;
	}
	if (option == ':') {
		const struct option *known = long_option_with(longs, optopt);
		if (known != NULL)
			message_usage("option '--%s' needs a value", known->name);
		else
			message_usage("option '-%c' needs a value", optopt);
		return OPTION_BAD;
	}
	return option;
}

/* Digits only, no sign, no blanks, no overflow. *end: what follows them. */
static bool read_digits(const char *text, uint64_t *value, const char **end)
{
	char *stop;
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	unsigned long long n = strtoull(text, &stop, 10);
	*value = n;
	*end = stop;
	return errno == 0;
}

bool option_number(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
	const char *end;
	uint64_t n;
	if (!read_digits(text, &n, &end) || *end || n < low || n > high) {
		message_usage("%s '%s': must be a number from %llu to %llu", name, text, (unsigned long long)low,
			      (unsigned long long)high);
		return false;
	}
	*value = n;
	return true;
}

static bool page_size_option(const char *text, size_t *page_size)
{
	const char *end;
	uint64_t n;
	bool good = read_digits(text, &n, &end);
	if (good && (strcmp(end, "K") == 0 || strcmp(end, "k") == 0 || strcmp(end, "KiB") == 0) && n <= PAGE_SIZE_MAX)
		n *= 1024;
	else if (good && *end)
		good = false;
	if (!good || n < PAGE_SIZE_MIN || n > PAGE_SIZE_MAX || (n & (n - 1)) != 0) {
		message_usage("--page-size '%s': must be a power of two from %d to %d", text, PAGE_SIZE_MIN,
			      PAGE_SIZE_MAX);
		return false;
	}
	*page_size = (size_t)n;
	return true;
}

bool pool_settings_option(struct pool_settings *settings, int option, const char *argument)
{
	uint64_t n;
	switch (option) {
	case OPTION_GEOMETRY:
		if (strcmp(argument, "dense") == 0)
			settings->geometry = ZS_GEOMETRY_DENSE;
		else if (strcmp(argument, "linux") == 0)
			settings->geometry = ZS_GEOMETRY_LINUX;
		else {
			message_usage("--geometry '%s': must be dense or linux", argument);
			return false;
		}
		return true;
	case OPTION_PAGE_SIZE:
		return page_size_option(argument, &settings->page_size);
	case OPTION_CHAIN_SIZE:
		if (!option_number("--chain-size", argument, 1, CHAIN_MAX_DENSE, &n))
			return false;
		settings->chain_size = (unsigned)n;
		return true;
	default:
		return true;
	}
}

bool pool_settings_check(const struct pool_settings *settings)
{
	if (settings->geometry == ZS_GEOMETRY_LINUX && settings->chain_size > CHAIN_MAX_LINUX) {
		message_usage("--chain-size '%u': must be a number from 1 to %d with --geometry linux",
			      settings->chain_size, CHAIN_MAX_LINUX);
		return false;
	}
	return true;
}

const char *geometry_name(enum zs_geometry geometry)
{
	return geometry == ZS_GEOMETRY_LINUX ? "linux" : "dense";
}

struct zs_pool *pool_settings_create(const struct pool_settings *settings, const char *name, unsigned flags)
{
	struct zs_pool_options options = ZS_POOL_OPTIONS_INIT;
	options.geometry = settings->geometry;
	options.page_size = settings->page_size;
	options.chain_size = settings->chain_size;
	options.flags = flags;
	struct zs_pool *pool = zs_create_pool_with(name, &options);
	if (pool == NULL)
		message("cannot make a pool: %s", strerror(errno));
	return pool;
}

unsigned pool_longest_zspage(struct zs_pool *pool)
{
	struct zs_class_info info = ZS_CLASS_INFO_INIT;
	unsigned longest = 0;
	for (unsigned index = 0; zs_get_class_info(pool, index, &info) == 0; index = info.index + 1)
		if (info.pages_per_zspage > longest)
			longest = info.pages_per_zspage;
	return longest;
}
