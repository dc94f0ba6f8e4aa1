/* SPDX-License-Identifier: BSD-3-Clause */
/* speed.h - the parts of bench_speed and bench_speed_malloc; each file says what it measures. */
#ifndef BENCH_SPEED_H
#define BENCH_SPEED_H

#include <stdint.h>

#include "supply.h"

/* Nanoseconds for one free with one malloc. */
struct speed_pairs {
	double same;          /* allocate an object, free it */
	double replace;       /* free a live object chosen at random, allocate one of the same size */
	double replace_other; /* the same, of another size */
};

struct speed_pairs speed_pairs(struct supply *s, uint32_t live, uint32_t pairs);

/* Operations a second. */
struct speed_bulk {
	double fill;  /* malloc + write */
	double churn; /* free of a random object + malloc + write */
	double read;  /* of all bytes of a random object */
};

struct speed_bulk speed_bulk(struct supply *s, uint32_t objects);

/* Operations a second of one thread alone, and of two together. */
struct speed_threads {
	double replace[2];
	double read[2];
};

struct speed_threads speed_threads(struct supply *s, uint32_t live, uint32_t slice_ms);

#endif
