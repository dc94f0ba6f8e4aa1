/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.h - the control socket: takes lines, gives them to request.h, sends the answers.
 *
 * One thread accepts, one more serves each connection, so that a request that takes long (save, recompress) holds up
 * nobody else. None of them takes part in reading or writing the disk.
 *
 * Whose the socket's name is: common/named_socket.h.
 */
#ifndef PLUGINS_COMMON_CONTROL_H
#define PLUGINS_COMMON_CONTROL_H

#include <stddef.h>

#include "common/request.h"

struct control;

/*
 * Bind and listen, mode 0600, before the server forks. NULL with one line in why: EADDRINUSE another server listens
 * there; EEXIST path is there and no socket; ENAMETOOLONG; what the system says.
 */
struct control *control_open(const char *path, char *why, size_t why_bytes);

/* Start to accept, after the server has forked. *request must stay until control_close(). 0, or -1 with errno. */
int control_start(struct control *c, const struct request *request);

/* End: waits for the requests that are being carried out, ends all connections, removes the socket. NULL: no-op. */
void control_close(struct control *c);

#endif
