/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * streams.h - streams: a thread's working memory in a device, and its share of the counters.
 *
 *   stream    one a thread, kept for its counters until the device goes; what else it has comes when it is needed
 *   buffers   made when a thread comes in, 4 of them in one piece; one stream always has some
 *   context   of an algorithm, to compress or to decompress with it: kind = priority, or that plus ZSI_PRIORITIES
 *   common    of each kind one context, the device's, under a lock; it is there as long as there is a device
 *   own       a context that a stream has, for the primary algorithm, and for decompressing
 *
 * A thread that needs a context takes its own; else the common one, if nobody has that just now; else it makes one,
 * while there are few of that kind; else takes that of a stream that is not in use; else waits for the common one. So
 * there are about as many contexts as threads compress at once, and where there is no memory for two, one is enough
 * for all. With secondary algorithms only one request at a time compresses: of these there is the common one alone,
 * and that only while it is needed, unless there is a limit that could leave no room for it.
 *
 *   own contexts of a kind <= max(processors, what fits into ZSI_OWN_BYTES)
 *   with a mem_limit: own compressors <= an eighth of it, own decompressors of a kind, and buffers, <= a 64th of it
 *   each, but the first stream's buffers, which there must be
 *
 * What was not used for ZSI_IDLE_SECONDS goes back: somebody looks every so often, who comes in or is the background.
 *
 * The fields of a stream are those of who made busy 1. Streams are filled and emptied with z->lock held as well;
 * contexts go from one stream to another with both streams busy.
 */
#ifndef ZSI_DEVICE_STREAMS_H
#define ZSI_DEVICE_STREAMS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bits.h"
#include "device/device.h"
#include "device/layout.h"

struct zsi_codec_ctx;

/* Fill the first stream and make the common contexts: 0, or -1 with ENOMEM. The caller holds z->lock. */
int zsi_streams_start_locked(struct zram *z);

/* Stream number i, filled; NULL where there is no memory. The caller holds z->lock; a filled one may be in use. */
struct zsi_stream *zsi_stream_make_locked(struct zram *z, unsigned i);

/*
 * The number of a stream that is filled, another one for others who ask: there is one since the device was
 * initialised.
 */
int zsi_stream_filled_locked(struct zram *z, unsigned asker);

/* Empty a stream, unless it is the only one that is filled. The caller holds z->lock. */
void zsi_stream_drop_locked(struct zram *z, struct zsi_stream *s);

/*
 * Empty all streams and their counters, and free the common contexts. The caller holds z->lock, and the gate is
 * closed.
 */
void zsi_streams_empty_locked(struct zram *z);

/* Free them. Nobody uses the device. */
void zsi_streams_free(struct zram *z);

/*
 * Give back what no thread used for so many ticks, and is not using now: buffers, own contexts, those of secondary
 * algorithms. 0: all that nobody uses just now. The caller holds z->lock, and no stream.
 */
void zsi_streams_give_back_locked(struct zram *z, uint32_t ticks);

/*
 * The same after ZSI_IDLE_SECONDS, when it is time to look again. The caller holds no stream, nor any lock from
 * z->lock on.
 */
void zsi_streams_look(struct zram *z);

/*
 * Memory was refused: free the streams' own compressors that nobody uses just now, where that is worth it, and make no
 * new ones for a moment. Whether there were any. The caller holds a stream, which keeps what it has.
 */
bool zsi_streams_spare(struct zram *z);

/* See zsi_ctx_get() and zsi_ctx_put(). */
struct zsi_codec_ctx *zsi_ctx_borrow(struct zram *z, struct zsi_stream *s, unsigned kind);
void zsi_ctx_return(struct zram *z, struct zsi_stream *s, unsigned kind);

/*
 * A context of a kind, until put, to be used by this thread alone. One at a time, and nothing is waited for meanwhile.
 * No object of the pool is held when a compressor is got. NULL with ENOMEM: only of a secondary algorithm's
 * compressor.
 */
static inline struct zsi_codec_ctx *zsi_ctx_get(struct zram *z, struct zsi_stream *s, unsigned kind)
{
	struct zsi_codec_ctx *x = s->ctx[kind];

	return zsi_likely(x != NULL) ? x : zsi_ctx_borrow(z, s, kind);
}

static inline void zsi_ctx_put(struct zram *z, struct zsi_stream *s, unsigned kind)
{
	if (zsi_likely(s->ctx[kind] != NULL))
		s->used[kind] = s->now;
	else
		zsi_ctx_return(z, s, kind);
}

static inline void zsi_stream_leave(struct zsi_stream *s)
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
int64_t zsi_streams_counted(struct zram *z, enum zsi_counter which);

uint32_t zsi_tick_now(void);

#endif
