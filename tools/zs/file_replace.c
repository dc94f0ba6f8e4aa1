/* SPDX-License-Identifier: BSD-3-Clause */
/* file_replace.c - a new file beside the old one takes its place, or what is there is written into. */
#include "file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40 }; /* as many as the kernel follows */

/* close(), and errno stays that of what failed before; without such a failure close() may fail itself. */
static bool close_after(int fd, bool good)
{
	int error = errno;
	if (close(fd) != 0 && good)
		return false;
	errno = error;
	return good;
}

static bool write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t n = write(fd, bytes, count);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		count -= (size_t)n;
	}
	return true;
}

/* Up to its last slash, with it; "" where there is none. free() it. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strndup(path, slash != NULL ? (size_t)(slash + 1 - path) : 0);
}

/* What a link says, from the folder that the link is in. free() it; NULL with errno. */
static char *link_target(const char *path)
{
	char to[PATH_MAX], *target = NULL;
	ssize_t n = readlink(path, to, sizeof(to));
	if (n < 0 || (size_t)n == sizeof(to)) {
		errno = n < 0 ? errno : ENAMETOOLONG;
		return NULL;
	}
	if (n > 0 && to[0] == '/')
		return strndup(to, (size_t)n);
	char *folder = folder_of(path);
	if (folder != NULL && asprintf(&target, "%s%.*s", folder, (int)n, to) < 0)
		target = NULL;
	free(folder);
	return target;
}

/*
 * The number of a descriptor of ours that the path stands for, or -1. Its link leads to the file, not to where it is.
 */
static int own_descriptor(const char *path)
{
	static const char *const folders[] = { "/proc/self/fd/", "/dev/fd/" };
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		size_t len = strlen(folders[i]);
		char *end;
		if (strncmp(path, folders[i], len) != 0 || path[len] < '0' || path[len] > '9')
			continue;
		long number = strtol(path + len, &end, 10);
		if (*end == '\0' && number <= INT_MAX)
			return (int)number;
	}
	return -1;
}

/* The name behind all links: the last one may lead to nothing, or be one of our descriptors. free() it; NULL: errno. */
static char *follow_links(const char *path)
{
	struct stat st;
	char *name = strdup(path);
	for (int links = 0; name != NULL && own_descriptor(name) < 0 && lstat(name, &st) == 0 && S_ISLNK(st.st_mode); links++) {
		char *target = links < MOST_LINKS ? link_target(name) : NULL;
		if (links == MOST_LINKS)
			errno = ELOOP;
		free(name);
		name = target;
	}
	return name;
}

/* fd < 0: errno says why. */
static bool write_into(int fd, const char *bytes, size_t count)
{
	return fd >= 0 && close_after(fd, write_all(fd, bytes, count));
}

/* Over the old content, of which nothing stays. */
static bool overwrite(const char *path, const char *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = write_all(fd, bytes, count) && ftruncate(fd, (off_t)count) == 0 && fsync(fd) == 0;
	return close_after(fd, good);
}

static mode_t usual_mode(void)
{
	mode_t mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

/* The owner and mode of the old file, NULL: there is none. False where they can't be had. */
static bool dress(int fd, const struct stat *old)
{
	struct stat st;
	if (old == NULL)
		return fchmod(fd, usual_mode()) == 0;
	if (fstat(fd, &st) != 0)
		return false;
	if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) && fchown(fd, old->st_uid, old->st_gid) != 0)
		return false;
	return fchmod(fd, old->st_mode & 07777) == 0; /* after the owner, whose change takes bits away */
}

/* A new file takes the place of the old one. *possible: false where the old one must be overwritten instead. */
static bool put_in_place(const char *path, const struct stat *old, const char *bytes, size_t count, bool *possible)
{
	char *folder = folder_of(path), *temporary = NULL;
	if (folder == NULL || asprintf(&temporary, "%s.zs-XXXXXX", folder) < 0)
		temporary = NULL;
	free(folder);
	if (temporary == NULL) {
		errno = ENOMEM;
		return false;
	}
	int fd = mkostemp(temporary, O_CLOEXEC);
	*possible = fd >= 0 && dress(fd, old);
	bool good = *possible && write_all(fd, bytes, count) && fsync(fd) == 0;
	if (fd >= 0)
		good = close_after(fd, good);
	good = good && rename(temporary, path) == 0;
	int error = errno;
	if (fd >= 0 && !good)
		unlink(temporary);
	free(temporary);
	errno = error;
	return good;
}

/* name: what is behind the path's links. */
static bool replace(const char *path, const char *name, const char *bytes, size_t count)
{
	struct stat st;
	int number = own_descriptor(name);
	if (number >= 0)
		return write_into(fcntl(number, F_DUPFD_CLOEXEC, 0), bytes, count);
	bool there = stat(path, &st) == 0;
	if (!there && errno != ENOENT)
		return false;
	/* By the path, as some links of /proc lead to what has no name. */
	if (there && !S_ISREG(st.st_mode))
		return write_into(open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), bytes, count);
	/* What may not be written is not replaced either. */
	if (there && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
		return false;
	bool possible = !there || st.st_nlink == 1;
	if (possible && put_in_place(name, there ? &st : NULL, bytes, count, &possible))
		return true;
	return there && !possible && overwrite(path, bytes, count);
}

bool file_replace(const char *path, const void *bytes, size_t count)
{
	char *name = follow_links(path);
	bool good = name != NULL && replace(path, name, bytes, count);
	int error = errno;
	free(name);
	errno = error;
	return good;
}
