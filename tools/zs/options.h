/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.h - what the subcommands' command lines have in common.
 *
 * A subcommand builds its table of struct option from the entries below and its own, whose val must be a printable
 * character where there is a short form too, and OPTION_OWN or more where not; then calls option_next() until -1.
 * Whatever is wrong is reported here, in one line that says what would be right.
 */
#ifndef ZS_OPTIONS_H
#define ZS_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zsmalloc/zsmalloc.h>

enum {
	OPTION_GEOMETRY = 256,
	OPTION_PAGE_SIZE,
	OPTION_CHAIN_SIZE,
	OPTION_JSON,
	OPTION_OWN = 512, /* the first that is a subcommand's own */
};

/* What option_next() gives after it has reported an error. */
#define OPTION_BAD '?'

/* clang-format off */
#define POOL_OPTIONS \
	{ "geometry", required_argument, NULL, OPTION_GEOMETRY }, \
	{ "page-size", required_argument, NULL, OPTION_PAGE_SIZE }, \
	{ "chain-size", required_argument, NULL, OPTION_CHAIN_SIZE }
#define JSON_OPTION { "json", no_argument, NULL, OPTION_JSON }
#define HELP_OPTION { "help", no_argument, NULL, 'h' }
#define OPTIONS_END { NULL, 0, NULL, 0 }
/* clang-format on */

/* The text on POOL_OPTIONS for a subcommand's help. */
#define POOL_OPTIONS_HELP                                                                    \
	"  --geometry dense|linux  how sizes become size classes: what packs best (dense,\n" \
	"                          the default), or the kernel's arithmetic (linux)\n"       \
	"  --page-size N           bytes in a page, a power of two from 4096 to 65536;\n"    \
	"                          16K is understood too (default 4096)\n"                   \
	"  --chain-size N          most pages in one zspage, 1 to 64 (dense) or 1 to 16\n"   \
	"                          (linux, default 8)\n"

/* The next option: its val, OPTION_BAD, or -1 at the end; then optind is the first argument that is none. */
int option_next(int argc, char **argv, const char *shorts, const struct option *longs);

/* A whole number from low to high, or an error that says so. */
bool option_number(const char *name, const char *text, uint64_t low, uint64_t high, uint64_t *value);

/* What POOL_OPTIONS say. chain_size 0: the geometry's default. */
struct pool_settings {
	enum zs_geometry geometry;
	size_t page_size;
	unsigned chain_size;
};

#define POOL_SETTINGS_INIT                 \
	{                                  \
		ZS_GEOMETRY_DENSE, 4096, 0 \
	}

/* Take an option that option_next() gave: false when its argument is wrong. Options of others: true, nothing done. */
bool pool_settings_option(struct pool_settings *settings, int option, const char *argument);

/* After all options are known: whether they fit together. */
bool pool_settings_check(const struct pool_settings *settings);

const char *geometry_name(enum zs_geometry geometry);

/* A pool as the settings say; flags: ZS_POOL_*. NULL after a message. */
struct zs_pool *pool_settings_create(const struct pool_settings *settings, const char *name, unsigned flags);

/* The longest zspage of the pool, pages: the chain size that is in use. */
unsigned pool_longest_zspage(struct zs_pool *pool);

#endif
