/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.c - a list of locks, one a thread. */
#include "gate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lock.h"

struct place {
	struct lock lock;
	bool taken; /* Guarded by places_lock, as next */
	struct place *next;
	char apart[64];
};

static struct lock places_lock; /* held while the gate is closed: no thread comes to be then */
static struct place *places;    /* Guarded by places_lock */
static pthread_key_t end_of_thread;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct place *mine;

static void leave_place(void *place)
{
	lock_exclusive(&places_lock);
	((struct place *)place)->taken = false;
	unlock_exclusive(&places_lock);
}

static void make_key(void)
{
	/* Where there is no key a thread's lock is not used again: it is never freed either way. */
	(void)pthread_key_create(&end_of_thread, leave_place);
}

static struct place *find_place(void)
{
	pthread_once(&once, make_key);
	lock_exclusive(&places_lock);
	struct place *place = places;
	while (place != NULL && place->taken)
		place = place->next;
	if (place == NULL && (place = calloc(1, sizeof(*place))) != NULL) {
		place->next = places;
		places = place;
	}
	if (place != NULL)
		place->taken = true;
	unlock_exclusive(&places_lock);
	if (place != NULL)
		(void)pthread_setspecific(end_of_thread, place);
	return place;
}

/* A thread that gets no lock of its own goes through with that of the list: nobody else comes in then. */
void gate_enter(void)
{
	if (mine == NULL)
		mine = find_place();
	lock_exclusive(mine != NULL ? &mine->lock : &places_lock);
}

void gate_leave(void)
{
	unlock_exclusive(mine != NULL ? &mine->lock : &places_lock);
}

void gate_close(void)
{
	lock_exclusive(&places_lock);
	for (struct place *place = places; place != NULL; place = place->next)
		lock_exclusive(&place->lock);
}

void gate_open(void)
{
	for (struct place *place = places; place != NULL; place = place->next)
		unlock_exclusive(&place->lock);
	unlock_exclusive(&places_lock);
}
