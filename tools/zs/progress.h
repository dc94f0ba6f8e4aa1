/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress.h - one line on the terminal that shows how far the work is. Nothing at all where standard error is not a
 * terminal. Called from the main thread only.
 */
#ifndef ZS_PROGRESS_H
#define ZS_PROGRESS_H

#include <stdint.h>

/* Draw the line: what is being done (a word or two), bytes done of all; 0: nobody knows. At most ten times a second. */
void progress_draw(const char *what, uint64_t done_bytes, uint64_t all_bytes);

/* Wipe the line, if there is one. Anything else that goes to the terminal does this first. */
void progress_clear(void);

#endif
