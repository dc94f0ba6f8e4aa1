/* SPDX-License-Identifier: BSD-3-Clause */
/* progress.c - a bar on a terminal, a few times a second; nothing elsewhere. */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "units.h"

static bool shown;        /* there is a line on the terminal */
static uint64_t drawn_ns; /* when it was drawn */

/* Columns of the terminal; 0: no terminal, or one that can't go back to the start of a line. */
static unsigned terminal_columns(void)
{
	const char *term = getenv("TERM");
	struct winsize size;
	if (!isatty(STDERR_FILENO) || term == NULL || !*term || strcmp(term, "dumb") == 0)
		return 0;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

void progress_draw(const char *what, uint64_t done_bytes, uint64_t all_bytes)
{
	enum { INTERVAL_NS = 100000000, TEXT_COLUMNS = 52, MOST_BAR = 50 };
	static char bar[MOST_BAR + 1];
	uint64_t now = now_ns();
	unsigned columns = terminal_columns();
	if (columns == 0 || (shown && now - drawn_ns < INTERVAL_NS))
		return;
	drawn_ns = now;
	shown = true;
	if (all_bytes == 0) {
		fprintf(stderr, "\r%-10.10s %s\033[K", what, format_bytes(done_bytes).s);
		fflush(stderr);
		return;
	}
	double share = done_bytes >= all_bytes ? 1 : (double)done_bytes / (double)all_bytes;
	unsigned width = columns > TEXT_COLUMNS ? columns - TEXT_COLUMNS : 0;
	if (width > MOST_BAR)
		width = MOST_BAR;
	unsigned full = (unsigned)(share * width);
	memset(bar, '.', width);
	memset(bar, '#', full);
	bar[width] = '\0';
	if (width > 0)
		fprintf(stderr, "\r%-10.10s [%s] %3.0f %%  %s of %s\033[K", what, bar, share * 100,
			format_bytes(done_bytes).s, format_bytes(all_bytes).s);
	else
		fprintf(stderr, "\r%.10s %3.0f %%\033[K", what, share * 100);
	fflush(stderr);
}

void progress_clear(void)
{
	if (!shown)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	shown = false;
}
