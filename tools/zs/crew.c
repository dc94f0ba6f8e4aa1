/* SPDX-License-Identifier: BSD-3-Clause */
/* crew.c - threads are started and joined, and something is called meanwhile. */
#include "crew.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct run {
	const struct crew *crew;
	pthread_mutex_t lock;
	pthread_cond_t done;
	unsigned running; /* Guarded by lock */
};

struct member {
	struct run *run;
	void *worker;
	pthread_t thread;
};

static void *member_main(void *arg)
{
	struct member *member = arg;
	struct run *run = member->run;
	run->crew->work(member->worker);
	pthread_mutex_lock(&run->lock);
	run->running--;
	pthread_cond_signal(&run->done);
	pthread_mutex_unlock(&run->lock);
	return NULL;
}

static void wait_and_tick(struct run *run)
{
	enum { TICK_NS = 100000000, SECOND_NS = 1000000000 };
	pthread_mutex_lock(&run->lock);
	while (run->running > 0) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += TICK_NS;
		if (until.tv_nsec >= SECOND_NS) {
			until.tv_nsec -= SECOND_NS;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&run->done, &run->lock, &until);
		pthread_mutex_unlock(&run->lock);
		run->crew->tick(run->crew->arg);
		pthread_mutex_lock(&run->lock);
	}
	pthread_mutex_unlock(&run->lock);
}

unsigned crew_run(const struct crew *crew)
{
	struct run run = { .crew = crew, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER };
	struct member *members = calloc(crew->count, sizeof(*members));
	unsigned started = 0;
	for (; members != NULL && started < crew->count; started++) {
		struct member *member = &members[started];
		member->run = &run;
		member->worker = (char *)crew->workers + started * crew->worker_bytes;
		pthread_mutex_lock(&run.lock);
		run.running++;
		pthread_mutex_unlock(&run.lock);
		if (pthread_create(&member->thread, NULL, member_main, member) != 0) {
			pthread_mutex_lock(&run.lock);
			run.running--;
			pthread_mutex_unlock(&run.lock);
			break;
		}
	}
	if (started == 0) {
		crew->work(crew->workers);
		free(members);
		return 1;
	}
	wait_and_tick(&run);
	for (unsigned i = 0; i < started; i++)
		pthread_join(members[i].thread, NULL);
	free(members);
	return started;
}
