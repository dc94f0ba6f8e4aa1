/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops.h - the requests of the kernel, by kind: each becomes a call of the tree or of the data, and is answered.
 *
 * An inode's number on the wire is its address, but for the root's, which is 1: so no table of numbers is needed. The
 * kernel gives back no number that it was not given, and no longer than it was: what it holds are references.
 *
 * Files and directories are not opened and not released: the kernel is told so (ENOSYS), and asks no more. It keeps its
 * references while they are open. Names and attributes are valid for ever, as nobody else can change them; the kernel
 * drops what its own requests change. Locks of files are the kernel's own as well.
 *
 * The frame of each request: request_begin(), the work, request_end(), the answer. In between no save has its moment.
 */
#ifndef ZS_FUSE_OPS_H
#define ZS_FUSE_OPS_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "node.h"

/* For ever, as long as an int of seconds can say. */
#define OPS_VALID_SECONDS 1e9

struct served;

const struct served *ops_served(fuse_req_t req);
struct fs *ops_fs(fuse_req_t req);
struct node *ops_node(fuse_req_t req, fuse_ino_t ino);

/* Of an inode that the caller has a reference of, for the kernel. */
void ops_fill_entry(struct fs *fs, struct node *n, struct fuse_entry_param *e);

/* 0: done; else errno. */
void ops_reply(fuse_req_t req, int result);

/* ops_name.c */
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count);
void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *new, unsigned flags);
void op_readlink(fuse_req_t req, fuse_ino_t ino);

/* ops_dir.c */
void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);

/* ops_attr.c */
void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set, struct fuse_file_info *fi);
void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags);
void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);
void op_statfs(fuse_req_t req, fuse_ino_t ino);

/* ops_data.c */
void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, struct fuse_file_info *fi);
void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);

#endif
