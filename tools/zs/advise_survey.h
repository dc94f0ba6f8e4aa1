/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_survey.h - every candidate tried on pieces of the sample. */
#ifndef ZS_ADVISE_SURVEY_H
#define ZS_ADVISE_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "advice.h"

/* False without memory, after a message. Also end when interrupted(). */
bool advise_prepare(struct advice *advice); /* geometries, survey, dictionary, candidates */
bool advise_survey(struct advice *advice);
/* What an object of that size takes: its share of a full zspage. */
double object_bytes(const struct geometry_view *view, size_t size, size_t page_size);

#endif
