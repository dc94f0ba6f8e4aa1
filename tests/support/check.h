/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check.h - assertions of the tests that are not cmocka's: usable from any thread, in a forked child and in a fuzzer.
 *
 * A failed check prints the place, the expression and the context, which is how to run the same again (a seed, a step),
 * and aborts. check_install() prints the context also when the library itself aborts or the program crashes.
 */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond, NULL))
#define CHECK_MSG(cond, ...) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond, __VA_ARGS__))

_Noreturn void check_failed(const char *file, int line, const char *expression, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* What is being run: printed with a failure. Set by one thread. */
void check_context(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The step within it, cheap enough to set at each operation. */
void check_step(uint64_t step);

/* What it is, or was last: a string that stays; NULL leaves it at the last one, finished. */
void check_operation(const char *name);

/* Called once when a check fails, before the program aborts. */
void check_at_failure(void (*clean_up)(void));

/* Print the context on SIGABRT and on crashes too. */
void check_install(void);

/* 1, or what ZS_TEST_SOAK=1 in the environment makes of it: the factor by which tests run longer. */
uint64_t check_soak_factor(void);

/* Whether the program is built with ThreadSanitizer, or with AddressSanitizer. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHECK_TSAN 1
#endif
#if __has_feature(address_sanitizer)
#define CHECK_ASAN 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define CHECK_TSAN 1
#endif
#ifdef __SANITIZE_ADDRESS__
#define CHECK_ASAN 1
#endif
#ifndef CHECK_TSAN
#define CHECK_TSAN 0
#endif
#ifndef CHECK_ASAN
#define CHECK_ASAN 0
#endif

/* n operations, fewer where a sanitizer makes each slower, more when soaking. */
static inline uint64_t check_scale(uint64_t n)
{
	if (CHECK_TSAN)
		n /= 8;
	else if (CHECK_ASAN)
		n /= 6;
	return (n > 0 ? n : 1) * check_soak_factor();
}

#endif
