/* SPDX-License-Identifier: BSD-3-Clause */
/* json_check.h - whether a text is exactly one JSON value (RFC 8259), without caring what it says. */
#ifndef TEST_JSON_CHECK_H
#define TEST_JSON_CHECK_H

#include <stdbool.h>

bool json_valid(const char *text);

#endif
