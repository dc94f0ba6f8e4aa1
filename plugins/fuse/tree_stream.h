/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tree_stream.h - a tree as a stream: names, inodes and maps; what blocks hold is in the device's own.
 *
 *   for each name, a directory's before what is in it:
 *     kind 1        TREE_ENTRY
 *     name          length 1, bytes; of the root nothing
 *     inode         number 8, mode 4, uid 4, gid 4, links 4, size 8; three times seconds 8 and nanoseconds 4
 *     attributes    how many 4; each: length 1, name, length 4, value
 *     a file        whether it has blocks 1; their number 8, bits of the first 8, seven chunks 4 each, parts 4; each:
 *                   index 8, chunk 4, bits 32
 *     a link        its target, size bytes
 *     a device      its number 8
 *     a directory   what is in it, and TREE_UP
 *   TREE_END        number of names 8, in all
 *
 * A file of several names is there with each, and is the same inode if it has the same number.
 */
#ifndef ZS_FUSE_TREE_STREAM_H
#define ZS_FUSE_TREE_STREAM_H

#include "node.h"
#include "stream.h"

enum tree_record { TREE_ENTRY = 1, TREE_UP, TREE_END };

/* The whole tree, which nobody changes meanwhile. 0, or -1 with errno. */
int tree_put(struct fs *fs, struct stream *s);

/*
 * The same tree into an empty file system, over a device that has its blocks. 0, or -1 with errno: EBADMSG what is in
 * the stream is no tree; ENOSPC, ENOMEM. Then what is there already is to be destroyed.
 */
int tree_get(struct fs *fs, struct stream *s);

#endif
