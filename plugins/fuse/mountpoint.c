/* SPDX-License-Identifier: BSD-3-Clause */
/* mountpoint.c - the directory is looked at, and the list of mounts. */
#include "mountpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mount_table.h"

extern char **environ;

/* The directory's parent, resolved, and its own name: so a mount whose server is gone has a path as well. */
static char *resolve(const char *directory)
{
	char *copy = strdup(directory), *out = NULL;
	if (copy == NULL)
		return NULL;
	size_t len = strlen(copy);
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	char *slash = strrchr(copy, '/');
	const char *name = slash != NULL ? slash + 1 : copy;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		out = realpath(copy, NULL);
	} else {
		char *parent = realpath(slash == NULL ? "." : slash == copy ? "/" : (*slash = '\0', copy), NULL);
		if (parent != NULL && asprintf(&out, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, name) < 0)
			out = NULL;
		free(parent);
	}
	free(copy);
	return out;
}

static bool is_empty(const char *directory)
{
	DIR *all = opendir(directory);
	bool empty = all != NULL;
	for (const struct dirent *e; empty && (e = readdir(all)) != NULL;)
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (all != NULL)
		closedir(all);
	return empty;
}

char *mountpoint_find(const char *directory, bool *stale, char *why, size_t why_bytes)
{
	struct stat st;
	char *path = realpath(directory, NULL);
	*stale = false;
	if (path == NULL)
		path = resolve(directory);
	if (path == NULL || stat(path, &st) != 0) {
		*stale = path != NULL && errno == ENOTCONN && mount_table_has(path);
		if (*stale)
			return path;
		snprintf(why, why_bytes, "%s: %s%s", directory, strerror(errno),
			 errno == ENOENT ? ": make it first, with mkdir" : "");
	} else if (!S_ISDIR(st.st_mode)) {
		snprintf(why, why_bytes, "%s: is no directory", directory);
	} else if (mount_table_has(path)) {
		snprintf(why, why_bytes, "%s: is mounted already: zs umount ends that", directory);
	} else if (!is_empty(path)) {
		snprintf(why, why_bytes, "%s: is not empty: what is in it could not be reached", directory);
	} else {
		return path;
	}
	free(path);
	return NULL;
}

int mountpoint_has_fuse(char *why, size_t why_bytes)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		snprintf(why, why_bytes, "there is no /dev/fuse: the kernel's FUSE module is not loaded, or this is a "
					 "container without the device");
	else
		snprintf(why, why_bytes, "can't open /dev/fuse: %s", strerror(errno));
	return -1;
}

int mountpoint_clean(const char *directory, char *why, size_t why_bytes)
{
	if (umount2(directory, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		return 0;
	char program[] = "fusermount3", options[] = "-uqz", dashes[] = "--";
	char *copy = strdup(directory);
	char *arguments[] = { program, options, dashes, copy, NULL };
	pid_t pid;
	int status = -1;
	if (copy != NULL && posix_spawnp(&pid, program, NULL, NULL, arguments, environ) == 0)
		waitpid(pid, &status, 0);
	free(copy);
	if (status == 0)
		return 0;
	snprintf(why, why_bytes, "%s: a server that is gone has left a mount, which can't be taken away", directory);
	return -1;
}

bool mountpoint_hides(const char *directory, const char *file)
{
	char *path = file != NULL ? resolve(file) : NULL;
	size_t len = strlen(directory);
	bool hidden = path != NULL && strncmp(path, directory, len) == 0 && path[len] == '/';
	free(path);
	return hidden;
}
