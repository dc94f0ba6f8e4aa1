/* SPDX-License-Identifier: BSD-3-Clause */
/* control_socket.h - a listening Unix socket whose name belongs to one living server. See control.h for the rules. */
#ifndef ZRAM_PLUGIN_CONTROL_SOCKET_H
#define ZRAM_PLUGIN_CONTROL_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

/* Immutable after open. */
struct control_socket {
	int fd;
	char *path;
	dev_t dev; /* with ino: the name is still ours */
	ino_t ino;
};

/* 0, or -1 with errno and one line in why; *s is then not to be used. */
int control_socket_open(struct control_socket *s, const char *path, char *why, size_t why_bytes);

/* Remove the name if it is still ours, once. The descriptor stays open. */
void control_socket_unlink(struct control_socket *s);

#endif
