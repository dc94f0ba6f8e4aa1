/* SPDX-License-Identifier: BSD-3-Clause */
/* quiet.c - a thread inherits the mask of the one that starts it, so that is where signals are blocked. */
#include "base/quiet.h"

#include <signal.h>

int zsi_quiet_thread(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
	sigset_t all, old;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	error = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return error;
}
