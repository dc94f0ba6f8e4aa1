/* SPDX-License-Identifier: BSD-3-Clause */
/* mount_server.h - finds and starts zs-fuse, the program that serves a mounted directory. */
#ifndef ZS_MOUNT_SERVER_H
#define ZS_MOUNT_SERVER_H

/*
 * Start it for a directory with its parameters (NULL at the end), and wait until the directory can be used. *control:
 * its control socket, to be freed. EXIT_DONE; EXIT_USAGE or EXIT_BROKEN after a message.
 */
int mount_server_start(const char *directory, char **parameters, char **control);

/* Become it. Returns only where that fails, after a message. */
void mount_server_become(const char *directory, char **parameters);

#endif
