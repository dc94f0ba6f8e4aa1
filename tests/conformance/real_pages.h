/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * real_pages.h - pages of this machine, of five kinds. Which ones is up to the seed and to what is installed.
 *
 *   ELF          programs and libraries
 *   TEXT         files of lines
 *   DATA         other files: tables, bytecode, message catalogues
 *   COMPRESSED   archives and images
 *   HEAPS        the writable memory of interpreters that are started for the purpose
 */
#ifndef TEST_REAL_PAGES_H
#define TEST_REAL_PAGES_H

#include <stddef.h>
#include <stdint.h>

#include "rng.h"

enum real_kind { REAL_ELF, REAL_TEXT, REAL_DATA, REAL_COMPRESSED, REAL_HEAPS, REAL_KINDS };

extern const char *const real_kind_names[REAL_KINDS];

/* Up to count pages of 4096 bytes; how many there were. Zeros follow where a file ends. */
size_t real_pages(enum real_kind kind, struct rng *rng, uint8_t *pages, size_t count);

#endif
