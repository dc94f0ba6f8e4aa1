/* SPDX-License-Identifier: BSD-3-Clause */
/* ops_name.c - requests about names. */
#include <errno.h>
#include <string.h>

#include "gate.h"
#include "ops.h"
#include "tree.h"

/* The kernel is told of a node, and has its reference then; or why there is none. */
static void reply_entry(fuse_req_t req, struct node *n)
{
	struct fs *fs = ops_fs(req);
	struct fuse_entry_param e;
	if (n == NULL) {
		gate_leave();
		fuse_reply_err(req, errno);
		return;
	}
	ops_fill_entry(fs, n, &e);
	gate_leave();
	/* It was interrupted, or is gone: nobody has been told. */
	if (fuse_reply_entry(req, &e) != 0) {
		gate_enter();
		node_put(fs, n, 1);
		gate_leave();
	}
}

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	gate_enter();
	struct node *n = tree_lookup(ops_fs(req), ops_node(req, parent), name);
	if (n == NULL && errno == ENOENT) {
		/* That it is not there is known for ever, too. */
		struct fuse_entry_param none = { .entry_timeout = OPS_VALID_SECONDS };
		gate_leave();
		fuse_reply_entry(req, &none);
		return;
	}
	reply_entry(req, n);
}

static void forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	if (ino == FUSE_ROOT_ID)
		return;
	gate_enter();
	node_put(ops_fs(req), ops_node(req, ino), count);
	gate_leave();
}

void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	forget(req, ino, count);
	fuse_reply_none(req);
}

void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		forget(req, forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void make(fuse_req_t req, fuse_ino_t parent, const char *name, struct tree_new *what)
{
	const struct fuse_ctx *who = fuse_req_ctx(req);
	what->uid = who->uid;
	what->gid = who->gid;
	gate_enter();
	reply_entry(req, tree_make(ops_fs(req), ops_node(req, parent), name, what));
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct tree_new what = { .mode = mode, .rdev = rdev };
	make(req, parent, name, &what);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct tree_new what = { .mode = S_IFDIR | (mode & 07777) };
	make(req, parent, name, &what);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct tree_new what = { .mode = S_IFLNK | 0777, .target = target };
	make(req, parent, name, &what);
}

void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct node *n = ops_node(req, ino);
	gate_enter();
	int result = tree_link(ops_fs(req), n, ops_node(req, parent), name);
	if (result == 0)
		node_get(n);
	reply_entry(req, result == 0 ? n : NULL);
}

static void remove_name(fuse_req_t req, fuse_ino_t parent, const char *name, bool directory)
{
	gate_enter();
	int result = tree_remove(ops_fs(req), ops_node(req, parent), name, directory);
	gate_leave();
	ops_reply(req, result);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_name(req, parent, name, false);
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	remove_name(req, parent, name, true);
}

void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *new, unsigned flags)
{
	gate_enter();
	int result = tree_rename(ops_fs(req), ops_node(req, parent), name, ops_node(req, to), new, flags);
	gate_leave();
	ops_reply(req, result);
}

void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	fuse_reply_readlink(req, ops_node(req, ino)->target); /* it never changes */
}
