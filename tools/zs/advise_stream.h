/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_stream.h - predictions of more data than fits in memory. */
#ifndef ZS_ADVISE_STREAM_H
#define ZS_ADVISE_STREAM_H

#include <stdbool.h>

#include "advice.h"
#include "pages.h"

/*
 * All of the set, which the sample is only a part of, is read once and compressed for the predictions with blocks of one
 * page; figures of the others are the sample's, for as much more. Then the whole is what was read. False after a
 * message; also ends when interrupted().
 */
bool advise_stream(struct advice *advice, struct page_set *set);

#endif
