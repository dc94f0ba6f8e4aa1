/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parse.h - the values of attributes, as the kernel reads them but without letting rubbish pass. Blanks and newlines at
 * either end are ignored, since values come from "echo".
 */
#ifndef ZSI_DEVICE_PARSE_H
#define ZSI_DEVICE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal, octal (0...) or hexadecimal (0x...) number, all of text: 0 or -1. */
int zsi_parse_number(const char *text, uint64_t *value);
int zsi_parse_signed(const char *text, int64_t *value);

/* A number with an optional suffix K, M, G, T, P, E (powers of 1024, either case). */
int zsi_parse_bytes(const char *text, uint64_t *value);

/* 1, y, yes, t, true or on; 0, n, no, f, false or off; in either case: 0 or -1. */
int zsi_parse_bool(const char *text, bool *value);

/*
 * The next word of *text, cut off in place: key, and value after its first '=', or NULL where it has none. False: no
 * word is left.
 */
bool zsi_parse_pair(char **text, char **key, char **value);

#endif
