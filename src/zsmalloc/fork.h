/* SPDX-License-Identifier: BSD-3-Clause */
/* fork.h - the process's handlers for fork(). */
#ifndef ZSI_ZSMALLOC_FORK_H
#define ZSI_ZSMALLOC_FORK_H

/* Make sure the process's fork handlers are there. 0, or an errno value. */
int zsi_fork_handlers(void);

#endif
