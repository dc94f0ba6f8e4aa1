/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_choose.h - the recommendation, its reasons, and what it comes to in one sentence. */
#ifndef ZS_ADVISE_CHOOSE_H
#define ZS_ADVISE_CHOOSE_H

#include "advice.h"

/* Once shares are known. */
void advise_choose(struct advice *advice);
/* Once the choices are predicted. */
void advise_reason(struct advice *advice);

/* The logarithm of what time and memory together cost, by the goal's rule: the less the better. */
double goal_cost(const struct advice *advice, double ns, double share);

struct sentence {
	char s[384];
};
/* What would be saved. */
struct sentence advise_sentence(const struct advice *advice);

#endif
