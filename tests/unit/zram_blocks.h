/* SPDX-License-Identifier: BSD-3-Clause */
/* zram_blocks.h - what the tests of idle blocks, recompression and writeback share. */
#ifndef ZS_TESTS_UNIT_ZRAM_BLOCKS_H
#define ZS_TESTS_UNIT_ZRAM_BLOCKS_H

#include "unit.h"

#include <zsmalloc/zram.h>

/* The numbers of an attribute. */
static inline void numbers(struct zram *z, const char *attr, uint64_t *n, unsigned count)
{
	char text[256], *at = text;

	assert_true(zram_attr_get(z, attr, text, sizeof(text)) > 0);
	for (unsigned i = 0; i < count; i++)
		n[i] = strtoull(at, &at, 10);
}

/* The flags of a block in block_state; "" where it is not in use. */
static inline const char *state_of(struct zram *z, uint64_t index)
{
	static char flags[8];
	size_t size = (size_t)zram_attr_get(z, "block_state", NULL, 0) + 1;
	char *text = malloc(size), *line = text;

	assert_non_null(text);
	assert_true(zram_attr_get(z, "block_state", text, size) >= 0);
	memset(flags, 0, sizeof(flags));
	for (; line != NULL && *line != '\0'; line = strchr(line, '\n') != NULL ? strchr(line, '\n') + 1 : NULL)
		if (strtoull(line, NULL, 10) == index)
			memcpy(flags, strchr(line, '\n') - 6, 6);
	free(text);
	return flags;
}

static inline void set(struct zram *z, const char *attr, const char *value)
{
	if (zram_attr_set(z, attr, value) != 0)
		fail_msg("%s = '%s': %s", attr, value, zram_strerror());
}

static inline void refused(struct zram *z, const char *attr, const char *value, int error)
{
	errno = 0;
	if (zram_attr_set(z, attr, value) != -1 || errno != error)
		fail_msg("%s = '%s': errno %d, not %d", attr, value, errno, error);
	assert_true(strlen(zram_strerror()) > 10);
}

#endif
