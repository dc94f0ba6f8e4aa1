/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zram_attr_fuzzer.c - bytes to lines "ATTRIBUTE VALUE" that are set on a device one after the other. Each is taken or
 * refused with an errno and a message of one line; what is set can be read; after all of them the device works, or says
 * that it is not initialised.
 *
 * A dictionary's path would name any file of the machine, so values that have one are left out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zsmalloc/zram.h>

#include "check.h"

#define MAX_LINES 64u
#define LINE_BYTES 256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set(struct zram *z, char *line)
{
	char *value = strchr(line, ' ');

	if (value == NULL)
		value = line + strlen(line);
	else
		*value++ = '\0';
	if (strstr(value, "dict") != NULL || strcmp(line, "backing_dev") == 0)
		return;
	errno = 0;
	if (zram_attr_set(z, line, value) == 0)
		return;
	CHECK_MSG(errno != 0 && zram_strerror()[0] != '\0', "'%s' '%s'", line, value);
	CHECK(strpbrk(zram_strerror(), "\n\r") == NULL);
}

static void get_all(struct zram *z)
{
	static const char *const names[] = { "disksize",       "initstate",        "mem_limit", "mem_used_max",
					     "comp_algorithm", "recomp_algorithm", "mm_stat",   "io_stat",
					     "debug_stat",     "last_error",       "bd_stat",   "backing_dev",
					     "writeback_limit", "writeback_limit_enable",
					     "compressed_writeback", "writeback_batch_size",
					     "max_comp_streams", "evict" };
	char text[1024];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ssize_t n = zram_attr_get(z, names[i], text, sizeof(text));

		CHECK_MSG(n >= 0 && (size_t)n < sizeof(text) && strlen(text) == (size_t)n, "%s", names[i]);
		CHECK(n == 0 || text[n - 1] == '\n');
	}
}

static void use(struct zram *z)
{
	uint64_t size = zram_disksize(z), at = size / 2;
	char byte = 0;

	if (size == 0) {
		CHECK(zram_pread(z, &byte, 1, 0) == -1 && errno == EINVAL);
		return;
	}
	/* A limit may have been set, which may be too low for a block. */
	if (zram_pwrite(z, "a", 1, at) == 0)
		CHECK(zram_pread(z, &byte, 1, at) == 0 && byte == 'a');
	else
		CHECK(errno == ENOMEM);
	CHECK(zram_discard(z, 0, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zram *z = zram_create("fuzz", NULL);
	char line[LINE_BYTES];

	CHECK(z != NULL);
	for (unsigned n = 0; n < MAX_LINES && size > 0; n++) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end != NULL ? (size_t)(end - data) : size;
		size_t kept = len < sizeof(line) ? len : sizeof(line) - 1;

		memcpy(line, data, kept);
		line[kept] = '\0';
		set(z, line);
		len += end != NULL ? 1 : 0;
		data += len;
		size -= len;
		use(z);
	}
	get_all(z);
	zram_destroy(z);
	return 0;
}
