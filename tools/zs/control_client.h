/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control_client.h - talks to the control socket of a disk (nbdkit-zram-plugin(1), control=).
 *
 * A request is one line; the answer is "ok N" and N bytes, or "error TEXT". What goes wrong with the connection is
 * reported here, in one line.
 */
#ifndef ZS_CONTROL_CLIENT_H
#define ZS_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct control_client {
	const char *path; /* of the socket */
	char *found;      /* the same where a directory was given; else NULL */
	FILE *in;
	int fd;
	bool quiet;   /* what goes wrong is not reported */
	char *body;   /* of the last answer, with a 0 behind it; or the reason why the server refused */
	size_t bytes; /* of body */
};

enum control_result {
	CONTROL_DONE,
	CONTROL_REFUSED, /* body says why */
	CONTROL_LOST,    /* the connection is of no more use; was reported, but where the client is quiet */
};

/* path: of a socket, or of a directory that zs mount has made; must stay. False after a message. */
bool control_connect(struct control_client *c, const char *path);
/* The same, but nothing is reported, and nothing that is waited for may take longer than that. */
bool control_connect_quietly(struct control_client *c, const char *path, unsigned milliseconds);
void control_disconnect(struct control_client *c);

/* Send "WORD REST" (or just WORD where rest is NULL) and wait for the answer. */
enum control_result control_ask(struct control_client *c, const char *word, const char *rest);

#endif
