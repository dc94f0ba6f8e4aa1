/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree.h - names are looked up, made, removed and moved.
 *
 * Who may do that was the kernel's question (default_permissions), and that a directory is not moved into itself as
 * well. What is checked here is what may have changed since the kernel asked.
 *
 * A request holds the lock of the one directory that it works in. For two of them, or for a directory and one that is
 * in it, the second lock is only tried: where that fails all are let go, and it begins anew. So no order of
 * directories is needed, which a rename could turn around.
 *
 * All fail with -1 or NULL and errno: ENOENT, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY, ENAMETOOLONG, EINVAL, ENOSPC, ENOMEM.
 */
#ifndef ZS_FUSE_TREE_H
#define ZS_FUSE_TREE_H

#include <stdbool.h>

#include "node.h"

/* What a new node is. */
struct tree_new {
	uint32_t mode; /* with its kind */
	uint32_t uid, gid;
	uint64_t rdev;
	const char *target; /* of a symbolic link */
};

/* With a reference for the caller, here and below. */
struct node *tree_lookup(struct fs *fs, struct node *dir, const char *name);
struct node *tree_make(struct fs *fs, struct node *dir, const char *name, const struct tree_new *what);

/* unlink(), or rmdir(). */
int tree_remove(struct fs *fs, struct node *dir, const char *name, bool directory);

/* link(). */
int tree_link(struct fs *fs, struct node *n, struct node *dir, const char *name);

/* renameat2() with its flags. */
int tree_rename(struct fs *fs, struct node *from, const char *old, struct node *to, const char *new, unsigned flags);

#endif
