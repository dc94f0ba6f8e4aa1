/* SPDX-License-Identifier: BSD-3-Clause */
/* node.c - nodes are made and freed; their times. */
#include "node.h"

#include <string.h>

#include "dir.h"
#include "xattr.h"

/*
 * The clock that the kernel stamps with, not the finer one: where the kernel sets one time and we the other, what came
 * later must not be the older.
 */
struct timespec node_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return now;
}

void node_set_time(struct node *n, enum node_time which, struct timespec time)
{
	n->seconds[which] = time.tv_sec;
	n->nanoseconds[which] = (uint32_t)time.tv_nsec;
}

struct timespec node_time(const struct node *n, enum node_time which)
{
	return (struct timespec){ n->seconds[which], n->nanoseconds[which] };
}

void node_changed_locked(struct node *n)
{
	node_set_time(n, TIME_CHANGE, node_now());
}

void node_modified_locked(struct node *n)
{
	struct timespec now = node_now();
	node_set_time(n, TIME_MODIFY, now);
	node_set_time(n, TIME_CHANGE, now);
}

enum node_kind node_kind(const struct node *n)
{
	switch (n->kind) {
	case S_IFREG:
		return NODE_FILE;
	case S_IFDIR:
		return NODE_DIRECTORY;
	case S_IFLNK:
		return NODE_LINK;
	default:
		return NODE_OTHER;
	}
}

struct node *node_create(struct fs *fs, uint32_t mode, uint32_t uid, uint32_t gid)
{
	struct node *n = memory_alloc(&fs->memory, sizeof(*n), MEMORY_NEW);
	if (n == NULL)
		return NULL;
	memset(n, 0, sizeof(*n));
	atomic_init(&n->refs, 1);
	n->ino = atomic_fetch_add_explicit(&fs->last_ino, 1, memory_order_relaxed) + 1;
	n->mode = mode;
	n->kind = mode & S_IFMT;
	n->uid = uid;
	n->gid = gid;
	struct timespec now = node_now();
	for (enum node_time t = 0; t < TIMES; t++)
		node_set_time(n, t, now);
	if (S_ISDIR(mode) && (n->dir = dir_create(&fs->memory)) == NULL) {
		memory_free(&fs->memory, n);
		return NULL;
	}
	atomic_fetch_add_explicit(&fs->nodes[node_kind(n)], 1, memory_order_relaxed);
	return n;
}

static void destroy(struct fs *fs, struct node *n)
{
	enum node_kind kind = node_kind(n);
	if (kind == NODE_FILE)
		map_free(n->map, &fs->memory, &fs->space, fs->block_shift);
	else if (kind == NODE_DIRECTORY)
		dir_free(&fs->memory, n->dir);
	else if (kind == NODE_LINK)
		memory_free(&fs->memory, n->target);
	xattr_free(&fs->memory, n->xattrs);
	memory_free(&fs->memory, n);
	atomic_fetch_sub_explicit(&fs->nodes[kind], 1, memory_order_relaxed);
}

void node_put(struct fs *fs, struct node *n, uint64_t refs)
{
	/* acq_rel: pairs with itself: who frees sees what all others did before they let go. */
	if (atomic_fetch_sub_explicit(&n->refs, refs, memory_order_acq_rel) == refs)
		destroy(fs, n);
}
