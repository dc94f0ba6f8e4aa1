/* SPDX-License-Identifier: BSD-3-Clause */
/* budget.c - when a budget is used up. */
#include "compact/budget.h"

#include "base/pace.h"

bool zsi_budget_exhausted(const struct zsi_compact_budget *budget)
{
	return budget->bytes == 0 || budget->pages == 0 ||
	       (budget->deadline_ns != UINT64_MAX && zsi_now_ns() >= budget->deadline_ns);
}
