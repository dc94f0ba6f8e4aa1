/* SPDX-License-Identifier: BSD-3-Clause */
/* thread.c - numbers are given back when threads end, so that streams are used again. */
#include "device/thread.h"

#include <pthread.h>
#include <string.h>

#include "base/bits.h"
#include "base/lock.h"

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
	zsi_bit_clear(numbers_taken, n);
	zsi_unlock_unranked(&numbers_lock);
	/*
	 * Whatever else this thread still does is done with a number that may be another's too, which is only slower.
	 */
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
	zsi_bit_set(numbers_taken, n);
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

void zsi_thread_forget(void)
{
	zsi_lock_reset(&numbers_lock);
	memset(numbers_taken, 0, sizeof(numbers_taken));
	if (my_number != 0)
		zsi_bit_set(numbers_taken, my_number - 1);
}
