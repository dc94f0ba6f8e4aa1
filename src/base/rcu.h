/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rcu.h - userspace RCU, the flavour that needs no registration (liburcu-bp).
 *
 * What readers rely on: bytes and pages that were reachable when zsi_rcu_read_lock() returned stay as they are until
 * zsi_rcu_read_unlock(), because whoever takes them away publishes the new place first and then calls
 * zsi_rcu_synchronize() before he reuses the old one.
 *
 * liburcu is not built with ThreadSanitizer, which therefore can't see that order; the annotations say it: the end of
 * every read section happens before the end of every later grace period.
 */
#ifndef ZSI_BASE_RCU_H
#define ZSI_BASE_RCU_H

#include <stdatomic.h>
#include <stdbool.h>

#include <urcu/urcu-bp.h>
/* The read-side functions that liburcu allows non-LGPL code to inline (each says so in its comment). */
#include <urcu/static/urcu-bp.h>

#include "base/lock.h"

#if defined(__SANITIZE_THREAD__)
#define ZSI_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ZSI_TSAN 1
#endif
#endif

#ifdef ZSI_TSAN
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
extern char zsi_rcu_tsan_order;
#endif

/*
 * This thread's registration, which liburcu does at its first read section under a lock that its fork handlers don't
 * know: a child that was forked meanwhile would wait for it forever. So it is done under one of ours, which forks
 * take.
 */
void zsi_rcu_register(void);

/* Whether this thread's first read section is behind it, so that zsi_rcu_read_lock() calls nothing. */
static inline bool zsi_rcu_registered(void)
{
	return URCU_TLS(urcu_bp_reader) != NULL;
}

static inline void zsi_rcu_read_lock(void)
{
	if (__builtin_expect(!zsi_rcu_registered(), 0))
		zsi_rcu_register();
	_urcu_bp_read_lock();
}

/* Whether this thread is inside a read section, so that waiting for readers would be waiting for itself. */
static inline bool zsi_rcu_read_ongoing(void)
{
	return zsi_rcu_registered() && _urcu_bp_read_ongoing() != 0;
}

static inline void zsi_rcu_read_unlock(void)
{
#ifdef ZSI_TSAN
	__tsan_release(&zsi_rcu_tsan_order);
#endif
	_urcu_bp_read_unlock();
}

/*
 * Whether outermost read sections may be begun and ended by the two functions below: there is membarrier, so that they
 * need no barrier of their own. Asked once a pool; it does not change. Where it is false, whoever may end a section by
 * the second begins it twice: so that cannot take it for an outermost one.
 */
static inline bool zsi_rcu_readers_are_light(void)
{
#ifdef ZSI_TSAN
	return false;
#else
	return urcu_bp_has_sys_membarrier != 0;
#endif
}

/* Begin an outermost read section. False, and nothing was done: it would be a nested one, or the thread's first. */
static inline bool zsi_rcu_read_lock_light(void)
{
	struct urcu_bp_reader *reader = URCU_TLS(urcu_bp_reader);

	if (__builtin_expect(reader == NULL || (reader->ctr & URCU_BP_GP_CTR_NEST_MASK) != 0, 0))
		return false;
	_CMM_STORE_SHARED(reader->ctr, _CMM_LOAD_SHARED(urcu_bp_gp.ctr));
	cmm_barrier();
	return true;
}

/* End an outermost read section. False, and nothing was done: it is a nested one, or none. */
static inline bool zsi_rcu_read_unlock_light(void)
{
	struct urcu_bp_reader *reader = URCU_TLS(urcu_bp_reader);
	unsigned long ctr;

	if (__builtin_expect(reader == NULL, 0))
		return false;
	ctr = reader->ctr;
	if (__builtin_expect((ctr & URCU_BP_GP_CTR_NEST_MASK) != URCU_BP_GP_COUNT, 0))
		return false;
	cmm_barrier();
	_CMM_STORE_SHARED(reader->ctr, ctr - URCU_BP_GP_COUNT);
	cmm_barrier();
	return true;
}

/*
 * Forks that wait for a grace period to end. Where one grace period follows the other, the lock that liburcu holds for
 * each is never free long enough for a fork to get it; so nobody begins one while this is not 0.
 */
extern _Atomic unsigned zsi_rcu_forks;

static inline void zsi_rcu_synchronize(void)
{
	for (unsigned round = 0; atomic_load_explicit(&zsi_rcu_forks, memory_order_relaxed) != 0; round++)
		zsi_backoff(round);
	urcu_bp_synchronize_rcu();
#ifdef ZSI_TSAN
	__tsan_acquire(&zsi_rcu_tsan_order);
#endif
}

void zsi_rcu_register_lock(void);
void zsi_rcu_register_unlock(void);

static inline void zsi_rcu_before_fork(void)
{
	/* The child's only thread is registered then. */
	if (!zsi_rcu_registered())
		zsi_rcu_register();
	zsi_rcu_register_lock();
	atomic_fetch_add_explicit(&zsi_rcu_forks, 1, memory_order_relaxed);
	urcu_bp_before_fork();
}

static inline void zsi_rcu_after_fork_parent(void)
{
	urcu_bp_after_fork_parent();
	zsi_rcu_register_unlock();
	atomic_fetch_sub_explicit(&zsi_rcu_forks, 1, memory_order_relaxed);
}

static inline void zsi_rcu_after_fork_child(void)
{
	urcu_bp_after_fork_child();
	zsi_rcu_register_unlock();
	atomic_store_explicit(&zsi_rcu_forks, 0, memory_order_relaxed);
}

#endif
