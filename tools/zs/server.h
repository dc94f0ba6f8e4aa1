/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server.h - an nbdkit that serves one disk, as a child process.
 *
 * Its sockets are in a folder of its own that only this user can enter (server_folder.h), unless told otherwise, and
 * go when it ends. It ends when this process does, whatever ends that. Messages of nbdkit go to standard error as they
 * are.
 *
 * The Unix socket is made here and handed to nbdkit, so that its name follows the rules of common/named_socket.h: what
 * a server has left that was killed is taken over, what a living one has never.
 */
#ifndef ZS_SERVER_H
#define ZS_SERVER_H

#include <stdbool.h>

#include "serving.h"

/*
 * Start and wait until it serves. Ends early, as if stopped, where a signal that server_wait() handles comes. False
 * after a message; then all is cleaned up.
 */
bool server_start(struct server *s);

/*
 * Until the server has ended. SIGINT, SIGTERM and SIGHUP make it end cleanly; see server_end.h for what more of them
 * do. Then clean up. True if the server says that all went well.
 */
bool server_wait(struct server *s);

/*
 * Run a command with a shell while the server serves: uri, nbd (the same), unixsocket or port, and control are in its
 * environment. When it has ended the server is stopped. Its exit status, 128 and the signal's number where one ended
 * it; or -1 where the server did not end well, after a message.
 */
int server_run(struct server *s, const char *command);

#endif
