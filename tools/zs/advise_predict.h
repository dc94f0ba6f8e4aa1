/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_predict.h - what the kernel's zram and libzram would hold for the whole sample. */
#ifndef ZS_ADVISE_PREDICT_H
#define ZS_ADVISE_PREDICT_H

#include <stdbool.h>

#include "advice.h"

/* The algorithms as they come, and what was chosen. */
bool advise_predict(struct advice *advice);
void prediction_free(struct prediction *p);

#endif
