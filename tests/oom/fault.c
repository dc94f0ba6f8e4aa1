/* SPDX-License-Identifier: BSD-3-Clause */
/* fault.c - see fault.h. malloc and its relatives are replaced at link time (--wrap). */
#include "fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "check.h"

#define MAX_RESERVATIONS 64u

const char *const fault_names[FAULT_KINDS] = { "page", "reserve", "commit", "malloc" };

static struct {
	void *start;
	size_t bytes;
} reservations[MAX_RESERVATIONS];
static size_t nr_reservations;

static struct {
	enum fault_kind kind;
	struct test_source *source;
	uint64_t countdown; /* 0: no fault */
	bool on;
	bool happened;
} order;

/* Whether this request is one to refuse. */
static bool refuse(enum fault_kind kind)
{
	if (order.countdown == 0 || order.kind != kind)
		return false;
	if (order.countdown > 1) {
		order.countdown--;
		return false;
	}
	if (!order.on)
		order.countdown = 0;
	order.happened = true;
	errno = ENOMEM;
	return true;
}

static void *reserve(size_t bytes, size_t align)
{
	if (refuse(FAULT_RESERVE))
		return NULL;
	void *start = zsi_os_real.reserve(bytes, align);

	if (start != NULL) {
		CHECK((uintptr_t)start % align == 0 && nr_reservations < MAX_RESERVATIONS);
		reservations[nr_reservations].start = start;
		reservations[nr_reservations++].bytes = bytes;
	}
	return start;
}

/* The reservation that holds the range, which must be within one. */
static size_t find(const void *start, size_t bytes)
{
	uintptr_t from = (uintptr_t)start;

	for (size_t i = 0; i < nr_reservations; i++) {
		uintptr_t base = (uintptr_t)reservations[i].start;

		if (from >= base && from + bytes <= base + reservations[i].bytes)
			return i;
	}
	check_failed(__FILE__, __LINE__, "range is reserved", "%p, %zu bytes", start, bytes);
}

static int commit(void *start, size_t bytes, unsigned hints)
{
	(void)find(start, bytes);
	if (refuse(FAULT_COMMIT))
		return -1;
	return zsi_os_real.commit(start, bytes, hints);
}

static void decommit(const struct iovec *ranges, unsigned n, unsigned hints)
{
	for (unsigned i = 0; i < n; i++)
		(void)find(ranges[i].iov_base, ranges[i].iov_len);
	zsi_os_real.decommit(ranges, n, hints);
}

static void release(void *start, size_t bytes)
{
	size_t i = find(start, bytes);

	CHECK(reservations[i].start == start && reservations[i].bytes == bytes);
	reservations[i] = reservations[--nr_reservations];
	zsi_os_real.release(start, bytes);
}

void fault_install(void)
{
	zsi_os = (struct zsi_os_ops){ .reserve = reserve, .commit = commit, .decommit = decommit, .release = release };
}

void fault_order(enum fault_kind kind, struct test_source *source, uint64_t nth, bool on)
{
	order.kind = kind;
	order.source = source;
	order.countdown = nth;
	order.on = on;
	order.happened = false;
	if (kind == FAULT_PAGE)
		test_source_fail_at(source, nth, on);
}

bool fault_cancel(void)
{
	bool happened = order.happened;

	if (order.kind == FAULT_PAGE) {
		happened = test_source_failed(order.source);
		test_source_fail_at(order.source, 0, false);
	}
	order.countdown = 0;
	order.happened = false;
	return happened;
}

size_t fault_reservations(void)
{
	return nr_reservations;
}

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
int __real_posix_memalign(void **out, size_t align, size_t bytes);
int __wrap_posix_memalign(void **out, size_t align, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	return refuse(FAULT_MALLOC) ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return refuse(FAULT_MALLOC) ? NULL : __real_calloc(n, bytes);
}

void *__wrap_realloc(void *old, size_t bytes)
{
	return refuse(FAULT_MALLOC) ? NULL : __real_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
	return refuse(FAULT_MALLOC) ? NULL : __real_aligned_alloc(align, bytes);
}

int __wrap_posix_memalign(void **out, size_t align, size_t bytes)
{
	return refuse(FAULT_MALLOC) ? ENOMEM : __real_posix_memalign(out, align, bytes);
}
