/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * psi.h - memory pressure as the kernel reports it (PSI), behind a table that tests replace.
 *
 * A trigger is an open /proc/pressure/memory, or a cgroup's memory.pressure, into which a stall and a window were
 * written: the kernel then signals the descriptor when tasks stalled on memory for that long within a window.
 *
 * Descriptors are a danger to a library: a program that closes all of its own, as daemons do, closes ours with them,
 * and the number soon belongs to a file of the program's. So the thread that watches has a descriptor table of its
 * own, empty but for what it opens: open() makes it, and it goes when the thread ends. Neither side can touch the
 * other's files, no child inherits ours, and the program's limit of open files is not used up.
 *
 * That is why nobody can write to the watching thread either. It is woken by a signal that it has blocked and sees in a
 * signalfd: sent to that thread alone, it runs no handler and changes none.
 */
#ifndef ZSI_BASE_PSI_H
#define ZSI_BASE_PSI_H

#include <pthread.h>

/* What one thread watches. Its own: no other thread reads it. */
struct zsi_psi_watch {
	int trigger; /* descriptors of the thread's own table */
	int wake;
};

enum zsi_psi_event {
	ZSI_PSI_BROKEN,   /* no more events will come: the cgroup is gone, or the descriptors are */
	ZSI_PSI_WOKEN,    /* by wake(), or for no reason */
	ZSI_PSI_PRESSURE, /* the trigger fired */
};

struct zsi_psi_ops {
	/*
	 * Arm a trigger for the calling thread, which must live for nothing else: it loses all other descriptors (with
	 * assertions on, all but the standard ones). It has all signals blocked. What a process without privileges may
	 * not ask for is asked for again with the next window that it may. 0, or -1 with errno.
	 */
	int (*open)(struct zsi_psi_watch *watch, const char *path, unsigned stall_us, unsigned window_us);
	/* Sleep until something happens. By the thread that opened it. */
	enum zsi_psi_event (*wait)(struct zsi_psi_watch *watch);
	/* Make wait() return in that thread, now or when it is called next. It has not been joined. */
	void (*wake)(pthread_t thread);
};

/* The table in use. Written only by tests, while no shrinker runs. */
extern struct zsi_psi_ops zsi_psi;

/* The real functions, for tests that forward to them. */
extern const struct zsi_psi_ops zsi_psi_real;

#endif
