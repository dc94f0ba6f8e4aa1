/* SPDX-License-Identifier: BSD-3-Clause */
/* ops_attr.c - requests about attributes, extended ones, and what is free. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "data.h"
#include "gate.h"
#include "ops.h"
#include "xattr.h"

#define USER "user."

void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	(void)fi;
	gate_enter();
	attr_get(ops_fs(req), ops_node(req, ino), &st);
	gate_leave();
	fuse_reply_attr(req, &st, OPS_VALID_SECONDS);
}

static void set_times_locked(struct node *n, const struct stat *st, int to_set)
{
	struct timespec now = node_now();
	if ((to_set & FUSE_SET_ATTR_ATIME) != 0)
		node_set_time(n, TIME_ACCESS, (to_set & FUSE_SET_ATTR_ATIME_NOW) != 0 ? now : st->st_atim);
	if ((to_set & FUSE_SET_ATTR_MTIME) != 0)
		node_set_time(n, TIME_MODIFY, (to_set & FUSE_SET_ATTR_MTIME_NOW) != 0 ? now : st->st_mtim);
	node_set_time(n, TIME_CHANGE, (to_set & FUSE_SET_ATTR_CTIME) != 0 ? st->st_ctim : now);
}

static int set_attributes(struct fs *fs, struct node *n, const struct stat *st, int to_set)
{
	if ((to_set & FUSE_SET_ATTR_SIZE) != 0 && data_resize(fs, n, (uint64_t)st->st_size) != 0)
		return -1;
	lock_exclusive(&n->lock);
	if ((to_set & FUSE_SET_ATTR_MODE) != 0)
		n->mode = (n->mode & S_IFMT) | (st->st_mode & 07777);
	if ((to_set & FUSE_SET_ATTR_UID) != 0)
		n->uid = st->st_uid;
	if ((to_set & FUSE_SET_ATTR_GID) != 0)
		n->gid = st->st_gid;
	set_times_locked(n, st, to_set);
	unlock_exclusive(&n->lock);
	return 0;
}

void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi)
{
	struct fs *fs = ops_fs(req);
	struct node *n = ops_node(req, ino);
	struct stat now;
	(void)fi;
	gate_enter();
	int result = set_attributes(fs, n, st, to_set);
	int saved = errno;
	attr_get(fs, n, &now);
	gate_leave();
	if (result == 0)
		fuse_reply_attr(req, &now, OPS_VALID_SECONDS);
	else
		fuse_reply_err(req, saved);
}

/* Only those that anybody may have: the others belong to the system, which has no use for them here. */
static bool is_users(const char *name)
{
	return strncmp(name, USER, sizeof(USER) - 1) == 0 && name[sizeof(USER) - 1] != '\0';
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	struct node *n = ops_node(req, ino);
	if (!is_users(name)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (strlen(name) > NAME_MAX) {
		fuse_reply_err(req, ERANGE);
		return;
	}
	gate_enter();
	lock_exclusive(&n->lock);
	int result = xattr_set(&ops_fs(req)->memory, &n->xattrs, name, value, size, flags);
	if (result == 0)
		node_changed_locked(n);
	unlock_exclusive(&n->lock);
	gate_leave();
	ops_reply(req, result);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct node *n = ops_node(req, ino);
	size_t len = 0;
	char *copy = NULL;
	int error = 0;
	lock_shared(&n->lock);
	const void *value = xattr_get(n->xattrs, name, &len);
	if (value == NULL)
		error = ENODATA;
	else if (size != 0 && len > size)
		error = ERANGE;
	else if (size != 0 && (copy = malloc(len + 1)) == NULL)
		error = ENOMEM;
	else if (size != 0)
		memcpy(copy, value, len);
	unlock_shared(&n->lock);
	if (error != 0)
		fuse_reply_err(req, error);
	else if (size == 0)
		fuse_reply_xattr(req, len);
	else
		fuse_reply_buf(req, copy, len);
	free(copy);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct node *n = ops_node(req, ino);
	char *names = size > 0 ? malloc(size) : NULL;
	if (size > 0 && names == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	lock_shared(&n->lock);
	size_t len = xattr_list(n->xattrs, names, size);
	unlock_shared(&n->lock);
	if (size == 0)
		fuse_reply_xattr(req, len);
	else if (len > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, names, len);
	free(names);
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct node *n = ops_node(req, ino);
	gate_enter();
	lock_exclusive(&n->lock);
	int result = xattr_remove(&ops_fs(req)->memory, &n->xattrs, name);
	if (result == 0)
		node_changed_locked(n);
	unlock_exclusive(&n->lock);
	gate_leave();
	ops_reply(req, result);
}

void op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;
	(void)ino;
	attr_statvfs(ops_fs(req), &st);
	fuse_reply_statfs(req, &st);
}
