/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gate.h - requests go through, until somebody wants one moment without any.
 *
 * Each thread has a lock of its own, which it holds while it works on a request; so threads share nothing here. Who
 * closes the gate takes the locks of all. The locks are never freed; a thread that ends leaves its own to the next.
 */
#ifndef ZS_FUSE_GATE_H
#define ZS_FUSE_GATE_H

void gate_enter(void);
void gate_leave(void);

/* No request is under way from gate_close() to gate_open(), which the same thread calls. */
void gate_close(void);
void gate_open(void);

#endif
