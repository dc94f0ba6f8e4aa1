/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.h - making the Nth request for memory fail, and seeing that everything taken is given back.
 *
 *   FAULT_PAGE     a page of the caller's source
 *   FAULT_RESERVE  address space
 *   FAULT_COMMIT   making part of it accessible
 *   FAULT_MALLOC   the C library's heap (buffers of mapped objects)
 *
 * One fault is ordered at a time. `on`: all requests after the Nth fail too. Every reservation is recorded, so that a
 * release must name one exactly, and the number of those left is known. One thread.
 */
#ifndef TEST_FAULT_H
#define TEST_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test_source.h"

enum fault_kind { FAULT_PAGE, FAULT_RESERVE, FAULT_COMMIT, FAULT_MALLOC, FAULT_KINDS };

extern const char *const fault_names[FAULT_KINDS];

/* Put the recording functions into the library's table. No pool exists. */
void fault_install(void);

/* source: where pages are refused; may be NULL where kind is another. */
void fault_order(enum fault_kind kind, struct test_source *source, uint64_t nth, bool on);

/* No more faults. Whether the one ordered last has happened. */
bool fault_cancel(void);

/* Reservations that were not released. */
size_t fault_reservations(void);

#endif
