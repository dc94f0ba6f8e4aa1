/* SPDX-License-Identifier: BSD-3-Clause */
/* report.h - what zs pack found out, for people or for programs. Both go to standard output. */
#ifndef ZS_REPORT_H
#define ZS_REPORT_H

#include <stdint.h>

#include "kernel_view.h"
#include "options.h"
#include "packer.h"

struct report {
	const struct pool_settings *settings;
	const char *algorithm;
	const struct packer *packer;
	unsigned longest_zspage; /* pages */
	uint64_t given_back;     /* pages that processes gave back before they were read */
	uint64_t held_bytes;     /* by the pool, all-in, when everything was stored */
	uint64_t metadata_bytes; /* of those */
	struct kernel_view kernel;
};

void report_print(const struct report *report);
void report_json(const struct report *report);

#endif
