/* SPDX-License-Identifier: BSD-3-Clause */
/* session.h - a directory is mounted and its requests are served, until a signal or an unmount ends that. */
#ifndef ZS_FUSE_SESSION_H
#define ZS_FUSE_SESSION_H

#include <stddef.h>

#include "served.h"

struct session_options {
	const char *directory; /* absolute */
	const char *name;      /* what the mount is called in lists */
	bool allow_other;
	unsigned threads; /* 0: by the number of processors */
};

struct session;

/* Mount. NULL with one line in why. *served must stay. */
struct session *session_open(struct served *served, const struct session_options *o, char *why, size_t why_bytes);

/* Serve until SIGHUP, SIGINT, SIGTERM, or until somebody unmounts. 0, or -1 with one line in why. */
int session_run(struct session *s, char *why, size_t why_bytes);

/* Unmount, if it is mounted still. NULL is a no-op. */
void session_close(struct session *s);

#endif
