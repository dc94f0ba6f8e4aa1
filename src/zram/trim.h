/* SPDX-License-Identifier: BSD-3-Clause */
/* trim.h - empty parts of the table go back. */
#ifndef ZSI_ZRAM_TRIM_H
#define ZSI_ZRAM_TRIM_H

#include <stdbool.h>

struct zram;

/* Give empty chunks of the table back when that is worth it. No stream is held. */
void zsi_trim_table(struct zram *z, bool now);

#endif
