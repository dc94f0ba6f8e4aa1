/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gate.h - who is inside a device: streams, one a thread, and a gate that can be closed.
 *
 * Every operation on blocks takes a stream first (streams.h). A thread finds its own by number, so taking it costs one
 * exchange on a line that is in this processor's cache, and no two threads write to one line. When there are more
 * threads than streams, or no memory for another one, threads share.
 *
 * Closing the gate waits until every stream is put back, and then nobody is inside: the device can be reset, its table
 * trimmed. A stream is therefore never held while waiting for z->lock, nor for anything long but the operation on one
 * block: put it back between blocks.
 *
 *   enter: busy = 1; look at gate      close: gate = 1; look at busy      (all seq_cst, so one sees the other)
 *
 * Who has a stream may try others without looking at the gate, since closing waits for the one that he has.
 */
#ifndef ZSI_DEVICE_GATE_H
#define ZSI_DEVICE_GATE_H

#include <stdbool.h>

struct zram;
struct zsi_stream;

/* Take a stream; NULL with EINVAL where the device is not initialised. The caller holds none, nor any lock. */
struct zsi_stream *zsi_gate_enter(struct zram *z);

/*
 * Close the gate; the caller holds z->lock and no stream. try: give up, false, when somebody stays inside for longer
 * than a block takes. Then open it again.
 */
void zsi_gate_close(struct zram *z);
bool zsi_gate_try_close(struct zram *z);
void zsi_gate_open(struct zram *z);

#endif
