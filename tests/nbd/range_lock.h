/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * range_lock.h - locks on ranges of bytes: two that overlap exclude each other, all others don't, so that two threads
 * may change parts of one block at the same time.
 */
#ifndef TEST_RANGE_LOCK_H
#define TEST_RANGE_LOCK_H

#include <pthread.h>
#include <stdint.h>

enum { RANGE_LOCK_MAX = 64 }; /* holders at once */

struct range_lock {
	pthread_mutex_t mutex;
	pthread_cond_t released;
	struct {
		uint64_t from, to; /* Guarded by mutex; from == to: free */
	} held[RANGE_LOCK_MAX];
};

void range_lock_init(struct range_lock *l);

/* Wait until no other range overlaps. Returns what range_unlock() takes. len > 0; a thread holds one at a time. */
unsigned range_lock(struct range_lock *l, uint64_t offset, uint64_t len);
void range_unlock(struct range_lock *l, unsigned slot);

#endif
