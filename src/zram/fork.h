/* SPDX-License-Identifier: BSD-3-Clause */
/* fork.h - all devices of the process, and fork(). */
#ifndef ZSI_ZRAM_FORK_H
#define ZSI_ZRAM_FORK_H

struct zram;

/* Make sure that the process's fork handlers are there; a pool must have been made. 0, or an errno value. */
int zsi_fork_handlers_for_devices(void);
void zsi_fork_add_device(struct zram *z);
void zsi_fork_remove_device(struct zram *z);

#endif
