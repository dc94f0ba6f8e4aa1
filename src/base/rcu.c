/* SPDX-License-Identifier: BSD-3-Clause */
/* rcu.c - what rcu.h shares between all threads. */
#include "base/rcu.h"

_Atomic unsigned zsi_rcu_forks;

static struct zsi_lock register_lock; /* taken before all others, and alone but for fork */

void zsi_rcu_register_lock(void)
{
	zsi_lock_unranked(&register_lock);
}

void zsi_rcu_register_unlock(void)
{
	zsi_unlock_unranked(&register_lock);
}

void zsi_rcu_register(void)
{
	zsi_lock_unranked(&register_lock);
	urcu_bp_register();
	zsi_unlock_unranked(&register_lock);
}

#ifdef ZSI_TSAN
/* The address that stands for "all read sections" in ThreadSanitizer's eyes. */
char zsi_rcu_tsan_order;
#endif
