/* SPDX-License-Identifier: BSD-3-Clause */
/* keeper.c - waits for the memory's word, lets the rest of a burst come, and trims. */
#include "keeper.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BURST_MS = 100 };

static void *keeper_main(void *arg)
{
	struct keeper *k = arg;
	const struct timespec burst = { .tv_nsec = BURST_MS * 1000000L };
	for (;;) {
		memory_wait(&k->fs->memory);
		if (atomic_load_explicit(&k->stopping, memory_order_relaxed))
			return NULL;
		nanosleep(&burst, NULL);
		memory_trim(&k->fs->memory);
	}
}

int keeper_start(struct keeper *k, struct fs *fs, char *why, size_t why_bytes)
{
	sigset_t all, old;
	k->fs = fs;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int error = pthread_create(&k->thread, NULL, keeper_main, k);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	k->running = error == 0;
	if (error != 0)
		snprintf(why, why_bytes, "can't start a thread: %s", strerror(error));
	return error == 0 ? 0 : -1;
}

void keeper_stop(struct keeper *k)
{
	if (!k->running)
		return;
	atomic_store_explicit(&k->stopping, true, memory_order_relaxed);
	memory_wake(&k->fs->memory);
	pthread_join(k->thread, NULL);
	k->running = false;
}
