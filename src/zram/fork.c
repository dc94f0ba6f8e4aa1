/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fork.c - a child gets devices that work.
 *
 * Before the fork every device's gate is closed, so that nobody is inside it and no block is half written; the locks
 * that are taken without a stream are taken too. The child has none of the parent's threads: those that train
 * dictionaries are forgotten, what others had begun ends where it was.
 *
 * libzsmalloc has handlers of its own, which take the pools' locks. Whoever is inside a device may need those to get
 * out, so devices come first: handlers run in the reverse order of their installation, and these are installed after
 * the first pool was made.
 */
#include "zram/fork.h"

#include <pthread.h>

#include "base/lock.h"
#include "device/backing.h"
#include "device/device.h"
#include "device/gate.h"
#include "device/keep.h"
#include "device/thread.h"
#include "zram/train.h"

static struct zsi_lock list_lock; /* rank REGISTRY does not fit: taken before z->lock, alone */
static struct zram *devices;      /* Guarded by list_lock */

static void before_fork(void)
{
	zsi_lock_unranked(&list_lock);
	for (struct zram *z = devices; z != NULL; z = z->next) {
		zsi_lock_unranked(&z->lock);
		zsi_gate_close(z);
		zsi_lock_unranked(&z->table.lock);
		zsi_lock_unranked(&z->memory.lock);
		zsi_lock_unranked(&z->backing.lock);
	}
}

static void after_fork_parent(void)
{
	for (struct zram *z = devices; z != NULL; z = z->next) {
		zsi_unlock_unranked(&z->backing.lock);
		zsi_unlock_unranked(&z->memory.lock);
		zsi_unlock_unranked(&z->table.lock);
		zsi_gate_open(z);
		zsi_unlock_unranked(&z->lock);
	}
	zsi_unlock_unranked(&list_lock);
}

static void forget_background(struct zram *z)
{
	zsi_lock_reset(&z->background.lock);
	z->background.running = false;
	atomic_store_explicit(&z->background.at_work, false, memory_order_relaxed);
	atomic_store_explicit(&z->background.in_the_way, 0, memory_order_relaxed);
}

static void after_fork_child(void)
{
	zsi_thread_forget();
	for (struct zram *z = devices; z != NULL; z = z->next) {
		zsi_lock_reset(&z->memory.lock);
		zsi_lock_reset(&z->table.lock);
		zsi_train_forget(z);
		forget_background(z);
		zsi_backing_forget(z);
		zsi_lock_reset(&z->turn_lock);
		zsi_lock_reset(&z->batch_lock);
		zsi_keep_forget(z);
		zsi_gate_open(z);
		zsi_lock_reset(&z->lock);
	}
	zsi_lock_reset(&list_lock);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_error;

static void install_handlers(void)
{
	once_error = pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

int zsi_fork_handlers_for_devices(void)
{
	int error = pthread_once(&once, install_handlers);

	return error != 0 ? error : once_error;
}

void zsi_fork_add_device(struct zram *z)
{
	zsi_lock_unranked(&list_lock);
	z->next = devices;
	devices = z;
	zsi_unlock_unranked(&list_lock);
}

void zsi_fork_remove_device(struct zram *z)
{
	zsi_lock_unranked(&list_lock);
	for (struct zram **at = &devices; *at != NULL; at = &(*at)->next) {
		if (*at == z) {
			*at = z->next;
			break;
		}
	}
	zsi_unlock_unranked(&list_lock);
}
