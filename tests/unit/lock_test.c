/* SPDX-License-Identifier: BSD-3-Clause */
/* lock_test.c - the futex mutex excludes and wakes; a wrong order aborts. */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/lock.h"

#define THREADS 4
#define ROUNDS 50000

static struct zsi_lock lock;
static unsigned long counter; /* Guarded by lock */

static void *count(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		zsi_lock(&lock, ZSI_RANK_CLASS);
		counter++;
		zsi_unlock(&lock, ZSI_RANK_CLASS);
	}
	return NULL;
}

static void excludes(void **state)
{
	pthread_t t[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, count, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_int_equal(counter, THREADS * ROUNDS);
	assert_int_equal(atomic_load(&lock.word), 0);
}

static void *wait_for_it(void *arg)
{
	zsi_lock(&lock, ZSI_RANK_CLASS);
	*(int *)arg = 1;
	zsi_unlock(&lock, ZSI_RANK_CLASS);
	return NULL;
}

/* A sleeper is woken: held long enough that the other one must have gone to sleep. */
static void wakes(void **state)
{
	pthread_t t;
	int done = 0;

	(void)state;
	zsi_lock(&lock, ZSI_RANK_CLASS);
	assert_int_equal(pthread_create(&t, NULL, wait_for_it, &done), 0);
	while (atomic_load(&lock.word) != 2)
		usleep(100);
	zsi_unlock(&lock, ZSI_RANK_CLASS);
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(done, 1);
}

static void trying(void **state)
{
	(void)state;
	assert_true(zsi_trylock(&lock, ZSI_RANK_CLASS));
	assert_false(zsi_trylock_word(&lock));
	zsi_unlock(&lock, ZSI_RANK_CLASS);
	assert_true(zsi_trylock(&lock, ZSI_RANK_CLASS));
	zsi_unlock(&lock, ZSI_RANK_CLASS);
}

/* What a child does ends in how: by SIGABRT, or with exit code 0. */
static void ends(void (*what)(void), int aborted)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* The assertion's message is expected here. */
		fclose(stderr);
		signal(SIGABRT, SIG_DFL);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (aborted)
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	else
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static struct zsi_lock other;

static void right_order(void)
{
	zsi_lock(&other, ZSI_RANK_COMPACT);
	zsi_lock(&lock, ZSI_RANK_CLASS);
	zsi_unlock(&lock, ZSI_RANK_CLASS);
	zsi_unlock(&other, ZSI_RANK_COMPACT);
}

static void wrong_order(void)
{
	zsi_lock(&lock, ZSI_RANK_CLASS);
	zsi_lock(&other, ZSI_RANK_COMPACT);
}

static void same_rank_twice(void)
{
	zsi_lock(&lock, ZSI_RANK_CLASS);
	zsi_lock(&other, ZSI_RANK_CLASS);
}

static void ranks(void **state)
{
	(void)state;
	ends(right_order, 0);
	if (ZSI_ASSERT_LEVEL < 1)
		skip();
	ends(wrong_order, 1);
	ends(same_rank_twice, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(excludes),
		cmocka_unit_test(wakes),
		cmocka_unit_test(trying),
		cmocka_unit_test(ranks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
