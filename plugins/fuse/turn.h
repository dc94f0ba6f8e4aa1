/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * turn.h - one thread at a time waits for the kernel's requests: it is its turn.
 *
 * The kernel wakes waiting threads one after the other. With all of them waiting each request would be carried out by
 * the thread that has slept longest, on another processor, with cold caches, which a copy of many small files feels
 * (bench/mount.sh has one). So most requests, which take microseconds, are carried out by the thread that read them, and it reads
 * the next. Only a request that takes longer passes the turn on first: turn_pass() is called by who is about to wait
 * for a lock, to compress a good deal or to free much. The turn goes to the thread that has become idle last.
 *
 *   one thread has the turn, or all are at work; then the first that has done takes it
 */
#ifndef ZS_FUSE_TURN_H
#define ZS_FUSE_TURN_H

#include <stdbool.h>
#include <stddef.h>

/* A request for so many bytes is worth another thread. */
enum { TURN_BYTES = 16 << 10 };

/* Wait for the turn, or go on where this thread has it. False: there are no more requests. */
bool turn_take(void);

/* What this thread does now may take a while. Without the turn: no-op. */
void turn_pass(void);

/* From now on turn_take() says no, in all threads; or, before there are any, it is all begun anew. */
void turn_end(void);
void turn_begin(void);

#endif
