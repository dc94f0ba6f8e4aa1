/* SPDX-License-Identifier: BSD-3-Clause */
/* server_spawn.h - starts the processes of zs serve: nbdkit, and the command of --run. Part of server.h. */
#ifndef ZS_SERVER_SPAWN_H
#define ZS_SERVER_SPAWN_H

#include <signal.h>
#include <stdbool.h>

#include "serving.h"

/*
 * Start nbdkit for *s, whose names are chosen, with the signals in *mask blocked, in a process group of its own: what a
 * terminal sends goes to this process alone. s->pid. False after a message.
 */
bool server_spawn(struct server *s, const char *pidfile, const sigset_t *mask);

/* Start the command with /bin/sh and the disk's names in its environment. Its process, or -1 after a message. */
pid_t server_spawn_command(const struct server *s, const char *command, const sigset_t *mask);

#endif
