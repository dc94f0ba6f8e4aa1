/* SPDX-License-Identifier: BSD-3-Clause */
/* mount_place.c - folders are made, found by their names, and told apart by their locks. */
#include "common/mount_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "zs-mount-"

enum { PARENTS = 4, LETTERS = 6, MOUNT_BYTES = 3 * 4096 };

static const char *const contents[] = { "control", "mount", "lock" };

/* Where folders may be, in the order in which they are tried; NULL: not here. */
static const char *parent(size_t i)
{
	switch (i) {
	case 0:
		return getenv("XDG_RUNTIME_DIR");
	case 1:
		return "/run";
	case 2:
		return getenv("TMPDIR");
	default:
		return "/tmp";
	}
}

/* Whether a path is a directory, or lies in it. */
static bool is_below(const char *path, const char *directory)
{
	size_t len = strlen(directory);
	return strncmp(path, directory, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int say(char *why, size_t why_bytes, const char *what, const char *path)
{
	int saved = errno;
	snprintf(why, why_bytes, "%s %s: %s", what, path, strerror(saved));
	errno = saved;
	return -1;
}

char *mount_place_file(const struct mount_place *p, const char *name)
{
	char *file;
	return asprintf(&file, "%s/%s", p->path, name) < 0 ? NULL : file;
}

/* The lock of a folder, open; -1 with errno. */
static int open_lock(const char *folder, int flags)
{
	char *file;
	if (asprintf(&file, "%s/lock", folder) < 0)
		return -1;
	int fd = open(file, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	free(file);
	return fd;
}

static void remove_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		unlinkat(fd, contents[i], 0);
	close(fd);
	rmdir(folder);
}

int mount_place_announce(const struct mount_place *p, pid_t pid, const char *control, const char *directory)
{
	char *file = mount_place_file(p, "mount");
	char *text;
	int n = asprintf(&text, "%ld\n%s\n%s", (long)pid, control, directory), result = -1;
	int fd = file != NULL && n >= 0 ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	if (fd >= 0) {
		result = write(fd, text, (size_t)n) == n ? 0 : -1;
		close(fd);
	}
	free(file);
	if (n >= 0)
		free(text);
	return result;
}

void mount_place_fail(const struct mount_place *p, const char *text)
{
	if (p->lock >= 0)
		(void)!pwrite(p->lock, text, strlen(text), 0);
}

void mount_place_remove(struct mount_place *p)
{
	if (p->path == NULL)
		return;
	remove_folder(p->path);
	free(p->path);
	p->path = NULL;
}

static bool is_locked(const char *folder)
{
	int fd = open_lock(folder, O_RDONLY);
	bool locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (fd >= 0)
		close(fd);
	return locked;
}

/* What a folder says, in text. False: it says nothing. */
static bool read_mount(const char *folder, struct mount_found *m, char *text, size_t room)
{
	char *file;
	if (asprintf(&file, "%s/mount", folder) < 0)
		return false;
	int fd = open(file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	free(file);
	ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	char *control = strchr(text, '\n'), *directory = control != NULL ? strchr(control + 1, '\n') : NULL;
	if (directory == NULL)
		return false;
	*control = *directory = '\0';
	*m = (struct mount_found){ folder, directory + 1, control + 1, (pid_t)atol(text), is_locked(folder) };
	return true;
}

static bool is_own(const char *folder)
{
	struct stat st;
	return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_uid == geteuid() || geteuid() == 0);
}

static int each_in(const char *where, mount_found_fn fn, void *arg)
{
	DIR *all = opendir(where);
	int result = 0;
	for (const struct dirent *entry; result == 0 && all != NULL && (entry = readdir(all)) != NULL;) {
		char text[MOUNT_BYTES], *folder;
		struct mount_found m;
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
		    strlen(entry->d_name) != strlen(PREFIX) + LETTERS ||
		    asprintf(&folder, "%s/%s", where, entry->d_name) < 0)
			continue;
		if (is_own(folder) && read_mount(folder, &m, text, sizeof(text)))
			result = fn(&m, arg);
		free(folder);
	}
	if (all != NULL)
		closedir(all);
	return result;
}

int mount_place_each(mount_found_fn fn, void *arg)
{
	int result = 0;
	for (size_t i = 0; i < PARENTS && result == 0; i++) {
		const char *where = parent(i);
		bool again = false;
		for (size_t k = 0; k < i; k++)
			again |= where != NULL && parent(k) != NULL && strcmp(parent(k), where) == 0;
		if (where != NULL && *where == '/' && !again)
			result = each_in(where, fn, arg);
	}
	return result;
}

int mount_place_watch(const char *place)
{
	return open_lock(place, O_RDONLY);
}

void mount_place_wait(int lock, char *text, size_t bytes)
{
	*text = '\0';
	if (lock < 0)
		return;
	while (flock(lock, LOCK_SH) != 0 && errno == EINTR)
		;
	ssize_t n = pread(lock, text, bytes - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(lock);
}

void mount_place_clean(const char *place)
{
	if (!is_locked(place))
		remove_folder(place);
}

static int clean_dead(const struct mount_found *m, void *arg)
{
	(void)arg;
	if (!m->alive)
		mount_place_clean(m->place);
	return 0;
}

int mount_place_make(struct mount_place *p, const char *directory, char *why, size_t why_bytes)
{
	*p = (struct mount_place){ NULL, -1 };
	mount_place_each(clean_dead, NULL);
	for (size_t i = 0; i < PARENTS; i++) {
		const char *folder = parent(i);
		if (folder == NULL || *folder != '/' || access(folder, W_OK | X_OK) != 0 || is_below(folder, directory))
			continue;
		if (asprintf(&p->path, "%s/" PREFIX "XXXXXX", folder) < 0)
			p->path = NULL;
		if (p->path != NULL && mkdtemp(p->path) != NULL)
			break;
		free(p->path);
		p->path = NULL;
	}
	if (p->path == NULL)
		return say(why, why_bytes, "no folder for the server's socket can be made in", "$XDG_RUNTIME_DIR, /run or /tmp");
	p->lock = open_lock(p->path, O_RDWR | O_CREAT | O_EXCL);
	if (p->lock >= 0 && flock(p->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	say(why, why_bytes, "can't lock", p->path);
	mount_place_remove(p);
	return -1;
}
