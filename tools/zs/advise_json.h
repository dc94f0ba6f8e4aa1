/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_json.h - the advice as JSON. */
#ifndef ZS_ADVISE_JSON_H
#define ZS_ADVISE_JSON_H

#include "advice.h"

void advise_json(const struct advice *advice);

#endif
