/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_survey.h - all candidates are tried, on a small part of the sample. */
#ifndef ZS_ADVISE_SURVEY_H
#define ZS_ADVISE_SURVEY_H

#include <stdbool.h>

#include "advice.h"

/* Room for all candidates, and those without a dictionary. False without memory, after a message. */
bool survey_make_candidates(struct advice *advice);
void survey_add_candidates(struct advice *advice, bool dictionary);

/* Sizes and times of all. False after a message. Also ends when interrupted(). */
bool advise_survey(struct advice *advice);

#endif
