/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_name.c - the last part of a path, without its suffix. */
#include "common/disk_name.h"

#include <string.h>

char *disk_name_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	const char *dot = strrchr(base, '.');
	size_t len = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);
	return strndup(base, len < DISK_NAME_MAX ? len : DISK_NAME_MAX);
}
