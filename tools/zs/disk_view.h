/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_view.h - a disk_sample as lines of text, for zs top. */
#ifndef ZS_DISK_VIEW_H
#define ZS_DISK_VIEW_H

#include <stdio.h>

#include "disk_sample.h"

/* Where it is drawn. */
struct view {
	unsigned columns; /* lines are cut there; at least 40 */
	unsigned lines;   /* most lines, at least 12 */
	const char *end;  /* behind each line, before its line end: "" or what clears the rest of a terminal's line */
};

/* before: the sample that the rates count from, NULL for the first one, which has no rates. */
void disk_view_print(FILE *out, const struct view *view, const char *name, const struct disk_sample *before,
		     const struct disk_sample *now);

#endif
