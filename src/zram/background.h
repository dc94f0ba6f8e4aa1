/* SPDX-License-Identifier: BSD-3-Clause */
/* background.h - a device's background thread; see zram_background_start(). */
#ifndef ZSI_ZRAM_BACKGROUND_H
#define ZSI_ZRAM_BACKGROUND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <zsmalloc/zram.h>

#include "base/lock.h"

struct zsi_background {
	struct zsi_lock lock;          /* rank TRAIN: starting and stopping; taken before z->lock */
	bool started;                  /* Guarded by lock */
	bool running;                  /* there is a thread to join. Guarded by lock */
	struct zram_background policy; /* its strings are copies. Changed while there is no thread */
	pthread_t thread;              /* Guarded by lock */
	_Atomic uint32_t stop;         /* a futex: 1 tells the thread to stop */
	_Atomic bool at_work;          /* its recompression or writeback is under way, or about to be */
	_Atomic uint32_t in_the_way;   /* of so many that wait for its end */
};

/* In a child after fork(): the thread is not there. */
void zsi_background_forget(struct zram *z);

#endif
