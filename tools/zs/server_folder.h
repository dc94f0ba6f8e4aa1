/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * server_folder.h - the folder in which a server has its sockets: zs-disk-XXXXXX below $XDG_RUNTIME_DIR, $TMPDIR or
 * /tmp.
 *
 * A file "lock" in it is locked (flock) by whoever uses it: this process, and nbdkit, which inherits the lock. A folder
 * that nobody has locked was left by processes that were killed; making a new one removes it.
 */
#ifndef ZS_SERVER_FOLDER_H
#define ZS_SERVER_FOLDER_H

#include <stdbool.h>

struct server_folder {
	char *path; /* absolute; NULL: there is none */
	int lock;   /* the descriptor that holds it, closed on exec */
};

/* False after a message. */
bool server_folder_make(struct server_folder *f);

/* path/name. free() it; NULL without memory. */
char *server_folder_file(const struct server_folder *f, const char *name);

/* Remove it with what a server has in it. path NULL: no-op. */
void server_folder_remove(struct server_folder *f);

#endif
