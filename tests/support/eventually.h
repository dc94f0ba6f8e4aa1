/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * eventually.h - waiting for what another thread or process does.
 *
 * EVENTUALLY(condition) looks again and again until the condition holds. How long that takes says nothing: the machine may
 * be busy. Only what has not come after a hundred seconds never comes, and fails with the place and the condition, before
 * CTest ends the test without a word. See CONTRIBUTING.md, "How to add a test".
 */
#ifndef TEST_EVENTUALLY_H
#define TEST_EVENTUALLY_H

#include <time.h>

#include "check.h"

#define EVENTUALLY_TRIES 100000u /* of a millisecond and more */

static inline void eventually_pause(unsigned tries, const char *file, int line, const char *condition)
{
	/* The first ones short: most of what is waited for is about to happen. */
	const struct timespec pause = { 0, tries < 20 ? 50000 : 1000000 };

	if (tries >= EVENTUALLY_TRIES)
		check_failed(file, line, condition, "this never came true");
	(void)nanosleep(&pause, NULL);
}

#define EVENTUALLY(condition)                                                     \
	do {                                                                      \
		for (unsigned tries_ = 0; !(condition); tries_++)                 \
			eventually_pause(tries_, __FILE__, __LINE__, #condition); \
	} while (0)

#endif
