/* SPDX-License-Identifier: BSD-3-Clause */
/* server_folder.c - a folder with a lock is made, and those that killed servers left are removed. */
#include "server_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "paste.h"

#define PREFIX "zs-disk-"

enum {
	RANDOM_LETTERS = 6,
	MAKE_TRIES = 10,
	LOCK_LEAST = 10, /* descriptors below are for the server's own use, from 3 on */
};

/* All that a server has there. */
static const char *const contents[] = { "nbd", "control", "pid", "lock" };

static bool is_content(const char *name)
{
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		if (strcmp(name, contents[i]) == 0)
			return true;
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Whether nothing is in the open folder but what a server has there. */
static bool is_servers(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = own < 0 ? NULL : fdopendir(own);
	bool only = all != NULL;
	if (all == NULL && own >= 0)
		close(own);
	for (const struct dirent *entry; only && (entry = readdir(all)) != NULL;)
		only = is_content(entry->d_name);
	if (all != NULL)
		closedir(all);
	return only;
}

static void remove_contents(int fd)
{
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		unlinkat(fd, contents[i], 0);
}

/*
 * The open folder's lock, made where it is missing. *fd is to be closed. False: somebody has it, or it can't be made.
 */
static bool take_lock(int folder, int *fd, int operation)
{
	int low = openat(folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	*fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, LOCK_LEAST);
	if (low >= 0)
		close(low);
	return *fd >= 0 && flock(*fd, operation) == 0;
}

/* Remove a folder of that name if it is a server's, ours, and nobody uses it. */
static void remove_if_left(int parent, const char *name)
{
	struct stat st;
	int lock = -1, fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 07777) == 0700 && is_servers(fd) &&
	    take_lock(fd, &lock, LOCK_EX | LOCK_NB)) {
		remove_contents(fd);
		unlinkat(parent, name, AT_REMOVEDIR);
	}
	if (lock >= 0)
		close(lock);
	close(fd);
}

static void remove_all_left(const char *parent)
{
	DIR *all = opendir(parent);
	for (const struct dirent *entry; all != NULL && (entry = readdir(all)) != NULL;)
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 &&
		    strlen(entry->d_name) == strlen(PREFIX) + RANDOM_LETTERS)
			remove_if_left(dirfd(all), entry->d_name);
	if (all != NULL)
		closedir(all);
}

/* Lock the folder that was just made. False: somebody else has taken it for one that was left, and removes it. */
static bool lock(struct server_folder *f)
{
	struct stat st;
	int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = take_lock(fd, &f->lock, LOCK_EX) && fstat(f->lock, &st) == 0 && st.st_nlink > 0;
	close(fd);
	if (!good && f->lock >= 0)
		close(f->lock);
	return good;
}

bool server_folder_make(struct server_folder *f)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	const char *tmp = getenv("TMPDIR");
	const char *wanted = run != NULL && access(run, W_OK | X_OK) == 0 ? run : tmp != NULL && *tmp ? tmp : "/tmp";
	char *parent = absolute_path(wanted);
	f->path = NULL;
	if (parent != NULL)
		remove_all_left(parent);
	for (int tries = 0; parent != NULL && tries < MAKE_TRIES; tries++) {
		if (asprintf(&f->path, "%s/" PREFIX "XXXXXX", parent) < 0)
			f->path = NULL;
		if (f->path == NULL || mkdtemp(f->path) == NULL)
			break;
		if (lock(f)) {
			free(parent);
			return true;
		}
		rmdir(f->path);
		free(f->path);
		f->path = NULL;
	}
	message("can't make a folder in %s: %s", wanted, strerror(errno));
	free(parent);
	free(f->path);
	f->path = NULL;
	return false;
}

char *server_folder_file(const struct server_folder *f, const char *name)
{
	char *path;
	return asprintf(&path, "%s/%s", f->path, name) < 0 ? NULL : path;
}

void server_folder_remove(struct server_folder *f)
{
	if (f->path == NULL)
		return;
	int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		remove_contents(fd);
		close(fd);
	}
	rmdir(f->path);
	close(f->lock);
	free(f->path);
	f->path = NULL;
}
