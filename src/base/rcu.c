/* SPDX-License-Identifier: BSD-3-Clause */
/* rcu.c - the address that stands for "all read sections" in ThreadSanitizer's eyes. */
#include "base/rcu.h"

#ifdef ZSI_TSAN
char zsi_rcu_tsan_order;
#else
/* An empty translation unit is not C. */
typedef int zsi_rcu_nothing_else;
#endif
