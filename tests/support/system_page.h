/* SPDX-License-Identifier: BSD-3-Clause */
/* system_page.h - bytes of a page of the system's: larger than 4096 on some machines, and under large_pages.c. */
#ifndef TEST_SYSTEM_PAGE_H
#define TEST_SYSTEM_PAGE_H

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

static inline size_t system_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Bytes in whole such pages. */
static inline uint64_t in_system_pages(uint64_t bytes)
{
	return (bytes + system_page() - 1) / system_page() * system_page();
}

#endif
