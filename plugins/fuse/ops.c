/* SPDX-License-Identifier: BSD-3-Clause */
/* ops.c - what all requests have in common. */
#include "ops.h"

#include <errno.h>
#include <string.h>

#include "attr.h"
#include "served.h"

const struct served *ops_served(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

struct fs *ops_fs(fuse_req_t req)
{
	return ops_served(req)->fs;
}

struct node *ops_node(fuse_req_t req, fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? ops_fs(req)->root : (struct node *)(uintptr_t)ino;
}

void ops_fill_entry(struct fs *fs, struct node *n, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	e->ino = (fuse_ino_t)(uintptr_t)n;
	e->attr_timeout = e->entry_timeout = OPS_VALID_SECONDS;
	attr_get(fs, n, &e->attr);
}

void ops_reply(fuse_req_t req, int result)
{
	fuse_reply_err(req, result == 0 ? 0 : errno);
}
