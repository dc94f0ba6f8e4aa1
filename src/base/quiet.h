/* SPDX-License-Identifier: BSD-3-Clause */
/* quiet.h - threads of the library's own, which take none of the program's signals. */
#ifndef ZSI_BASE_QUIET_H
#define ZSI_BASE_QUIET_H

#include <pthread.h>

/* Start a thread with all signals blocked. 0, or an errno value and *thread undefined. */
int zsi_quiet_thread(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
