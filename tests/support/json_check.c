/* SPDX-License-Identifier: BSD-3-Clause */
/* json_check.c - a recursive descent over the grammar; each function moves past what it accepts. */
#include "json_check.h"

#include <ctype.h>
#include <string.h>

#define MAX_DEPTH 64

static bool value(const char **p, int depth);

static void space(const char **p)
{
	*p += strspn(*p, " \t\r\n");
}

static bool literal(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) != 0)
		return false;
	*p += len;
	return true;
}

static bool string(const char **p)
{
	if (*(*p)++ != '"')
		return false;
	while (**p != '"') {
		unsigned char c = (unsigned char)*(*p)++;

		if (c < 0x20)
			return false;
		if (c != '\\')
			continue;
		c = (unsigned char)*(*p)++;
		if (c == 'u') {
			for (int i = 0; i < 4; i++)
				if (!isxdigit((unsigned char)*(*p)++))
					return false;
		} else if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL) {
			return false;
		}
	}
	(*p)++;
	return true;
}

static bool digits(const char **p)
{
	size_t n = strspn(*p, "0123456789");

	*p += n;
	return n > 0;
}

static bool number(const char **p)
{
	if (**p == '-')
		(*p)++;
	if (**p == '0')
		(*p)++;
	else if (!digits(p))
		return false;
	if (**p == '.') {
		(*p)++;
		if (!digits(p))
			return false;
	}
	if (**p == 'e' || **p == 'E') {
		(*p)++;
		if (**p == '+' || **p == '-')
			(*p)++;
		return digits(p);
	}
	return true;
}

/* The members of an object or the elements of an array, after the opening bracket. */
static bool members(const char **p, char close, int depth)
{
	space(p);
	if (**p == close) {
		(*p)++;
		return true;
	}
	for (;;) {
		space(p);
		if (close == '}') {
			if (!string(p))
				return false;
			space(p);
			if (*(*p)++ != ':')
				return false;
		}
		if (!value(p, depth + 1))
			return false;
		char c = *(*p)++;

		if (c == close)
			return true;
		if (c != ',')
			return false;
	}
}

static bool value(const char **p, int depth)
{
	bool valid;

	if (depth > MAX_DEPTH)
		return false;
	space(p);
	switch (**p) {
	case '{':
		(*p)++;
		valid = members(p, '}', depth);
		break;
	case '[':
		(*p)++;
		valid = members(p, ']', depth);
		break;
	case '"':
		valid = string(p);
		break;
	case 't':
		valid = literal(p, "true");
		break;
	case 'f':
		valid = literal(p, "false");
		break;
	case 'n':
		valid = literal(p, "null");
		break;
	default:
		valid = number(p);
		break;
	}
	space(p);
	return valid;
}

bool json_valid(const char *text)
{
	return value(&text, 0) && *text == '\0';
}
