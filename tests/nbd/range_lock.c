/* SPDX-License-Identifier: BSD-3-Clause */
/* range_lock.c - see range_lock.h. */
#include "range_lock.h"

#include <stdlib.h>
#include <string.h>

void range_lock_init(struct range_lock *l)
{
	memset(l->held, 0, sizeof(l->held));
	if (pthread_mutex_init(&l->mutex, NULL) != 0 || pthread_cond_init(&l->released, NULL) != 0)
		abort();
}

/* The slot to use, or RANGE_LOCK_MAX where the range is held by another. */
static unsigned find_slot_locked(const struct range_lock *l, uint64_t from, uint64_t to)
{
	unsigned slot = RANGE_LOCK_MAX;
	for (unsigned i = 0; i < RANGE_LOCK_MAX; i++) {
		if (l->held[i].from == l->held[i].to)
			slot = i;
		else if (l->held[i].from < to && from < l->held[i].to)
			return RANGE_LOCK_MAX;
	}
	return slot;
}

unsigned range_lock(struct range_lock *l, uint64_t offset, uint64_t len)
{
	unsigned slot;
	pthread_mutex_lock(&l->mutex);
	while ((slot = find_slot_locked(l, offset, offset + len)) == RANGE_LOCK_MAX)
		pthread_cond_wait(&l->released, &l->mutex);
	l->held[slot].from = offset;
	l->held[slot].to = offset + len;
	pthread_mutex_unlock(&l->mutex);
	return slot;
}

void range_unlock(struct range_lock *l, unsigned slot)
{
	pthread_mutex_lock(&l->mutex);
	l->held[slot].from = l->held[slot].to = 0;
	pthread_cond_broadcast(&l->released);
	pthread_mutex_unlock(&l->mutex);
}
