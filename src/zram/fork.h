/* SPDX-License-Identifier: BSD-3-Clause */
/* fork.h - all devices of the process, and fork(). */
#ifndef ZSI_ZRAM_FORK_H
#define ZSI_ZRAM_FORK_H

struct zram;

/* In a child after fork(): the thread is not there. */
void zsi_background_forget(struct zram *z);

/* Make sure that the process's fork handlers are there; a pool must have been made. 0, or an errno value. */
int zsi_fork_handlers_for_devices(void);
void zsi_devices_add(struct zram *z);
void zsi_devices_remove(struct zram *z);

#endif
