/* SPDX-License-Identifier: BSD-3-Clause */
/* tree_lock.h - more than one lock at once, for tree.c and tree_rename.c: see tree.h for why the second one is tried. */
#ifndef ZS_FUSE_TREE_LOCK_H
#define ZS_FUSE_TREE_LOCK_H

#include <stdbool.h>

#include "node.h"

/* Lock one or two directories, which may be the same; and unlock them. */
void tree_lock_two(struct node *a, struct node *b);
void tree_unlock_two(struct node *a, struct node *b);

/* Lock a node whose directory is locked. False: it is a directory that somebody has just now. */
bool tree_lock_below(struct node *n);

/* Unlock the directories (b may be NULL, or a), and wait until n was unlocked. */
void tree_wait(struct fs *fs, struct node *a, struct node *b, struct node *n);

#endif
