/* SPDX-License-Identifier: BSD-3-Clause */
/* account.c - what account.h shares. */
#include "base/account.h"

_Thread_local bool zsi_charge_frozen;
_Thread_local bool zsi_charge_headroom;
_Thread_local bool zsi_limit_refused;
