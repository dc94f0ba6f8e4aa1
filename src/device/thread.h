/* SPDX-License-Identifier: BSD-3-Clause */
/* thread.h - a number for each thread of the process: the lowest that no living thread has. */
#ifndef ZSI_DEVICE_THREAD_H
#define ZSI_DEVICE_THREAD_H

/* The number of this thread: the lowest that no other living thread of the process has. */
unsigned zsi_thread_number(void);

/* In a child after fork(): no thread but this one has a number. */
void zsi_thread_forget(void);

#endif
