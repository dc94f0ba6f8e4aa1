/* SPDX-License-Identifier: BSD-3-Clause */
/* ops_table.c - what is agreed with the kernel at first, and the table of requests. */
#include "ops_table.h"

#include "ops.h"

#include "served.h"

enum {
	REQUEST_BYTES = 256 << 10, /* most of one read or write: the way here is short beside the compressing then */
	BACKGROUND = 64,           /* requests that the kernel sends without waiting for the answers */
};

static void want(struct fuse_conn_info *conn, unsigned what)
{
	conn->want |= conn->capable & what;
}

static void op_init(void *userdata, struct fuse_conn_info *conn)
{
	struct served *served = userdata;
	want(conn, FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_DIO | FUSE_CAP_CACHE_SYMLINKS);
	want(conn, FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
	want(conn, FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT);
	/* Files are not opened, so it is the kernel that cuts those that are opened with O_TRUNC. */
	conn->want &= ~(unsigned)FUSE_CAP_ATOMIC_O_TRUNC;
	/* Nobody but the kernel changes a file: what it has of one stays right. */
	conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
	/* One copy into a buffer is all there is either way: through a pipe it would be the same one. */
	conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	if (served->write_back)
		want(conn, FUSE_CAP_WRITEBACK_CACHE);
	conn->max_write = REQUEST_BYTES;
	conn->max_readahead = REQUEST_BYTES;
	conn->max_background = BACKGROUND;
	conn->congestion_threshold = BACKGROUND * 3 / 4;
	conn->time_gran = 1;
	served->begun(served);
}

const struct fuse_lowlevel_ops ops_table = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.symlink = op_symlink,
	.link = op_link,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.rename = op_rename,
	.read = op_read,
	.write = op_write,
	.readdir = op_readdir,
	.readdirplus = op_readdirplus,
	.statfs = op_statfs,
	.setxattr = op_setxattr,
	.getxattr = op_getxattr,
	.listxattr = op_listxattr,
	.removexattr = op_removexattr,
	.fallocate = op_fallocate,
	.lseek = op_lseek,
};
