/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_print.h - the advice as text. */
#ifndef ZS_ADVISE_PRINT_H
#define ZS_ADVISE_PRINT_H

#include "advice.h"

void advise_print(const struct advice *advice);

#endif
