/* SPDX-License-Identifier: BSD-3-Clause */
/* random.h - numbers that are the same in each run (SplitMix64), to choose with. */
#ifndef ZS_RANDOM_H
#define ZS_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

#endif
