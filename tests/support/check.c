/* SPDX-License-Identifier: BSD-3-Clause */
/* check.c - printing of failures, see check.h. */
#include "check.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char context[256];
static _Atomic uint64_t context_step;
static const char *operation;
static bool operation_ended;
static void (*at_failure)(void);

void check_context(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	check_step(0);
}

void check_step(uint64_t step)
{
	atomic_store_explicit(&context_step, step, memory_order_relaxed);
}

void check_operation(const char *name)
{
	if (name != NULL)
		operation = name;
	operation_ended = name == NULL;
}

static void print_context(void)
{
	char line[400];
	const char *when = operation_ended ? ", after " : ", in ";
	int n = snprintf(line, sizeof(line), "while running: %s, step %llu%s%s\n", context,
			 (unsigned long long)atomic_load_explicit(&context_step, memory_order_relaxed),
			 operation == NULL ? "" : when, operation == NULL ? "" : operation);

	if (context[0] != '\0' && n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(1);
}

void check_failed(const char *file, int line, const char *expression, const char *format, ...)
{
	int error = errno;

	fflush(stdout);
	fprintf(stderr, "%s:%d: failed: %s (errno %d, %s)", file, line, expression, error, strerror(error));
	if (format != NULL) {
		va_list args;

		fputs(": ", stderr);
		va_start(args, format);
		vfprintf(stderr, format, args);
		va_end(args);
	}
	fputc('\n', stderr);
	print_context();
	if (at_failure != NULL)
		at_failure();
	signal(SIGABRT, SIG_DFL);
	abort();
}

void check_at_failure(void (*clean_up)(void))
{
	at_failure = clean_up;
}

static void on_signal(int number)
{
	print_context();
	signal(number, SIG_DFL);
	raise(number);
}

void check_install(void)
{
	signal(SIGABRT, on_signal);
	/* The sanitizers print more about a crash than we would. */
	if (!CHECK_ASAN && !CHECK_TSAN) {
		signal(SIGSEGV, on_signal);
		signal(SIGBUS, on_signal);
	}
}

uint64_t check_soak_factor(void)
{
	const char *soak = getenv("ZS_TEST_SOAK");

	return soak != NULL && strcmp(soak, "1") == 0 ? 20 : 1;
}
