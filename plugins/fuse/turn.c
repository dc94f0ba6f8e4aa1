/* SPDX-License-Identifier: BSD-3-Clause */
/* turn.c - idle threads in a stack, each asleep on a word of its own. */
#include "turn.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* An idle thread, on its own stack. */
struct idle {
	_Atomic uint32_t called;
	struct idle *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for some instructions, where a turn is passed */
static struct idle *stack; /* Guarded by lock, as the next two */
static bool taken, ended;
static _Thread_local bool mine;

static void call(struct idle *thread)
{
	/* release: pairs with the acquire in wait_for_call(): what was done with the turn is seen by the next */
	atomic_store_explicit(&thread->called, 1, memory_order_release);
	syscall(SYS_futex, &thread->called, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_for_call(struct idle *self)
{
	while (atomic_load_explicit(&self->called, memory_order_acquire) == 0)
		syscall(SYS_futex, &self->called, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

bool turn_take(void)
{
	struct idle self = { 0, NULL };
	if (mine)
		return true;
	pthread_mutex_lock(&lock);
	bool end = ended, wait = taken && !end;
	if (wait) {
		self.next = stack;
		stack = &self;
	} else {
		taken = true;
	}
	pthread_mutex_unlock(&lock);
	if (wait) {
		wait_for_call(&self);
		pthread_mutex_lock(&lock);
		end = ended;
		pthread_mutex_unlock(&lock);
	}
	mine = !end;
	return mine;
}

void turn_pass(void)
{
	if (!mine)
		return;
	mine = false;
	pthread_mutex_lock(&lock);
	struct idle *next = stack;
	if (next != NULL)
		stack = next->next;
	else
		taken = false;
	pthread_mutex_unlock(&lock);
	if (next != NULL)
		call(next);
}

void turn_end(void)
{
	pthread_mutex_lock(&lock);
	struct idle *all = stack;
	stack = NULL;
	ended = true;
	pthread_mutex_unlock(&lock);
	while (all != NULL) {
		struct idle *next = all->next; /* it is gone once it is called */
		call(all);
		all = next;
	}
}

void turn_begin(void)
{
	pthread_mutex_lock(&lock);
	taken = ended = false;
	pthread_mutex_unlock(&lock);
}
