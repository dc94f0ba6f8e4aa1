/* SPDX-License-Identifier: BSD-3-Clause */
/* fake_psi.c - a trigger that is a condition variable. */
#include "fake_psi.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/psi.h"

struct fake_psi fake_psi;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned reports; /* not taken yet; Guarded by lock, as what follows */
static bool woken, broken;

static int fake_open(struct zsi_psi_watch *watch, const char *path, unsigned stall_us, unsigned window_us)
{
	watch->trigger = watch->wake = -1;
	fake_psi.opened++;
	fake_psi.stall_us = stall_us;
	fake_psi.window_us = window_us;
	snprintf(fake_psi.path, sizeof(fake_psi.path), "%s", path);
	pthread_mutex_lock(&lock);
	woken = false;
	pthread_mutex_unlock(&lock);
	errno = fake_psi.open_error;
	return fake_psi.open_error != 0 ? -1 : 0;
}

static enum zsi_psi_event fake_wait(struct zsi_psi_watch *watch)
{
	enum zsi_psi_event event = ZSI_PSI_WOKEN;

	(void)watch;
	pthread_mutex_lock(&lock);
	while (reports == 0 && !woken && !broken)
		pthread_cond_wait(&changed, &lock);
	if (broken) {
		event = ZSI_PSI_BROKEN;
	} else if (reports > 0) {
		reports--;
		event = ZSI_PSI_PRESSURE;
	} else {
		woken = false;
	}
	pthread_mutex_unlock(&lock);
	return event;
}

static void fake_wake(pthread_t thread)
{
	(void)thread;
	pthread_mutex_lock(&lock);
	woken = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void fake_psi_install(void)
{
	zsi_psi = (struct zsi_psi_ops){ .open = fake_open, .wait = fake_wait, .wake = fake_wake };
	fake_psi = (struct fake_psi){ 0 };
	reports = 0;
	woken = broken = false;
}

void fake_psi_report(unsigned n)
{
	pthread_mutex_lock(&lock);
	reports += n;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void fake_psi_break(void)
{
	pthread_mutex_lock(&lock);
	broken = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void fake_psi_after_fork(void)
{
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
	reports = 0;
}
