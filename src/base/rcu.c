/* SPDX-License-Identifier: BSD-3-Clause */
/* rcu.c - what rcu.h shares between all threads. */
#include "base/rcu.h"

_Atomic unsigned zsi_rcu_forks;

#ifdef ZSI_TSAN
/* The address that stands for "all read sections" in ThreadSanitizer's eyes. */
char zsi_rcu_tsan_order;
#endif
