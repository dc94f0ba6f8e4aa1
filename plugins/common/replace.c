/* SPDX-License-Identifier: BSD-3-Clause */
/* replace.c - see replace.h. What is found out of the place is in replace_place.c. */
#include "common/replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/replace_place.h"

#define MARK ".unfinished-"

enum {
	MARK_DIGITS = 8,
	NAME_TRIES = 100,
};

static int say(char *why, size_t why_bytes, const char *what, const char *path)
{
	int saved = errno;
	snprintf(why, why_bytes, "%s %s: %s", what, path, replace_place_reason(saved));
	errno = saved;
	return -1;
}

static void free_replacement(struct replacement *r)
{
	free(r->path);
	free(r->folder);
	free(r->temporary);
	*r = (struct replacement){ .fd = -1 };
}

/* A name beside path that is most likely nobody's. free() it; NULL with errno. */
static char *new_name(const char *path)
{
	char *name;
	unsigned n;
	if (getrandom(&n, sizeof(n), 0) != sizeof(n))
		return NULL;
	if (asprintf(&name, "%s" MARK "%0*x", path, MARK_DIGITS, n) >= 0)
		return name;
	errno = ENOMEM;
	return NULL;
}

/*
 * Lock a file that was just made. A file system that knows no locks has none that were left behind either, as far as
 * can be told: nobody removes them. False: it is being removed as such.
 */
static bool claim(int fd)
{
	struct stat st;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno != EWOULDBLOCK;
	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

/* -1 with errno. */
static int open_named(const char *path, char **name)
{
	for (int tries = 0; tries < NAME_TRIES; tries++) {
		*name = new_name(path);
		int fd = *name != NULL ? open(*name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) : -1;
		if (fd >= 0 && claim(fd))
			return fd;
		int saved = fd >= 0 ? EEXIST : errno;
		if (fd >= 0)
			close(fd);
		free(*name);
		*name = NULL;
		errno = saved;
		if (saved != EEXIST)
			return -1;
	}
	return -1;
}

static int open_unnamed(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)flock(fd, LOCK_EX | LOCK_NB); /* nobody else has it; from when it has a name the lock counts */
	return fd;
}

/* Give a file without a name one beside path. free() it; NULL with errno. */
static char *give_name(int fd, const char *path)
{
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (int tries = 0; tries < NAME_TRIES; tries++) {
		char *name = new_name(path);
		if (name == NULL)
			return NULL;
		/* The second way needs no /proc, but a privilege on older kernels. */
		if (linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 ||
		    (errno != EEXIST && linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH) == 0))
			return name;
		int saved = errno;
		free(name);
		errno = saved;
		if (saved != EEXIST)
			return NULL;
	}
	return NULL;
}

/* Whether a file without a name can be made beside path and named, tried with one that is empty. */
static bool naming_works(const char *folder, const char *path)
{
	int fd = open_unnamed(folder);
	char *name = fd < 0 ? NULL : give_name(fd, path);
	if (name != NULL)
		unlink(name);
	if (fd >= 0)
		close(fd);
	free(name);
	return name != NULL;
}

static bool is_left_name(const char *name, const char *base)
{
	size_t len = strlen(base);
	return strncmp(name, base, len) == 0 && strncmp(name + len, MARK, strlen(MARK)) == 0 &&
	       strspn(name + len + strlen(MARK), "0123456789abcdef") == MARK_DIGITS &&
	       name[len + strlen(MARK) + MARK_DIGITS] == '\0';
}

/* One that has such a name: remove it if it is ours and nobody writes it. */
static void remove_left(int folder, const char *name)
{
	struct stat st, now;
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_ino == st.st_ino && now.st_dev == st.st_dev)
		unlinkat(folder, name, 0);
	close(fd);
}

/* What killed processes have left of path. That there is some, or can't be removed, is no reason to fail. */
static void remove_all_left(const char *folder, const char *path)
{
	const char *base = strrchr(path, '/');
	DIR *all = opendir(folder);
	base = base != NULL ? base + 1 : path;
	for (const struct dirent *entry; all != NULL && (entry = readdir(all)) != NULL;)
		if (is_left_name(entry->d_name, base))
			remove_left(dirfd(all), entry->d_name);
	if (all != NULL)
		closedir(all);
}

static int open_new(struct replacement *r, char *why, size_t why_bytes)
{
	remove_all_left(r->folder, r->path);
	r->fd = naming_works(r->folder, r->path) ? open_unnamed(r->folder) : open_named(r->path, &r->temporary);
	return r->fd >= 0 ? 0 : say(why, why_bytes, "can't make a file in", r->folder);
}

/* Resolve path and look at what is there; nothing is opened. */
static int find(struct replacement *r, const char *path, char *why, size_t why_bytes)
{
	*r = (struct replacement){ .fd = -1 };
	if (replace_place_find(path, &r->path, &r->in_place) == 0)
		r->folder = replace_place_folder(r->path);
	if (r->folder != NULL)
		return 0;
	say(why, why_bytes, "can't write", path);
	int saved = errno;
	free_replacement(r);
	errno = saved;
	return -1;
}

int replace_begin(struct replacement *r, const char *path, char *why, size_t why_bytes)
{
	if (find(r, path, why, why_bytes) != 0)
		return -1;
	int result;
	if (r->in_place) {
		r->fd = replace_place_open(r->path);
		result = r->fd >= 0 ? 0 : say(why, why_bytes, "can't write", path);
	} else {
		result = open_new(r, why, why_bytes);
	}
	if (result != 0) {
		int saved = errno;
		free_replacement(r);
		errno = saved;
	}
	return result;
}

void replace_abandon(struct replacement *r)
{
	int saved = errno;
	if (r->temporary != NULL && !r->in_place)
		unlink(r->temporary);
	if (r->fd >= 0)
		close(r->fd);
	free_replacement(r);
	errno = saved;
}

/* Give the file a name if it has none, and rename it. */
static int rename_to(struct replacement *r, const char *name)
{
	if (r->temporary == NULL)
		r->temporary = give_name(r->fd, r->path);
	if (r->temporary == NULL || rename(r->temporary, name) != 0)
		return -1;
	free(r->temporary);
	r->temporary = NULL;
	return 0;
}

int replace_try(const char *path, char *why, size_t why_bytes)
{
	struct replacement r;
	if (find(&r, path, why, why_bytes) != 0)
		return -1;
	int result = 0;
	if (r.in_place) {
		if (access(r.path, W_OK) != 0)
			result = say(why, why_bytes, "can't write", path);
	} else if (open_new(&r, why, why_bytes) != 0) {
		result = -1;
	} else {
		char *name = new_name(r.path);
		if (name == NULL || rename_to(&r, name) != 0)
			result = say(why, why_bytes, "can't rename a file in", r.folder);
		else
			unlink(name);
		free(name);
	}
	replace_abandon(&r);
	return result;
}

int replace_commit(struct replacement *r, char *why, size_t why_bytes)
{
	int result = 0;
	/* Pipes and many devices have nothing to sync, and say so. */
	if (fsync(r->fd) != 0 && !(r->in_place && (errno == EINVAL || errno == EROFS || errno == ENOTSUP)))
		result = say(why, why_bytes, "can't write", r->path);
	if (result == 0 && !r->in_place) {
		replace_place_keep(r->fd, r->path);
		if (rename_to(r, r->path) != 0)
			result = say(why, why_bytes, "can't write", r->path);
		else if (replace_place_sync(r->folder) != 0)
			result = say(why, why_bytes, "can't sync", r->folder);
	}
	replace_abandon(r);
	return result;
}
