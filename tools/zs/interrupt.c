/* SPDX-License-Identifier: BSD-3-Clause */
/* interrupt.c - the first signal is noted, the second one ends the program. */
#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"

static atomic_int caught; /* the signal; lock-free on every platform with int atomics, so a handler may set it */

static void on_signal(int number)
{
	atomic_store(&caught, number);
}

static struct sigaction catching(void)
{
	struct sigaction action;
	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	action.sa_flags = (int)SA_RESETHAND;
	return action;
}

void interrupt_catch(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = catching();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction old;
		/* What the parent ignores stays ignored: nohup and background jobs of a script rely on it. */
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

bool interrupted(void)
{
	return atomic_load_explicit(&caught, memory_order_relaxed) != 0;
}

bool interrupt_take(void)
{
	struct sigaction action = catching();
	int number = SIGINT;
	/* First the handler: a signal in between is then one more, and the flag says that it came. */
	if (atomic_load(&caught) != SIGINT || sigaction(SIGINT, &action, NULL) != 0)
		return false;
	return atomic_compare_exchange_strong(&caught, &number, 0);
}

_Noreturn void interrupt_die(void)
{
	int number = atomic_load(&caught);
	progress_clear();
	signal(number, SIG_DFL);
	raise(number);
	_exit(128 + number);
}
