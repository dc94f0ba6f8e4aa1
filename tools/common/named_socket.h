/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * named_socket.h - a listening Unix socket whose name belongs to one living server.
 *
 * A server owns its socket's name as long as it listens. The name of a server that is gone is taken over, that of one
 * that lives, or a file that is no socket, never; which of them it is, is found out and acted upon with the folder
 * locked (flock), so two servers that start at once can't both win.
 */
#ifndef ZS_COMMON_NAMED_SOCKET_H
#define ZS_COMMON_NAMED_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

/* Immutable after open. */
struct named_socket {
	int fd; /* does not block, and is closed on exec */
	char *path;
	dev_t dev; /* with ino: the name is still ours */
	ino_t ino;
};

/*
 * Bind and listen; the name has the mode, less what the umask takes. 0, or -1 with one line in why, and *s is then not
 * to be used: EADDRINUSE another server listens there; EEXIST path is there and no socket; ENAMETOOLONG; what the
 * system says.
 */
int named_socket_open(struct named_socket *s, const char *path, mode_t mode, char *why, size_t why_bytes);

/* Remove the name if it is still ours, once. The descriptor stays open. */
void named_socket_unlink(struct named_socket *s);

#endif
