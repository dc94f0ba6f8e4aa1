/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * keeper.h - a thread that gives freed memory of names and inodes back to the system, soon after much was freed. It
 * sleeps until then.
 */
#ifndef ZS_FUSE_KEEPER_H
#define ZS_FUSE_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "fs.h"

struct keeper {
	pthread_t thread;
	struct fs *fs;
	bool running;
	_Atomic bool stopping;
};

/* 0, or -1 with one line in why. */
int keeper_start(struct keeper *k, struct fs *fs, char *why, size_t why_bytes);

/* One that was never started: no-op. */
void keeper_stop(struct keeper *k);

#endif
