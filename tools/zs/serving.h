/* SPDX-License-Identifier: BSD-3-Clause */
/* serving.h - one disk that is being served: what was asked for, and what it became. */
#ifndef ZS_SERVING_H
#define ZS_SERVING_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/named_socket.h"
#include "server_folder.h"

struct server {
	const char *plugin;    /* what nbdkit loads; NULL: found beside this program, or by nbdkit */
	const char *unix_path; /* where it listens; NULL: in the folder */
	unsigned port;         /* TCP port on this machine instead; 0: none */
	unsigned threads;      /* of nbdkit; 0: its own choice */
	char **parameters;     /* the plugin's, NULL at the end */
	/* Set by server_start(): */
	pid_t pid;
	struct server_folder folder;
	struct named_socket listening; /* path NULL with a port; the descriptor is nbdkit's then */
	char *control;                 /* the control socket */
	char *name;                    /* what the disk is called in statistics; NULL: a parameter says it */
	char *uri;
	bool saves; /* there is a snapshot to be written at the end */
};

#endif
