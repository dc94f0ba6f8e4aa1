/* SPDX-License-Identifier: BSD-3-Clause */
/* advise_figures.h - ratios, speeds and costs of candidates and predictions, and how they are called. */
#ifndef ZS_ADVISE_FIGURES_H
#define ZS_ADVISE_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "advice.h"

/* How far off estimates for the kernel were where they could be compared: lz4, this library's against the kernel's. */
#define ESTIMATE_ERROR "0.01 %"

const char *goal_name(enum goal goal);
int goal_exponent(enum goal goal);      /* how much more memory counts than time, as choices have it */
double goal_least_share(enum goal goal); /* of the saving that is possible: a choice must have it */

double table_share(const struct candidate *c); /* of the device's table, for a byte of data */
double candidate_ratio(const struct candidate *c, bool kernel); /* bytes of blocks for each byte held, all-in */
double compress_mb_per_s(const struct candidate *c);            /* NaN where nothing was compressed */
double decompress_mb_per_s(const struct candidate *c);

/* Time of one write and of the settings' reads, and of either's compressor alone for an access, ns. */
double candidate_access_ns(const struct advice *advice, const struct candidate *c);
double access_ns(const struct advice *advice, double compress_ns, double decompress_ns);
double candidate_compress_ns(const struct advice *advice, const struct candidate *c);
double candidate_decompress_ns(const struct advice *advice, const struct candidate *c);

double prediction_ratio(const struct prediction *p, bool kernel);
double large_pool_ratio(const struct prediction *p, bool kernel); /* with so much such data that all zspages are full */
double prediction_share(const struct prediction *p, bool kernel); /* for a byte of data, of full zspages */

/* The prediction for an algorithm at its usual level, blocks of one page, no dictionary; NULL: none was made. */
const struct prediction *usual_prediction(const struct advice *advice, const struct algorithm *algorithm);

/* Whether a setting for the kernel, or for libzram, may be this one. */
bool candidate_fits(const struct candidate *c, bool kernel);
/* ... and it was measured. */
bool candidate_counts(const struct candidate *c, bool kernel);

/* After the survey, and when there are more predictions: the shares that candidates have, estimated for the sample. */
void figures_scale(struct advice *advice);

/* "zstd level 3, blocks of 16 KiB, dictionary" */
struct text_line {
	char s[120];
};
struct text_line candidate_name(const struct candidate *c);
/* The line that mm_stat would show. */
struct text_line mm_stat_line(const struct prediction *p);

#endif
