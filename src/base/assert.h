/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * assert.h - assertions against our own bugs, in three tiers of cost.
 *
 *   ZSI_ASSERT(x)         O(1)
 *   ZSI_ASSERT_STRUCT(x)  walks one structure (a zspage, a chunk)
 *   ZSI_ASSERT_POOL(x)    walks the whole pool
 *
 * ZSI_ASSERT_LEVEL says how many tiers are on: none with NDEBUG, else two. What a caller or the system can cause is
 * never an assertion: it is returned, or goes to the misuse handler.
 */
#ifndef ZSI_BASE_ASSERT_H
#define ZSI_BASE_ASSERT_H

#ifndef ZSI_ASSERT_LEVEL
#ifdef NDEBUG
#define ZSI_ASSERT_LEVEL 0
#else
#define ZSI_ASSERT_LEVEL 2
#endif
#endif

/* Says which assertion failed and aborts. */
_Noreturn void zsi_assert_fail(const char *expr, const char *file, int line);

#define ZSI_ASSERT_AT(level, x) \
	((ZSI_ASSERT_LEVEL) < (level) || (x) ? (void)0 : zsi_assert_fail(#x, __FILE__, __LINE__))

#define ZSI_ASSERT(x) ZSI_ASSERT_AT(1, x)
#define ZSI_ASSERT_STRUCT(x) ZSI_ASSERT_AT(2, x)
#define ZSI_ASSERT_POOL(x) ZSI_ASSERT_AT(3, x)

#endif
