/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * why.h - room for one line that says why something failed: whole, with the longest path and what the library says of
 * it.
 */
#ifndef COMMON_WHY_H
#define COMMON_WHY_H

enum { WHY_BYTES = 4096 + 4096 };

#endif
