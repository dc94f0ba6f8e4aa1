/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.c - entering finds this thread's stream or another one; closing waits until nobody is inside. */
#include "device/gate.h"

#include <errno.h>

#include "base/bits.h"
#include "base/lock.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/streams.h"
#include "device/thread.h"

/* Rounds of zsi_backoff() after which somebody inside counts as busy for long: some hundred microseconds. */
#define TRY_ROUNDS 70u

/* --- streams --- */

/*
 * Where this thread should look for a stream: the one of its number, made if need be; or one that is there, if there is
 * no memory. -1 with EINVAL: the device is not initialised.
 */
static int find_place(struct zram *z, unsigned own)
{
	int place = -1;

	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	if (z->pool == NULL) {
		(void)zsi_fail(EINVAL, "%s: the device is not initialised: set disksize first", z->name);
	} else if (zsi_stream_make_locked(z, own) != NULL) {
		place = (int)own;
	} else {
		place = zsi_stream_filled_locked(z, own);
	}
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
	return place;
}

static inline bool time_to_look(const struct zram *z, uint32_t now)
{
	return (int32_t)(now - atomic_load_explicit(&z->look_at, memory_order_relaxed)) >= 0;
}

struct zsi_stream *zsi_gate_enter(struct zram *z)
{
	const unsigned own = zsi_thread_number() % ZSI_STREAMS;
	unsigned at = own;

	for (unsigned round = 0;; round++) {
		struct zsi_stream *s = zsi_stream_at(z, at);

		/* seq_cst: pairs with zsi_gate_close() */
		if (zsi_likely(s != NULL) && zsi_likely(atomic_exchange(&s->busy, 1) == 0)) {
			if (zsi_likely(atomic_load(&z->gate) == 0) && zsi_likely(s->out != NULL)) {
				s->now = zsi_tick_now();
				if (zsi_likely(!time_to_look(z, s->now)))
					return s;
				zsi_stream_leave(s);
				zsi_streams_look(z);
				continue;
			}
			zsi_stream_leave(s);
		} else if (s != NULL) {
			zsi_backoff(round);
			continue;
		}
		/* Waits for the gate to open, if it is that. */
		int place = find_place(z, own);

		if (place < 0)
			return NULL;
		at = (unsigned)place;
	}
}

static bool close_gate(struct zram *z, unsigned max_rounds)
{
	/* seq_cst: pairs with zsi_gate_enter() */
	atomic_store(&z->gate, 1);
	for (unsigned i = 0; i < ZSI_STREAMS; i++) {
		struct zsi_stream *s = zsi_stream_at(z, i);

		for (unsigned round = 0; s != NULL && atomic_load(&s->busy) != 0; round++) {
			if (round == max_rounds) {
				zsi_gate_open(z);
				return false;
			}
			zsi_backoff(round);
		}
	}
	return true;
}

void zsi_gate_close(struct zram *z)
{
	(void)close_gate(z, UINT32_MAX);
}

bool zsi_gate_try_close(struct zram *z)
{
	return close_gate(z, TRY_ROUNDS);
}

void zsi_gate_open(struct zram *z)
{
	/* release: pairs with the load in zsi_gate_enter() */
	atomic_store_explicit(&z->gate, 0, memory_order_release);
}
