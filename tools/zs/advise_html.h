/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_html.h - the advice as a page of HTML. */
#ifndef ZS_ADVISE_HTML_H
#define ZS_ADVISE_HTML_H

#include <stdbool.h>

#include "advice.h"

/* Into path. False after a message. */
bool advise_html(const struct advice *advice, const char *path);

#endif
