/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gate.h - who is inside a device: streams, one a thread, and a gate that can be closed.
 *
 * Every operation on blocks takes a stream first. A stream is a thread's working memory (compression contexts, buffers)
 * and its share of the counters; a thread finds its own by number, so taking it costs one exchange on a line that is in
 * this processor's cache, and no two threads write to one line. When there are more threads than streams, or no memory
 * for another one, threads share.
 *
 * Closing the gate waits until every stream is put back, and then nobody is inside: the device can be reset, its table
 * trimmed. A stream is therefore never held while waiting for z->lock, nor for anything long but the operation on one
 * block: put it back between blocks.
 *
 *   enter: busy = 1; look at gate      close: gate = 1; look at busy      (all seq_cst, so one sees the other)
 */
#ifndef ZSI_ZRAM_GATE_H
#define ZSI_ZRAM_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bits.h"

#define ZSI_PRIORITIES 4u /* algorithms of a device: one primary, three for recompression */
#define ZSI_STREAMS 128u
#define ZSI_DICTS 8u /* trained dictionaries alive at once; number 0 is none */

struct zram;
struct zsi_codec_ctx;

/* What a stream counts. Sums over all streams are the device's. Those that end in _TOTAL only grow. */
enum zsi_counter {
	ZSI_N_STORED,      /* blocks USED */
	ZSI_N_COMPR_BYTES, /* sizes of the objects in the pool, added up */
	ZSI_N_SAME,        /* blocks SAME */
	ZSI_N_HUGE,        /* blocks HUGE and in the pool */
	ZSI_N_HUGE_TOTAL,  /* blocks that were stored HUGE */
	ZSI_N_FAILED_READS_TOTAL,
	ZSI_N_FAILED_WRITES_TOTAL,
	ZSI_N_NOTIFY_FREE_TOTAL, /* blocks discarded or zeroed, whether they were used or not */
	ZSI_N_READS_TOTAL,       /* blocks read */
	ZSI_N_WRITES_TOTAL,      /* blocks written */
	ZSI_N_BAD_SUMS_TOTAL,    /* reads of a block whose checksum was wrong */
	ZSI_N_BACKED,            /* blocks WB */
	ZSI_N_BACKED_READS_TOTAL,  /* units of the backing file */
	ZSI_N_BACKED_WRITES_TOTAL, /* the same */
	ZSI_N_DICT, /* and the ZSI_DICTS - 1 after it: blocks that need dictionary i */
	ZSI_COUNTERS = ZSI_N_DICT + ZSI_DICTS,
};

struct zsi_stream {
	_Alignas(ZSI_CACHE_LINE) _Atomic uint32_t busy; /* 1: a thread is inside with it */
	unsigned number;
	/* The rest is of whoever made busy 1. Pointers are NULL, bytes 0, while the stream is empty. */
	struct zsi_codec_ctx *ctx[ZSI_PRIORITIES]; /* NULL where the device has no algorithm of that priority */
	uint8_t *out;                              /* what compressing makes: the bound of the device's algorithms */
	uint8_t *block;                            /* a block, for parts of blocks */
	uint8_t *copy;                             /* a page of the pool, for objects that span two */
	uint64_t bytes;                            /* of all that, charged */
	uint32_t now;                              /* ticks; when it was taken */
	/* Written by the holder with plain stores; read by anybody, hence atomic. */
	_Alignas(ZSI_CACHE_LINE) _Atomic int64_t counters[ZSI_COUNTERS];
};

/* Take a stream; NULL with EINVAL where the device is not initialised. The caller holds none, nor any lock. */
struct zsi_stream *zsi_enter(struct zram *z);

static inline void zsi_leave(struct zsi_stream *s)
{
	/* release: pairs with the exchange of who takes it next, and with zsi_gate_close() */
	atomic_store_explicit(&s->busy, 0, memory_order_release);
}

static inline void zsi_count(struct zsi_stream *s, enum zsi_counter which, int64_t n)
{
	int64_t old = atomic_load_explicit(&s->counters[which], memory_order_relaxed);

	atomic_store_explicit(&s->counters[which], old + n, memory_order_relaxed);
}

/* The sum over all streams. */
int64_t zsi_counted(struct zram *z, enum zsi_counter which);

/*
 * Close the gate; the caller holds z->lock and no stream. try: give up, false, when somebody stays inside for longer
 * than a block takes. Then open it again.
 */
void zsi_gate_close(struct zram *z);
bool zsi_gate_try_close(struct zram *z);
void zsi_gate_open(struct zram *z);

/* Fill the first stream, so that there is one: 0, or -1 with ENOMEM. The caller holds z->lock. */
int zsi_streams_start_locked(struct zram *z);

/* Empty this thread's stream, unless it is the only one: the thread won't be back soon. The caller holds z->lock. */
void zsi_streams_drop_own_locked(struct zram *z);

/* Empty all streams and their counters. The caller holds z->lock, and the gate is closed. */
void zsi_streams_empty_locked(struct zram *z);

/* Free them. Nobody uses the device. */
void zsi_streams_free(struct zram *z);

/* In a child after fork(): no thread but this one has a number. */
void zsi_threads_forget(void);

/* Time in eighths of a second since some moment before the device was made; and a number of seconds in it. */
#define ZSI_TICKS_PER_SECOND 8u
uint32_t zsi_tick_now(void);

#endif
