/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * common.h - what the programs of this folder share: time, random numbers, memory, the end with a message.
 *
 * Memory that a program needs for itself comes from pages(), never from malloc(): in some runs malloc() is what is
 * measured.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>

/* Print "PROGRAM: message" and, if errno_value is not 0, what it means; exit with 1. */
_Noreturn void fail(int errno_value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Nanoseconds of a clock that only goes forward. */
uint64_t now_ns(void);

/* Zeroed memory, all of it resident. Stays until it is released. */
void *pages(size_t bytes);
void release_pages(void *memory, size_t bytes);

/* Random numbers (SplitMix64), the same everywhere for the same seed. */
struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t x = r->state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* 0..n-1, n below 2^32 and not 0: the upper half of a product has no division in it and no measurable bias. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

/* The value in the middle of an odd count; sorts them. */
double median(double *value, size_t count);

/* The number after an option: low to high, else the program ends with a message. */
uint64_t number(const char *option, const char *text, uint64_t low, uint64_t high);

/* Bytes of this process that are resident, exact at the time of the call. */
uint64_t rss_bytes(void);

/* Make all of the program's and its libraries' files resident, so that running them later adds nothing to the RSS. */
void touch_program(void);

#endif
