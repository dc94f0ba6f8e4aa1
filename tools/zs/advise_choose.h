/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_choose.h - the recommendation, its reasons, and the figures they are made of. */
#ifndef ZS_ADVISE_CHOOSE_H
#define ZS_ADVISE_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "advice.h"

void advise_choose(struct advice *advice);
double candidate_ratio(const struct candidate *c, bool kernel); /* bytes of blocks for each byte held, all-in */
double candidate_access_ns(const struct advice *advice, const struct candidate *c);
double compress_mb_per_s(const struct candidate *c); /* NaN where nothing was compressed */
double decompress_mb_per_s(const struct candidate *c);
double prediction_ratio(const struct prediction *p, bool kernel);
double large_pool_ratio(const struct prediction *p, bool kernel); /* with so much such data that all zspages are full */
const char *goal_name(enum goal goal);
/* "zstd level 3, blocks of 16 KiB, dictionary" */
struct text_line {
	char s[120];
};
struct text_line candidate_name(const struct candidate *c);
/* What to paste. size: bytes of the device. */
uint64_t advised_disksize(const struct advice *advice);
struct settings_text {
	char s[640];
};
struct settings_text zramctl_text(const struct advice *advice);
struct settings_text zram_generator_text(const struct advice *advice);
struct settings_text libzram_text(const struct advice *advice);
/* The line that mm_stat would show. */
struct text_line mm_stat_line(const struct prediction *p);

#endif
