/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * json.h - writes one JSON value, a member or element a line, always valid UTF-8.
 *
 * Start with struct json j = JSON_INIT(out). Every call takes the member's name, or NULL inside an array and at the
 * top. Write errors stay in the stream: check ferror() at the end.
 */
#ifndef ZS_JSON_H
#define ZS_JSON_H

#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned depth;   /* objects and arrays that are open */
	unsigned members; /* bit d: the one at depth d has members already. depth <= 31 */
};

#define JSON_INIT(stream)                                 \
	{                                                 \
		.out = (stream), .depth = 0, .members = 0 \
	}

void json_begin_object(struct json *j, const char *name);
void json_end_object(struct json *j);
void json_begin_array(struct json *j, const char *name);
void json_end_array(struct json *j);

/* Bytes that are not UTF-8 come out as U+FFFD. */
void json_string(struct json *j, const char *name, const char *value);
void json_uint(struct json *j, const char *name, uint64_t value);

/* null where the value is not a finite number: JSON has no other way to say it. */
void json_real(struct json *j, const char *name, double value);

#endif
