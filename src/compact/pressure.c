/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pressure.c - the thread that waits for the kernel's reports of memory pressure and wakes the shrinker.
 *
 * A thread apart from the shrinker's: it has no descriptors but its own (base/psi.h), while the shrinker calls the
 * caller's page source, which may need the program's. Where there is no pressure file, or the kernel refuses the
 * trigger, it ends at once and the shrinker goes by what is freed alone. It allocates nothing and takes no lock.
 */
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/probe.h"
#include "base/psi.h"
#include "base/quiet.h"
#include "compact/pressure.h"
#include "pool/bell.h"
#include "pool/pool.h"

#define DEFAULT_PATH "/proc/pressure/memory"

/* The next try when wait() returns without a reason: somebody else's signal may be pending for the whole process. */
#define NO_REASON_NS 1000000000u

static void set_watch(struct zsi_shrinker *s, uint32_t state)
{
	/* release: pairs with the acquire of whoever waits for the start */
	atomic_store_explicit(&s->watch, state, memory_order_release);
	(void)syscall(SYS_futex, &s->watch, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *watch(void *arg)
{
	struct zs_pool *pool = arg;
	struct zsi_shrinker *s = &pool->shrinker;
	const struct zs_shrinker_policy *p = &s->policy;
	const char *path = p->psi_path != NULL ? p->psi_path : DEFAULT_PATH;
	struct zsi_psi_watch w;

	if (zsi_psi.open(&w, path, p->psi_stall_us, p->psi_window_us) != 0) {
		set_watch(s, ZSI_WATCH_OFF);
		return NULL;
	}
	set_watch(s, ZSI_WATCH_ARMED);
	for (;;) {
		enum zsi_psi_event event = zsi_psi.wait(&w);

		if (event == ZSI_PSI_BROKEN || zsi_bell_wait(pool, ZSI_BELL_STOP, 0) != 0)
			break;
		if (event == ZSI_PSI_PRESSURE) {
			atomic_fetch_add_explicit(&s->pressure_events, 1, memory_order_relaxed);
			ZSI_PROBE(pressure, zsi_pool_name(pool), p->psi_stall_us, p->psi_window_us);
			zsi_bell_ring(pool, ZSI_BELL_PRESSURE);
		} else {
			(void)zsi_bell_wait(pool, ZSI_BELL_STOP, NO_REASON_NS);
		}
	}
	set_watch(s, ZSI_WATCH_OFF);
	return NULL;
}

void zsi_pressure_start_locked(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;

	if ((s->policy.flags & ZS_SHRINKER_NO_PSI) != 0)
		return;
	atomic_store_explicit(&s->watch, ZSI_WATCH_STARTING, memory_order_relaxed);
	s->watching = zsi_quiet_thread(&s->watcher, watch, pool) == 0;
	if (!s->watching)
		atomic_store_explicit(&s->watch, ZSI_WATCH_OFF, memory_order_relaxed);
}

void zsi_pressure_wait_locked(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;

	/* acquire: pairs with the release in set_watch() */
	while (atomic_load_explicit(&s->watch, memory_order_acquire) == ZSI_WATCH_STARTING)
		(void)syscall(SYS_futex, &s->watch, FUTEX_WAIT_PRIVATE, ZSI_WATCH_STARTING, NULL, NULL, 0);
}

void zsi_pressure_stop_locked(struct zs_pool *pool)
{
	struct zsi_shrinker *s = &pool->shrinker;

	if (!s->watching)
		return;
	zsi_psi.wake(s->watcher);
	pthread_join(s->watcher, NULL);
	s->watching = false;
}
