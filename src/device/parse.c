/* SPDX-License-Identifier: BSD-3-Clause */
/* parse.c - numbers with and without suffixes, and pairs of a name and a value, as the kernel takes them. */
#include "device/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_blanks(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* The number at the start of text, and what follows it; false: there is none, or it is too large. */
static bool leading_number(const char *text, uint64_t *value, const char **rest)
{
	char *end;

	text = skip_blanks(text);
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*value = strtoull(text, &end, 0);
	*rest = end;
	return errno == 0;
}

int zsi_parse_number(const char *text, uint64_t *value)
{
	const char *rest;

	return leading_number(text, value, &rest) && *skip_blanks(rest) == '\0' ? 0 : -1;
}

int zsi_parse_signed(const char *text, int64_t *value)
{
	bool negative;
	uint64_t magnitude;

	text = skip_blanks(text);
	negative = *text == '-';
	if (zsi_parse_number(text + (negative ? 1 : 0), &magnitude) != 0 || magnitude > INT64_MAX)
		return -1;
	*value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return 0;
}

int zsi_parse_bytes(const char *text, uint64_t *value)
{
	static const char suffixes[] = "KMGTPE";
	const char *rest, *suffix;
	unsigned shift = 0;

	if (!leading_number(text, value, &rest))
		return -1;
	suffix = *rest == '\0' ? NULL : strchr(suffixes, toupper((unsigned char)*rest));
	if (suffix != NULL) {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		rest++;
	}
	if (*skip_blanks(rest) != '\0' || *value > UINT64_MAX >> shift)
		return -1;
	*value <<= shift;
	return 0;
}

int zsi_parse_bool(const char *text, bool *value)
{
	/* Every other one is true. */
	static const char *const words[] = { "0", "1", "n", "y", "no", "yes", "f", "t", "false", "true", "off", "on" };

	text = skip_blanks(text);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (strncasecmp(text, words[i], len) == 0 && *skip_blanks(text + len) == '\0') {
			*value = i % 2 == 1;
			return 0;
		}
	}
	return -1;
}

bool zsi_parse_pair(char **text, char **key, char **value)
{
	char *at = *text;

	while (isspace((unsigned char)*at))
		at++;
	if (*at == '\0')
		return false;
	*key = at;
	while (*at != '\0' && !isspace((unsigned char)*at))
		at++;
	if (*at != '\0')
		*at++ = '\0';
	*text = at;
	*value = strchr(*key, '=');
	if (*value != NULL)
		*(*value)++ = '\0';
	return true;
}
