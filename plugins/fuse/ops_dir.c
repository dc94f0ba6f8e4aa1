/* SPDX-License-Identifier: BSD-3-Clause */
/* ops_dir.c - directories are listed. A listing goes on behind the cookie that it had last: see dir.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "gate.h"
#include "ops.h"

enum { COOKIE_DOT = 1, COOKIE_DOTS = 2 };

struct listing {
	fuse_req_t req;
	char *buf;
	size_t room, used;
	bool plus;
};

/* False: there is no room for it. */
static bool add_plain(struct listing *l, const char *name, uint64_t ino, uint32_t mode, uint64_t cookie)
{
	const struct stat st = { .st_ino = ino, .st_mode = mode };
	struct fuse_entry_param e = { .attr = st }; /* its number is 0: the kernel is told of no node */
	size_t left = l->room - l->used;
	size_t need = l->plus ? fuse_add_direntry_plus(l->req, l->buf + l->used, left, name, &e, (off_t)cookie) :
				fuse_add_direntry(l->req, l->buf + l->used, left, name, &st, (off_t)cookie);
	if (need > left)
		return false;
	l->used += need;
	return true;
}

static bool add_plus(struct listing *l, const char *name, struct node *n, uint64_t cookie)
{
	struct fuse_entry_param e;
	size_t left = l->room - l->used;
	if (fuse_add_direntry_plus(l->req, NULL, 0, name, NULL, 0) > left)
		return false;
	ops_fill_entry(ops_fs(l->req), n, &e);
	node_get(n);
	l->used += fuse_add_direntry_plus(l->req, l->buf + l->used, left, name, &e, (off_t)cookie);
	return true;
}

static bool add_name(struct listing *l, const struct dir_slot *slot)
{
	char text[NAME_MAX_BYTES + 1];
	memcpy(text, slot->name->bytes, slot->name->len);
	text[slot->name->len] = '\0';
	struct node *n = slot->name->node;
	if (l->plus)
		return add_plus(l, text, n, slot->cookie);
	return add_plain(l, text, n->ino, n->kind, slot->cookie);
}

static void list_locked(struct listing *l, const struct node *dir, uint64_t cookie)
{
	if (cookie < COOKIE_DOT && !add_plain(l, ".", dir->ino, S_IFDIR, COOKIE_DOT))
		return;
	if (cookie < COOKIE_DOTS && !add_plain(l, "..", dir->dir->up, S_IFDIR, COOKIE_DOTS))
		return;
	const struct dir_slot *slot = dir_next(dir->dir, cookie);
	while (slot != NULL && add_name(l, slot)) {
		const struct dir_slot *end = dir->dir->slots + dir->dir->used;
		do
			slot++;
		while (slot < end && slot->name == NULL);
		if (slot == end)
			return;
	}
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
	struct node *dir = ops_node(req, ino);
	struct listing l = { req, malloc(size), size, 0, plus };
	if (l.buf == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	gate_enter();
	lock_shared(&dir->lock);
	list_locked(&l, dir, (uint64_t)off);
	unlock_shared(&dir->lock);
	gate_leave();
	fuse_reply_buf(req, l.buf, l.used);
	free(l.buf);
}

void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}
