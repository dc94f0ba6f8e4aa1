/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.c - see snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "replace.h"

static int say(char *why, size_t why_bytes, const char *what, const char *path)
{
	int saved = errno;
	snprintf(why, why_bytes, "%s %s: %s", what, path, strerror(saved));
	errno = saved;
	return -1;
}

int snapshot_try(const char *path, char *why, size_t why_bytes)
{
	return replace_try(path, why, why_bytes);
}

int snapshot_save(struct zram *z, const char *path, char *why, size_t why_bytes)
{
	struct replacement r;
	if (replace_begin(&r, path, why, why_bytes) != 0)
		return -1;
	if (zram_save(z, r.fd) == 0)
		return replace_commit(&r, why, why_bytes);
	int saved = errno;
	snprintf(why, why_bytes, "can't write %s: %s", path, zram_strerror());
	errno = saved;
	replace_abandon(&r);
	return -1;
}

struct zram *snapshot_load(const char *path, const struct zram_options *options, char *why, size_t why_bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		say(why, why_bytes, "can't open", path);
		return NULL;
	}
	struct zram *z = zram_load(fd, options);
	int saved = errno;
	if (!z)
		snprintf(why, why_bytes, "can't load %s: %s", path, zram_strerror());
	close(fd);
	errno = saved;
	return z;
}
