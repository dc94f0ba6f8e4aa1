/* SPDX-License-Identifier: BSD-3-Clause */
/* pages.h - pages of known content for the tests of zs. */
#ifndef SYSTEM_PAGES_H
#define SYSTEM_PAGES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Fill count pages of page_size bytes with content of one kind; returns 0, or -1 where there is no such kind.
 *
 *   zero     zeros
 *   word     one 64-bit word, repeated; another one in each page
 *   random   random bytes: no compressor makes them smaller
 *   quarter  a quarter random bytes, then zeros; every page the same
 *   words    random words of a small vocabulary, as in text; no two pages the same
 */
int fill_pages(const char *kind, void *to, size_t page_size, size_t count);

#endif
