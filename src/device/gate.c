/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.c - see gate.h. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "device/device.h"

/* Rounds of zsi_backoff() after which somebody inside counts as busy for long: some hundred microseconds. */
#define TRY_ROUNDS 70u

/* With so many empty chunks of the table it is worth closing the gate to give them back. */
#define TRIM_AT 32u

/* --- numbers of threads: the lowest that no living thread of the process has, so that streams are used again --- */

#define NUMBERS 4096u /* threads beyond share the last */

static pthread_once_t numbers_once = PTHREAD_ONCE_INIT;
static pthread_key_t numbers_key;
static bool have_key;
static struct zsi_lock numbers_lock;                                                /* taken alone */
static uint64_t numbers_taken[NUMBERS / 64];                                        /* Guarded by numbers_lock */
static _Thread_local unsigned my_number __attribute__((tls_model("initial-exec"))); /* plus 1; 0: none yet */

static void give_number_back(void *value)
{
	unsigned n = (unsigned)(uintptr_t)value - 1;

	zsi_lock_unranked(&numbers_lock);
	numbers_taken[n / 64] &= ~(1ull << (n % 64));
	zsi_unlock_unranked(&numbers_lock);
	/* Whatever else this thread still does is done with a number that may be another's too, which is only slower. */
}

static void make_key(void)
{
	have_key = pthread_key_create(&numbers_key, give_number_back) == 0;
}

static unsigned take_number(void)
{
	unsigned n = NUMBERS - 1;

	(void)pthread_once(&numbers_once, make_key);
	zsi_lock_unranked(&numbers_lock);
	for (unsigned i = 0; i < NUMBERS / 64; i++) {
		if (~numbers_taken[i] != 0) {
			n = i * 64 + (unsigned)__builtin_ctzll(~numbers_taken[i]);
			break;
		}
	}
	numbers_taken[n / 64] |= 1ull << (n % 64);
	zsi_unlock_unranked(&numbers_lock);
	if (have_key)
		(void)pthread_setspecific(numbers_key, (void *)(uintptr_t)(n + 1));
	my_number = n + 1;
	return n;
}

unsigned zsi_thread_number(void)
{
	return zsi_likely(my_number != 0) ? my_number - 1 : take_number();
}

void zsi_threads_forget(void)
{
	zsi_lock_reset(&numbers_lock);
	memset(numbers_taken, 0, sizeof(numbers_taken));
	if (my_number != 0)
		numbers_taken[(my_number - 1) / 64] |= 1ull << ((my_number - 1) % 64);
}

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

struct zsi_stream *zsi_enter(struct zram *z)
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
				zsi_leave(s);
				zsi_streams_look(z);
				continue;
			}
			zsi_leave(s);
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
	/* seq_cst: pairs with zsi_enter() */
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
	/* release: pairs with the load in zsi_enter() */
	atomic_store_explicit(&z->gate, 0, memory_order_release);
}

void zsi_trim(struct zram *z, bool now)
{
	unsigned pending = atomic_load_explicit(&z->table.nr_pending, memory_order_relaxed);

	if (!now && pending < TRIM_AT)
		return;
	zsi_lock(&z->lock, ZSI_RANK_DEVICE);
	/* Who stays inside for long is not waited for: everybody else would have to wait too. */
	if (z->pool != NULL && zsi_gate_try_close(z)) {
		zsi_table_trim_frozen(z);
		zsi_train_retire_frozen(z, false);
		zsi_gate_open(z);
	}
	zsi_unlock(&z->lock, ZSI_RANK_DEVICE);
}
