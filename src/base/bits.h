/* SPDX-License-Identifier: BSD-3-Clause */
/* bits.h - integer arithmetic that more than one folder needs. */
#ifndef ZSI_BASE_BITS_H
#define ZSI_BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZSI_CACHE_LINE 64u

#define zsi_likely(x) __builtin_expect(!!(x), 1)
#define zsi_unlikely(x) __builtin_expect(!!(x), 0)

/*
 * A value in a register that the compiler knows nothing about: a pointer that members are reached through, instead of
 * an address that it works out anew for each of them.
 */
#define ZSI_OPAQUE(x) __asm__("" : "+r"(x))

static inline bool zsi_is_pow2(uint64_t x)
{
	return x != 0 && (x & (x - 1)) == 0;
}

/* Rounded up to a multiple of unit, a power of two. */
static inline uint64_t zsi_round_up(uint64_t x, uint64_t unit)
{
	return (x + unit - 1) & ~(unit - 1);
}

static inline uint64_t zsi_div_up(uint64_t x, uint64_t d)
{
	return (x + d - 1) / d;
}

/* The exponent of the largest power of two that is at most x; x is not 0. */
static inline unsigned zsi_log2_floor(uint64_t x)
{
	return 63u - (unsigned)__builtin_clzll(x);
}

static inline uint64_t zsi_pow2_ceil(uint64_t x)
{
	return x <= 1 ? 1 : 1ull << (zsi_log2_floor(x - 1) + 1);
}

static inline uint64_t zsi_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t zsi_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * Division of small numbers by a constant without a divide instruction. With m = ceil(2^40 / d), floor(n * m / 2^40)
 * is exactly floor(n / d) as long as n * d < 2^40 (the error of m, less than d / 2^40 of it, then never reaches 1 / d).
 */
#define ZSI_RECIPROCAL_SHIFT 40

static inline uint64_t zsi_reciprocal(uint64_t d)
{
	return ((1ull << ZSI_RECIPROCAL_SHIFT) + d - 1) / d;
}

static inline uint32_t zsi_reciprocal_divide(uint64_t n, uint64_t reciprocal)
{
	return (uint32_t)(n * reciprocal >> ZSI_RECIPROCAL_SHIFT);
}

/* With four steps a doubling from 1 << shift on, shift at least 2: the number of the step that n is in. */
static inline unsigned zsi_quarter_step(uint64_t n, unsigned shift)
{
	unsigned log = zsi_log2_floor(n);

	return (log - shift) * 4 + (unsigned)(n >> (log - 2) & 3);
}

/* Bit i of a map of 64-bit words. */
static inline bool zsi_bit_get(const uint64_t *map, uint64_t i)
{
	return (map[i / 64] >> (i % 64) & 1) != 0;
}

static inline void zsi_bit_set(uint64_t *map, uint64_t i)
{
	map[i / 64] |= 1ull << (i % 64);
}

static inline void zsi_bit_clear(uint64_t *map, uint64_t i)
{
	map[i / 64] &= ~(1ull << (i % 64));
}

#endif
