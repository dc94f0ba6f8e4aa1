/* SPDX-License-Identifier: BSD-3-Clause */
/* named_socket.c - a name is taken over where nobody listens: it is locked, tried, unlinked and bound again. */
#include "common/named_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	BACKLOG = 64,
	LOCK_TRIES = 200, /* times 10 ms: another server that starts holds the lock for far less */
};

/* The folder of path, open and locked; -1 with errno. Closing it unlocks. */
static int lock_folder(const char *path)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	if (folder == NULL)
		return -1;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -1;
	for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || tries == LOCK_TRIES) {
			int saved = errno;
			close(fd);
			errno = saved;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return fd;
}

/* 0: the name is free to be bound. Else -1, with errno as named_socket_open() says. Folder locked. */
static int clear_name_locked(const struct sockaddr_un *address)
{
	struct stat st;
	if (lstat(address->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	/*
	 * Of another type than a server's: whether somebody has the name is told (EPROTOTYPE), and a server notices
	 * nothing.
	 */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	int result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	int error = result == 0 ? 0 : errno;
	close(fd);
	if (error == ECONNREFUSED)
		return unlink(address->sun_path);
	errno = error == 0 || error == EPROTOTYPE ? EADDRINUSE : error;
	return -1;
}

static int listen_locked(struct named_socket *s, const struct sockaddr_un *address, mode_t mode)
{
	struct stat st;
	if (clear_name_locked(address) != 0)
		return -1;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -1;
	/*
	 * The mode of the name is that of the socket: nobody else can connect to a private one, not even for a moment.
	 */
	if (fchmod(s->fd, mode) == 0 && bind(s->fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
		if (listen(s->fd, BACKLOG) == 0 && lstat(address->sun_path, &st) == 0) {
			s->dev = st.st_dev;
			s->ino = st.st_ino;
			return 0;
		}
		unlink(address->sun_path);
	}
	int saved = errno;
	close(s->fd);
	errno = saved;
	return -1;
}

static const char *reason(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another server listens there";
	case EEXIST:
		return "is there already, and is no socket";
	case EWOULDBLOCK:
		return "the folder is locked by another program";
	default:
		return strerror(error);
	}
}

int named_socket_open(struct named_socket *s, const char *path, mode_t mode, char *why, size_t why_bytes)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(why, why_bytes, "%s: a socket's name has at most %zu bytes", path,
			 sizeof(address.sun_path) - 1);
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	s->path = strdup(path);
	int folder = s->path != NULL ? lock_folder(path) : -1;
	int result = folder < 0 ? -1 : listen_locked(s, &address, mode);
	int saved = errno;
	if (folder >= 0)
		close(folder);
	if (result != 0) {
		free(s->path);
		snprintf(why, why_bytes, "%s: %s", path, reason(saved));
	}
	errno = saved;
	return result;
}

void named_socket_unlink(struct named_socket *s)
{
	struct stat st;
	if (s->path == NULL)
		return;
	int folder = lock_folder(s->path);
	if (folder >= 0) {
		if (lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
			unlink(s->path);
		close(folder);
	}
	free(s->path);
	s->path = NULL;
}
