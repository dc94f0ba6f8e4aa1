/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * node.h - an inode: a file, a directory, a symbolic link, or what else has a name; and what all of them live in.
 *
 * A node lives as long as somebody knows it:
 *
 *   refs == names of it in directories + what the kernel was told of it and has not forgotten
 *
 * The kernel forgets an inode only when no file of it is open. So a file that was unlinked while it is open lives on,
 * and nothing is to be kept for an open file. Its data go with the last reference.
 *
 * Of a struct node with millions of copies every byte counts: hence locks of four bytes, and times in two arrays.
 */
#ifndef ZS_FUSE_NODE_H
#define ZS_FUSE_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "lock.h"
#include "map.h"
#include "memory.h"
#include "space.h"

struct dir;
struct xattr;

enum node_time { TIME_ACCESS, TIME_MODIFY, TIME_CHANGE, TIMES };

struct node {
	struct lock lock; /* of all that follows, but for refs, and for ino and kind, which never change */
	struct lock io;   /* shared: blocks are read or written; exclusive: blocks go */
	_Atomic uint64_t refs;
	uint64_t ino;
	uint32_t mode, uid, gid, nlink;
	uint64_t size; /* bytes of a file, or of a link's target */
	int64_t seconds[TIMES];
	uint32_t nanoseconds[TIMES];
	uint32_t kind; /* S_IFMT of mode */
	union {
		struct map *map; /* of a file; NULL: it has no block */
		struct dir *dir;
		char *target;    /* of a symbolic link */
		uint64_t rdev;   /* of a device */
	};
	struct xattr *xattrs; /* a list; NULL: none */
};

/* What kinds of nodes there are, for statistics. */
enum node_kind { NODE_FILE, NODE_DIRECTORY, NODE_LINK, NODE_OTHER, NODE_KINDS };

struct fs {
	struct zram *z; /* immutable, as the next two */
	size_t block_size;
	unsigned block_shift;
	struct memory memory;
	struct space space;
	struct node *root;
	_Atomic uint64_t last_ino;
	_Atomic uint64_t nodes[NODE_KINDS];
	uint64_t hash_seed;    /* of names */
	const char *directory; /* that it is mounted on; NULL: none. Set before there are requests */
};

struct timespec node_now(void);
void node_set_time(struct node *n, enum node_time which, struct timespec time);
struct timespec node_time(const struct node *n, enum node_time which);

/* The time of change, and of modification as well. Locked. */
void node_changed_locked(struct node *n);
void node_modified_locked(struct node *n);

enum node_kind node_kind(const struct node *n);

/* A node with one reference, nlink 0, and the time as all of its times. NULL with errno. */
struct node *node_create(struct fs *fs, uint32_t mode, uint32_t uid, uint32_t gid);

static inline void node_get(struct node *n)
{
	atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
}

/* Give up references: with the last one the node is freed, and what it has. */
void node_put(struct fs *fs, struct node *n, uint64_t refs);

#endif
