/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.c - see snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int say(char *why, size_t why_bytes, const char *what, const char *path)
{
	int saved = errno;
	snprintf(why, why_bytes, "%s %s: %s", what, path, strerror(saved));
	errno = saved;
	return -1;
}

/* The folder that path is in. free() it; NULL without memory. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/*
 * A new file in the folder, open for writing. *temporary: its name, NULL where it has none. File systems that know no
 * files without a name get one with a name, which stays behind where the server is killed.
 */
static int open_new(const char *folder, const char *path, char **temporary)
{
	*temporary = NULL;
	int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
		return fd;
	if (asprintf(temporary, "%s.XXXXXX", path) < 0) {
		*temporary = NULL;
		errno = ENOMEM;
		return -1;
	}
	return mkostemp(*temporary, O_CLOEXEC);
}

/* Give a file without a name one that nobody has; it is renamed at once. *temporary: the name, free() it. */
static int give_name(int fd, const char *path, char **temporary)
{
	static atomic_uint counter;
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (int tries = 0; tries < 100; tries++) {
		unsigned n = atomic_fetch_add(&counter, 1);
		if (asprintf(temporary, "%s.%ld-%u", path, (long)getpid(), n) < 0) {
			*temporary = NULL;
			errno = ENOMEM;
			return -1;
		}
		if (linkat(AT_FDCWD, self, AT_FDCWD, *temporary, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		free(*temporary);
		*temporary = NULL;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

/* fsync() of a folder: the new name is durable. File systems that can't do that (EINVAL) have nothing to wait for. */
static int sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int result = fsync(fd) == 0 || errno == EINVAL ? 0 : -1;
	int saved = errno;
	close(fd);
	errno = saved;
	return result;
}

/* The file that is to be replaced: behind symbolic links, those stay. free() it; NULL with errno. */
static char *final_path(const char *path)
{
	struct stat st;
	char *real = realpath(path, NULL);
	if (!real)
		return errno == ENOENT ? strdup(path) : NULL;
	if (stat(real, &st) == 0 && !S_ISREG(st.st_mode)) {
		free(real);
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		return NULL;
	}
	return real;
}

static int save_to(struct zram *z, const char *path, const char *folder, char *why, size_t why_bytes)
{
	char *temporary;
	int fd = open_new(folder, path, &temporary);
	if (fd < 0) {
		free(temporary);
		return say(why, why_bytes, "can't make a file in", folder);
	}
	int result = 0;
	if (zram_save(z, fd) != 0) {
		int saved = errno;
		snprintf(why, why_bytes, "can't write %s: %s", path, zram_strerror());
		errno = saved;
		result = -1;
	} else if (fsync(fd) != 0 || (!temporary && give_name(fd, path, &temporary) != 0) ||
		   rename(temporary, path) != 0) {
		result = say(why, why_bytes, "can't write", path);
	}
	int saved = errno;
	close(fd);
	if (result != 0 && temporary)
		unlink(temporary);
	free(temporary);
	errno = saved;
	if (result == 0 && sync_folder(folder) != 0)
		result = say(why, why_bytes, "can't sync", folder);
	return result;
}

int snapshot_save(struct zram *z, const char *path, char *why, size_t why_bytes)
{
	char *real = final_path(path);
	if (!real)
		return say(why, why_bytes, "can't write", path);
	char *folder = folder_of(real);
	int result = folder ? save_to(z, real, folder, why, why_bytes) : say(why, why_bytes, "can't write", path);
	int saved = errno;
	free(folder);
	free(real);
	errno = saved;
	return result;
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
