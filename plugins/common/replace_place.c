/* SPDX-License-Identifier: BSD-3-Clause */
/* replace_place.c - whether a name may be replaced is tried with a file that is made and removed. */
#include "common/replace_place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* as the kernel */

char *replace_place_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

const char *replace_place_reason(int error)
{
	return error == EBUSY ? "it is in use, or a mount point, over which nothing can be renamed" : strerror(error);
}

/* What the symbolic link at path says, seen from the link's folder. free() it; NULL with errno. */
static char *follow(const char *path)
{
	char to[PATH_MAX], *out = NULL;
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	if (n < 0)
		return NULL;
	to[n] = '\0';
	char *folder = replace_place_folder(path);
	if (folder != NULL && asprintf(&out, "%s%s%s", to[0] == '/' ? "" : folder, to[0] == '/' ? "" : "/", to) < 0)
		out = NULL;
	free(folder);
	if (out == NULL)
		errno = ENOMEM;
	return out;
}

/* Behind links that lead to nothing yet. free() it; NULL with errno. */
static char *end_of_links(const char *path)
{
	char *at = strdup(path);
	for (int links = 0; at != NULL; links++) {
		struct stat st;
		if (lstat(at, &st) != 0 || !S_ISLNK(st.st_mode))
			return at;
		char *next = links < LINKS_MAX ? follow(at) : NULL;
		if (links == LINKS_MAX)
			errno = ELOOP;
		int saved = errno;
		free(at);
		errno = saved;
		at = next;
	}
	return NULL;
}

/* What would stop a rename over a file that is there. 0, or -1 with errno. */
static int check_file(const char *path)
{
	struct statx st;
	struct stat folder;
	if (statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st) != 0)
		return errno == ENOSYS ? 0 : -1;
#ifdef STATX_ATTR_MOUNT_ROOT
	if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) {
		errno = EBUSY;
		return -1;
	}
#endif
	char *name = replace_place_folder(path);
	bool foreign = name != NULL && stat(name, &folder) == 0 && (folder.st_mode & S_ISVTX) && geteuid() != 0 &&
		       folder.st_uid != geteuid() && st.stx_uid != geteuid();
	free(name);
	if (!foreign && !(st.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)))
		return 0;
	errno = EPERM;
	return -1;
}

int replace_place_find(const char *path, char **real, bool *in_place)
{
	struct stat st;
	*in_place = false;
	*real = realpath(path, NULL);
	if (*real == NULL) {
		*real = errno == ENOENT ? end_of_links(path) : NULL;
		return *real != NULL ? 0 : -1;
	}
	int result = stat(*real, &st);
	if (result == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		result = -1;
	} else if (result == 0 && S_ISREG(st.st_mode)) {
		result = check_file(*real);
	} else if (result == 0) {
		*in_place = true;
	}
	if (result != 0) {
		int saved = errno;
		free(*real);
		*real = NULL;
		errno = saved;
	}
	return result;
}

int replace_place_open(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return -1;
	return open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC | (S_ISBLK(st.st_mode) ? O_EXCL : 0));
}

void replace_place_keep(int fd, const char *path)
{
	struct stat old, new;
	if (stat(path, &old) != 0 || fstat(fd, &new) != 0)
		return;
	mode_t mode = old.st_mode & 0777;
	bool kept = old.st_uid == new.st_uid && old.st_gid == new.st_gid;
	/* Of another group the bits for the group would let in the wrong ones. */
	if (!kept && fchown(fd, old.st_uid, old.st_gid) != 0 && fchown(fd, (uid_t)-1, old.st_gid) != 0)
		mode &= (mode_t)~070;
	(void)fchmod(fd, mode);
}

int replace_place_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ? 0 : -1; /* one that can be written and not be read has no way to sync it */
	int result = fsync(fd) == 0 || errno == EINVAL ? 0 : -1;
	int saved = errno;
	close(fd);
	errno = saved;
	return result;
}
