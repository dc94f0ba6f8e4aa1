/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * background.c - what a device does when nobody asks for it: give memory back, and recompress or write back what was
 * idle.
 *
 * Memory is given back by the pool's own shrinker, which is registered with every pool that the device gets. The rest
 * is a thread that looks in intervals: it marks blocks that were not used for a while as idle, and recompresses or
 * writes them back; then it sleeps so long that its share of a processor stays what it was given.
 *
 * Whoever does the same by hand works beside it: it takes no mark away that it would not have made, leaves blocks
 * alone that are marked but not old, and makes way for a request by hand (idle.h).
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/pace.h"
#include "base/quiet.h"
#include "base/versioned.h"
#include "device/device.h"
#include "device/error.h"
#include "device/gate.h"
#include "device/layout.h"
#include "device/streams.h"
#include "zram/idle.h"
#include "zram/recompress.h"
#include "zram/turn.h"
#include "zram/writeback.h"

#define DEFAULT_CPU_PERCENT 5u
#define DEFAULT_INTERVAL_MS 1000u
#define MAX_INTERVAL_MS 60000u

/* Sleep; true when it is time to stop. */
static bool sleep_or_stop(_Atomic uint32_t *stop, uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };

	(void)syscall(SYS_futex, stop, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0);
	return atomic_load_explicit(stop, memory_order_relaxed) != 0;
}

/* The pool may be another one than last time, and may have a shrinker already. */
static void register_shrinker(struct zram *z)
{
	struct zs_shrinker_policy policy = ZS_SHRINKER_POLICY_INIT;
	struct zsi_stream *s;

	if (z->background.policy.no_shrinker || zram_disksize(z) == 0 || (s = zsi_gate_enter(z)) == NULL)
		return;
	policy.cpu_percent = z->background.policy.cpu_percent;
	(void)zs_register_shrinker(z->pool, &policy);
	zsi_stream_leave(s);
}

static void unregister_shrinker(struct zram *z)
{
	struct zsi_stream *s;

	if (z->background.policy.no_shrinker || zram_disksize(z) == 0 || (s = zsi_gate_enter(z)) == NULL)
		return;
	zs_unregister_shrinker(z->pool);
	zsi_stream_leave(s);
}

/* Failures are not this thread's to report: what could not be done now is tried again. */
static void work(struct zram *z)
{
	const struct zram_background *p = &z->background.policy;
	struct zsi_asker asker = { .background = true };

	if (p->idle_seconds == 0 || zram_disksize(z) == 0)
		return;
	/* More than the clock tells apart: nothing is ever so old. */
	asker.ticks = (int32_t)zsi_min((uint64_t)p->idle_seconds * ZSI_TICKS_PER_SECOND, INT32_MAX);
	(void)zsi_idle_mark_old(z, asker.ticks);
	if (p->recompress != NULL)
		(void)zsi_recompress(z, p->recompress, &asker);
	if (p->writeback != NULL)
		(void)zsi_writeback(z, p->writeback, &asker);
}

static void *thread_main(void *arg)
{
	struct zram *z = arg;
	const struct zram_background *p = &z->background.policy;
	uint64_t interval_ns = (uint64_t)p->interval_ms * 1000000u;
	uint64_t sleep_ns = interval_ns;
	struct zsi_pace pace;

	zsi_pace_init(&pace, p->cpu_percent);
	while (!sleep_or_stop(&z->background.stop, sleep_ns)) {
		zsi_pace_start(&pace);
		register_shrinker(z);
		work(z);
		zsi_streams_look(z);
		sleep_ns = zsi_max(interval_ns, zsi_pace_pause(&pace, false));
	}
	return NULL;
}

/* --- starting and stopping --- */

static void free_policy(struct zram_background *p)
{
	free((char *)(uintptr_t)p->recompress);
	free((char *)(uintptr_t)p->writeback);
	*p = (struct zram_background)ZRAM_BACKGROUND_INIT;
}

/* Copies of the strings, defaults in place. */
static int read_policy(struct zram *z, struct zram_background *to, const struct zram_background *from)
{
	struct zram_background p = ZRAM_BACKGROUND_INIT;

	if (from != NULL && !zsi_copy_versioned(&p, sizeof(p), from, sizeof(size_t)))
		return zsi_fail(EINVAL,
				"%s: background: struct_size is too small, or a member that this library does not know is not 0: "
				"start from ZRAM_BACKGROUND_INIT",
				z->name);
	if (p.cpu_percent == 0)
		p.cpu_percent = DEFAULT_CPU_PERCENT;
	if (p.interval_ms == 0)
		p.interval_ms = DEFAULT_INTERVAL_MS;
	if (p.cpu_percent > 100 || p.interval_ms > MAX_INTERVAL_MS)
		return zsi_fail(EINVAL, "%s: background: cpu_percent is 1 to 100, interval_ms 1 to %u", z->name,
				MAX_INTERVAL_MS);
	if (p.idle_seconds == 0 && (p.recompress != NULL || p.writeback != NULL))
		return zsi_fail(EINVAL, "%s: background: recompress and writeback need idle_seconds", z->name);
	/* What a device that has no size yet will have is not known. */
	if (zram_disksize(z) != 0 && ((p.recompress != NULL && zsi_recompress_check(z, p.recompress) != 0) ||
				      (p.writeback != NULL && zsi_writeback_check(z, p.writeback) != 0)))
		return -1;
	*to = p;
	to->recompress = p.recompress != NULL ? strdup(p.recompress) : NULL;
	to->writeback = p.writeback != NULL ? strdup(p.writeback) : NULL;
	if ((p.recompress == NULL || to->recompress != NULL) && (p.writeback == NULL || to->writeback != NULL))
		return 0;
	free_policy(to);
	return zsi_fail(ENOMEM, "%s: background: no memory", z->name);
}

int zram_background_start(struct zram *z, const struct zram_background *policy)
{
	struct zsi_background *b = &z->background;
	struct zram_background p;
	int error = 0;

	if (read_policy(z, &p, policy) != 0)
		return -1;
	zsi_lock(&b->lock, ZSI_RANK_TRAIN);
	if (b->started) {
		error = EEXIST;
		free_policy(&p);
	} else {
		b->policy = p;
		atomic_store_explicit(&b->stop, 0, memory_order_relaxed);
		register_shrinker(z);
		error = zsi_quiet_thread(&b->thread, thread_main, z);
		b->started = b->running = error == 0;
		if (error != 0) {
			unregister_shrinker(z);
			free_policy(&b->policy);
		}
	}
	zsi_unlock(&b->lock, ZSI_RANK_TRAIN);
	if (error == 0)
		return 0;
	return zsi_fail(error, "%s: background: %s", z->name,
			error == EEXIST ? "it runs already" : "its thread can't be made");
}

void zram_background_stop(struct zram *z)
{
	struct zsi_background *b = &z->background;

	zsi_lock(&b->lock, ZSI_RANK_TRAIN);
	if (b->running) {
		atomic_store_explicit(&b->stop, 1, memory_order_relaxed);
		(void)syscall(SYS_futex, &b->stop, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
		(void)pthread_join(b->thread, NULL);
	}
	if (b->started) {
		unregister_shrinker(z);
		free_policy(&b->policy);
	}
	b->started = b->running = false;
	zsi_unlock(&b->lock, ZSI_RANK_TRAIN);
}
