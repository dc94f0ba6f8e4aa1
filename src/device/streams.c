/* SPDX-License-Identifier: BSD-3-Clause */
/* streams.c - streams are filled and emptied here, and contexts made, shared, taken from each other and given back. */
#include "device/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/lock.h"
#include "base/work.h"
#include "codec/backend.h"
#include "codec/codec.h"
#include "device/algs.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/memory.h"
#include "device/thread.h"

#define IDLE_TICKS (ZSI_IDLE_SECONDS * ZSI_TICKS_PER_SECOND)

/* Between two looks for what is idle. */
#define LOOK_TICKS (2 * ZSI_TICKS_PER_SECOND)

/* After memory was refused no own compressor is made for so long: it would have to go again at once. */
#define REFUSED_TICKS ZSI_TICKS_PER_SECOND

/* Own compressors are at most this part of mem_limit, as long as nobody needs the memory for blocks. */
#define COMPRESSORS_PER_LIMIT 8u

uint32_t zsi_tick_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint32_t)((uint64_t)ts.tv_sec * ZSI_TICKS_PER_SECOND +
			  (uint64_t)ts.tv_nsec / (1000000000u / ZSI_TICKS_PER_SECOND));
}

/* Take a stream from whoever is inside with it, or not if somebody is. */
static void take_waiting(struct zsi_stream *s)
{
	for (unsigned round = 0; atomic_exchange(&s->busy, 1) != 0; round++)
		zsi_backoff(round);
}

static bool take_trying(struct zsi_stream *s)
{
	return atomic_load_explicit(&s->busy, memory_order_relaxed) == 0 && atomic_exchange(&s->busy, 1) == 0;
}

/* --- contexts: making and freeing --- */

static struct zsi_codec_ctx *create(const struct zram *z, unsigned kind)
{
	const struct zsi_alg *a = &z->algs[kind % ZSI_PRIORITIES];

	return zsi_codec_ctx_create(zsi_algs_compressor(a), a->level, z->block_size,
				    kind < ZSI_PRIORITIES ? ZSI_CODEC_COMPRESS : ZSI_CODEC_DECOMPRESS);
}

/*
 * 0, or -1 with ENOMEM. Its lock is held, which no reader wants; or z->lock while nobody is inside and nothing is
 * refused.
 */
static int make_common(struct zram *z, unsigned kind)
{
	struct zsi_common *c = &z->contexts.common[kind];
	struct zsi_codec_ctx *x = create(z, kind);

	if (x == NULL)
		return zsi_fail(ENOMEM, "%s: no memory for a context of %s", z->name,
				zsi_codec_name(z->algs[kind % ZSI_PRIORITIES].codec));
	if (zsi_memory_charge(z, zsi_codec_ctx_bytes(x)) != 0) {
		zsi_codec_ctx_destroy(x);
		errno = ENOMEM;
		return -1;
	}
	c->ctx = x;
	c->bytes = zsi_codec_ctx_bytes(x);
	return 0;
}

static void free_common(struct zram *z, struct zsi_common *c)
{
	if (c->ctx == NULL)
		return;
	zsi_memory_uncharge(z, zsi_codec_ctx_bytes(c->ctx));
	zsi_codec_ctx_destroy(c->ctx);
	c->ctx = NULL;
}

static void count_own(struct zram *z, unsigned kind, uint64_t bytes)
{
	atomic_fetch_add_explicit(&z->contexts.common[kind].own_bytes, bytes, memory_order_relaxed);
}

/* The caller has the stream. */
static bool free_own(struct zram *z, struct zsi_stream *s, unsigned kind)
{
	if (s->ctx[kind] == NULL)
		return false;
	uint64_t bytes = zsi_codec_ctx_bytes(s->ctx[kind]);

	zsi_codec_ctx_destroy(s->ctx[kind]);
	s->ctx[kind] = NULL;
	count_own(z, kind, -bytes);
	zsi_memory_uncharge(z, bytes);
	return true;
}

/* Whether so many bytes are more than this part of the limit, if there is one. */
static bool over_part(struct zram *z, uint64_t bytes, unsigned part)
{
	uint64_t limit = atomic_load_explicit(&z->memory.limit, memory_order_relaxed);

	return limit != 0 && bytes > limit / part;
}

/* Whether there are too many own contexts, the one to be made, of so many bytes, counted already. */
static bool too_many(struct zram *z, unsigned kind, uint64_t bytes, uint32_t now)
{
	const struct zsi_contexts *x = &z->contexts;
	uint64_t all = atomic_load_explicit(&x->common[kind].own_bytes, memory_order_relaxed);

	if (all > zsi_max(x->processors * bytes, ZSI_OWN_BYTES))
		return true;
	if (kind != ZSI_COMPRESSOR(0))
		return over_part(z, all, ZSI_OTHERS_PER_LIMIT);
	/* Signed: another thread may have been refused after this one came in. */
	return over_part(z, all, COMPRESSORS_PER_LIMIT) ||
	       (int32_t)(now - atomic_load_explicit(&x->refused, memory_order_relaxed)) < (int32_t)REFUSED_TICKS;
}

static bool make_own(struct zram *z, struct zsi_stream *s, unsigned kind)
{
	uint64_t bytes = z->contexts.common[kind].bytes;

	/* Before the look, so that of several threads only as many pass as may. */
	count_own(z, kind, bytes);
	if (!too_many(z, kind, bytes, s->now) && zsi_memory_try_charge(z, bytes)) {
		s->ctx[kind] = create(z, kind);
		if (s->ctx[kind] != NULL)
			return true;
		zsi_memory_uncharge(z, bytes);
	}
	count_own(z, kind, -bytes);
	return false;
}

/* Nobody resets the device meanwhile: closing the gate waits for s. */
static bool take_from_another(struct zram *z, struct zsi_stream *s, unsigned kind)
{
	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *o = zsi_stream_at(z, i);

		if (o == NULL || o == s || !take_trying(o))
			continue;
		s->ctx[kind] = o->ctx[kind];
		o->ctx[kind] = NULL;
		zsi_stream_leave(o);
		if (s->ctx[kind] != NULL)
			return true;
	}
	return false;
}

struct zsi_codec_ctx *zsi_ctx_borrow(struct zram *z, struct zsi_stream *s, unsigned kind)
{
	struct zsi_common *c = &z->contexts.common[kind];

	if (c->needs_none)
		return c->ctx;
	if (kind == ZSI_COMPRESSOR(0) || kind >= ZSI_DECOMPRESSOR(0)) {
		if (zsi_trylock(&c->lock, ZSI_RANK_CONTEXT))
			return c->ctx;
		if (make_own(z, s, kind) || take_from_another(z, s, kind))
			return s->ctx[kind];
	}
	zsi_lock(&c->lock, ZSI_RANK_CONTEXT);
	if (c->ctx == NULL && make_common(z, kind) != 0) {
		zsi_unlock(&c->lock, ZSI_RANK_CONTEXT);
		return NULL;
	}
	return c->ctx;
}

void zsi_ctx_return(struct zram *z, struct zsi_stream *s, unsigned kind)
{
	struct zsi_common *c = &z->contexts.common[kind];

	if (c->needs_none)
		return;
	c->used = s->now;
	zsi_unlock(&c->lock, ZSI_RANK_CONTEXT);
}

/* --- streams --- */

static void empty_stream(struct zram *z, struct zsi_stream *s)
{
	for (unsigned kind = 0; kind < ZSI_KINDS; kind++)
		(void)free_own(z, s, kind);
	zsi_work_free(s->out);
	s->out = s->block = s->copy = NULL;
	zsi_memory_uncharge(z, s->bytes);
	z->contexts.buffer_bytes -= s->bytes;
	s->bytes = 0;
}

/* The buffers; false with nothing left behind. */
static bool fill_stream(struct zram *z, struct zsi_stream *s)
{
	/* The copy is needed only for pages of the caller's, which may lie anywhere. */
	size_t page = z->pool_options.pages != NULL ? z->pool_options.page_size : 0;
	size_t out = z->block_size;

	for (unsigned p = 0; p < ZSI_PRIORITIES; p++)
		if (z->algs[p].codec != NULL)
			out = zsi_max(out, zsi_codec_bound(zsi_algs_compressor(&z->algs[p]), z->block_size));
	out = zsi_round_up(out, ZSI_CACHE_LINE);
	uint64_t others = z->contexts.buffer_bytes;

	/* The first stream must have some, and others may share it. */
	if (others != 0 && over_part(z, others + out + z->block_size + page, ZSI_OTHERS_PER_LIMIT))
		return false;
	s->out = zsi_work_alloc(out + z->block_size + page);
	if (s->out == NULL)
		return false;
	uint64_t bytes = zsi_work_bytes(s->out);

	if (!zsi_memory_try_charge(z, bytes)) {
		zsi_work_free(s->out);
		s->out = NULL;
		return false;
	}
	s->bytes = bytes;
	z->contexts.buffer_bytes += bytes;
	s->block = s->out + out;
	s->copy = page != 0 ? s->block + z->block_size : NULL;
	return true;
}

struct zsi_stream *zsi_stream_make_locked(struct zram *z, unsigned i)
{
	struct zsi_stream *s = zsi_stream_at(z, i);

	if (s == NULL) {
		s = aligned_alloc(ZSI_CACHE_LINE, sizeof(*s));
		if (s == NULL)
			return NULL;
		memset(s, 0, sizeof(*s));
		s->number = i;
		/* release: pairs with zsi_stream_at() */
		atomic_store_explicit(&z->streams[i], s, memory_order_release);
	}
	/* With the stream in hand, so that nobody finds it half filled. */
	take_waiting(s);
	bool ok = s->out != NULL || fill_stream(z, s);

	zsi_stream_leave(s);
	return ok ? s : NULL;
}

static unsigned filled_locked(struct zram *z)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *s = zsi_stream_at(z, i);

		if (s != NULL && s->bytes != 0)
			n++;
	}
	return n;
}

int zsi_stream_filled_locked(struct zram *z, unsigned asker)
{
	unsigned filled = filled_locked(z);
	unsigned nth = filled > 0 ? asker % filled : 0;

	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *s = zsi_stream_at(z, i);

		if (s != NULL && s->bytes != 0 && nth-- == 0)
			return (int)i;
	}
	return -1;
}

void zsi_stream_drop_locked(struct zram *z, struct zsi_stream *s)
{
	if (filled_locked(z) < 2)
		return;
	take_waiting(s);
	empty_stream(z, s);
	zsi_stream_leave(s);
}

/* --- all of them --- */

/* A secondary algorithm's compressor comes when it is needed; but not where there may be no room for it then. */
static int make_common_locked(struct zram *z, unsigned kind)
{
	struct zsi_common *c = &z->contexts.common[kind];
	const struct zsi_codec *codec = z->algs[kind % ZSI_PRIORITIES].codec;

	c->needs_none = codec != NULL && kind >= ZSI_DECOMPRESSOR(0) && zsi_codec_decompresses_without(codec);
	c->stays = kind == ZSI_COMPRESSOR(0) || kind >= ZSI_DECOMPRESSOR(0) || zsi_memory_limited(z);
	return codec != NULL && c->stays ? make_common(z, kind) : 0;
}

int zsi_streams_start_locked(struct zram *z)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	z->contexts.processors = processors > 0 ? (unsigned)processors : 1;
	atomic_store_explicit(&z->contexts.refused, zsi_tick_now() - REFUSED_TICKS, memory_order_relaxed);
	atomic_store_explicit(&z->look_at, zsi_tick_now() + LOOK_TICKS, memory_order_relaxed);
	for (unsigned kind = 0; kind < ZSI_KINDS; kind++)
		if (make_common_locked(z, kind) != 0)
			return -1;
	if (zsi_stream_make_locked(z, zsi_thread_number() % ZSI_STREAMS) != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}

void zsi_streams_empty_locked(struct zram *z)
{
	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *s = zsi_stream_at(z, i);

		if (s == NULL)
			continue;
		empty_stream(z, s);
		for (unsigned c = 0; c < ZSI_COUNTERS; c++)
			atomic_store_explicit(&s->counters[c], 0, memory_order_relaxed);
	}
	for (unsigned kind = 0; kind < ZSI_KINDS; kind++)
		free_common(z, &z->contexts.common[kind]);
}

void zsi_streams_free(struct zram *z)
{
	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *s = zsi_stream_at(z, i);

		if (s != NULL)
			empty_stream(z, s);
		free(s);
	}
}

int64_t zsi_streams_counted(struct zram *z, enum zsi_counter which)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *s = zsi_stream_at(z, i);

		if (s != NULL)
			sum += atomic_load_explicit(&s->counters[which], memory_order_relaxed);
	}
	return sum;
}

/* --- giving back --- */

/* now may be before the time of use, by the little that the clock of threads is apart. */
static bool is_old(uint32_t used, uint32_t now, uint32_t ticks)
{
	return (int32_t)(now - used) >= (int32_t)ticks;
}

/* One that nobody is inside with. *filled: streams that are, of which one must remain. */
static void give_back_from(struct zram *z, struct zsi_stream *s, uint32_t now, uint32_t ticks, unsigned *filled)
{
	if (s->bytes != 0 && *filled > 1 && is_old(s->now, now, ticks)) {
		empty_stream(z, s);
		--*filled;
		return;
	}
	for (unsigned kind = 0; kind < ZSI_KINDS; kind++)
		if (is_old(s->used[kind], now, ticks))
			(void)free_own(z, s, kind);
}

void zsi_streams_give_back_locked(struct zram *z, uint32_t ticks)
{
	unsigned filled = filled_locked(z);
	uint32_t now = zsi_tick_now();

	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *s = zsi_stream_at(z, i);

		if (s == NULL || !take_trying(s))
			continue;
		give_back_from(z, s, now, ticks, &filled);
		zsi_stream_leave(s);
	}
	for (unsigned kind = ZSI_COMPRESSOR(1); kind < ZSI_DECOMPRESSOR(0); kind++) {
		struct zsi_common *c = &z->contexts.common[kind];

		if (c->stays || !zsi_trylock(&c->lock, ZSI_RANK_CONTEXT))
			continue;
		if (is_old(c->used, now, ticks))
			free_common(z, c);
		zsi_unlock(&c->lock, ZSI_RANK_CONTEXT);
	}
}

void zsi_streams_look(struct zram *z)
{
	uint32_t now = zsi_tick_now();
	uint32_t at = atomic_load_explicit(&z->look_at, memory_order_relaxed);

	if ((int32_t)(now - at) < 0 ||
	    !atomic_compare_exchange_strong_explicit(&z->look_at, &at, now + LOOK_TICKS, memory_order_relaxed,
						     memory_order_relaxed))
		return;
	/* Who has the lock may have it for long, and there is another time. */
	if (!zsi_trylock(&z->lock, ZSI_RANK_DEVICE))
		return;
	if (z->pool != NULL)
		zsi_streams_give_back_locked(z, IDLE_TICKS);
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
}

bool zsi_streams_spare(struct zram *z)
{
	uint64_t all = atomic_load_explicit(&z->contexts.common[ZSI_COMPRESSOR(0)].own_bytes, memory_order_relaxed);
	bool any = false;

	atomic_store_explicit(&z->contexts.refused, zsi_tick_now(), memory_order_relaxed);
	if (all == 0 || (zsi_memory_limited(z) && !over_part(z, all, ZSI_OTHERS_PER_LIMIT)))
		return false;
	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *s = zsi_stream_at(z, i);

		/* The caller's is busy, and keeps what it has. */
		if (s == NULL || !take_trying(s))
			continue;
		any = free_own(z, s, ZSI_COMPRESSOR(0)) || any;
		zsi_stream_leave(s);
	}
	return any;
}
