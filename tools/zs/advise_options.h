/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_options.h - the command line of zs advise. */
#ifndef ZS_ADVISE_OPTIONS_H
#define ZS_ADVISE_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "advice.h"
#include "pages.h"

struct arguments {
	struct advise_settings settings;
	enum part_pages parts;
	bool json, null, help, recursive;
	const char *html, *files_from;
	char **files;
	size_t file_count;
	int *pids; /* room for as many as there are arguments */
	size_t pid_count;
};

extern const struct option advise_long_options[];

/* Everything but pids is filled in. False after a message. help: nothing else counts. */
bool advise_options_read(struct arguments *args, int argc, char **argv);

#endif
