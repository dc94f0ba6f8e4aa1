/* SPDX-License-Identifier: BSD-3-Clause */
/* crew.h - run one function on several threads at once. */
#ifndef ZS_CREW_H
#define ZS_CREW_H

#include <stddef.h>

struct crew {
	void (*work)(void *worker);
	void *workers; /* count of them, each worker_bytes long: one for each thread */
	size_t worker_bytes;
	unsigned count;
	void (*tick)(void *arg); /* called from the calling thread about ten times a second */
	void *arg;
};

/*
 * Returns when all are done: how many threads there were. That is less than count where the system gives no more; at
 * least one worker has run, and the others, which have not, are the last ones. So work must be handed out, not dealt.
 */
unsigned crew_run(const struct crew *crew);

#endif
