/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pattern.h - contents that tell whose they are: every byte follows from a key (the object), a version (the write) and
 * the byte's offset, so that a byte of another object, of an older write or of another place is noticed.
 */
#ifndef TEST_PATTERN_H
#define TEST_PATTERN_H

#include <stddef.h>
#include <stdint.h>

/* The bytes [offset, offset + len) of the contents. */
void pattern_fill(void *buf, size_t len, uint64_t key, uint64_t version, size_t offset);

/* How many bytes from the start are as they should be: len when all are. */
size_t pattern_match(const void *buf, size_t len, uint64_t key, uint64_t version, size_t offset);

#endif
