/* SPDX-License-Identifier: BSD-3-Clause */
/* json.c - commas, quotes and escapes, so that callers name members and values only. */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Length of the UTF-8 sequence at s, 0 if it is none. Over-long forms, surrogates and what lies above U+10FFFF are
 * none: strict parsers refuse them. The bounds of the second byte are those of the Unicode standard's table 3-7.
 */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t len;
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void put_string(FILE *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	putc('"', out);
	while (*s) {
		size_t len = utf8_length(s);
		if (len == 0) {
			fputs("\\ufffd", out);
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < ' ' || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else
			fwrite(s, 1, len, out);
		s += len;
	}
	putc('"', out);
}

static void begin_member(struct json *j, const char *name)
{
	if (j->depth > 0) {
		unsigned bit = 1u << j->depth;
		fputs(j->members & bit ? ",\n" : "\n", j->out);
		j->members |= bit;
		for (unsigned i = 0; i < j->depth; i++)
			fputs("  ", j->out);
	}
	if (name != NULL) {
		put_string(j->out, name);
		fputs(": ", j->out);
	}
}

static void begin_container(struct json *j, const char *name, char open)
{
	begin_member(j, name);
	putc(open, j->out);
	j->depth++;
	j->members &= ~(1u << j->depth);
}

static void end_container(struct json *j, char close)
{
	bool had_members = (j->members & (1u << j->depth)) != 0;
	j->depth--;
	if (had_members) {
		putc('\n', j->out);
		for (unsigned i = 0; i < j->depth; i++)
			fputs("  ", j->out);
	}
	putc(close, j->out);
	if (j->depth == 0)
		putc('\n', j->out);
}

void json_begin_object(struct json *j, const char *name)
{
	begin_container(j, name, '{');
}

void json_end_object(struct json *j)
{
	end_container(j, '}');
}

void json_begin_array(struct json *j, const char *name)
{
	begin_container(j, name, '[');
}

void json_end_array(struct json *j)
{
	end_container(j, ']');
}

void json_string(struct json *j, const char *name, const char *value)
{
	begin_member(j, name);
	put_string(j->out, value);
}

void json_uint(struct json *j, const char *name, uint64_t value)
{
	begin_member(j, name);
	fprintf(j->out, "%" PRIu64, value);
}

void json_real(struct json *j, const char *name, double value)
{
	begin_member(j, name);
	if (isfinite(value))
		fprintf(j->out, "%.9g", value);
	else
		fputs("null", j->out);
}
