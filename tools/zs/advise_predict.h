/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_predict.h - what the kernel's zram and libzram would hold for the whole sample. */
#ifndef ZS_ADVISE_PREDICT_H
#define ZS_ADVISE_PREDICT_H

#include <stdbool.h>

#include "advice.h"

/*
 * Each algorithm at its usual level, for blocks of one page; and the order of the stripes, the survey and the
 * dictionary on the way, since the order comes from the first prediction. False after a message.
 */
bool advise_predict(struct advice *advice);

/* What was chosen, all of it. */
bool advise_predict_choices(struct advice *advice);

/* The figures from the sizes. False after a message. */
bool prediction_work_out(const struct advice *advice, struct prediction *p);
void prediction_free(struct prediction *p);

#endif
