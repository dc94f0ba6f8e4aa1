/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.h - an nbdkit that serves one disk, as a child process.
 *
 * Its sockets are in a folder of its own that only this user can enter, unless told otherwise, and go when it ends. It
 * ends when this process does, whatever ends that. Messages of nbdkit go to standard error as they are.
 */
#ifndef ZS_SERVER_H
#define ZS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct server {
	const char *plugin;    /* what nbdkit loads; NULL: found beside this program, or by nbdkit */
	const char *unix_path; /* where it listens; NULL: in the folder */
	unsigned port;         /* TCP port on this machine instead; 0: none */
	char **parameters;     /* the plugin's, NULL at the end */
	/* Set by server_start(): */
	pid_t pid;
	char *folder;  /* NULL: there is none */
	char *socket;  /* NULL with a port */
	char *control; /* the control socket */
	char *uri;
};

/*
 * Start and wait until it serves. Ends early, as if stopped, where a signal that server_wait() handles comes. False
 * after a message; then all is cleaned up.
 */
bool server_start(struct server *s);

/*
 * Until the server has ended. SIGINT, SIGTERM and SIGHUP make it end, cleanly at first, the third one at once. Then
 * clean up. True if the server says that all went well.
 */
bool server_wait(struct server *s);

#endif
