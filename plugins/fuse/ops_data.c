/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops_data.c - requests about bytes. What is written goes from the buffer that the request came in to the device; what
 * is read is decompressed into a buffer of the thread's, from which it is sent.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "data.h"
#include "gate.h"
#include "ops.h"
#include "served.h"

static pthread_key_t buffers;
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct buffer {
	size_t room;
	char *bytes;
};

static void free_buffer(void *p)
{
	struct buffer *b = p;
	free(b->bytes);
	free(b);
}

static void make_key(void)
{
	(void)pthread_key_create(&buffers, free_buffer);
}

/* Room for an answer, of this thread alone. NULL without memory. */
static char *own_buffer(size_t bytes)
{
	pthread_once(&once, make_key);
	struct buffer *b = pthread_getspecific(buffers);
	if (b == NULL && (b = calloc(1, sizeof(*b))) != NULL && pthread_setspecific(buffers, b) != 0) {
		free(b);
		b = NULL;
	}
	if (b == NULL)
		return NULL;
	if (b->room < bytes) {
		free(b->bytes);
		b->bytes = malloc(bytes);
		b->room = b->bytes != NULL ? bytes : 0;
	}
	return b->bytes;
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	char *buf = own_buffer(size);
	(void)fi;
	if (buf == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	gate_enter();
	ssize_t got = data_read(ops_fs(req), ops_node(req, ino), buf, size, (uint64_t)off);
	gate_leave();
	if (got < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_buf(req, buf, (size_t)got);
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	gate_enter();
	ssize_t wrote = data_write(ops_fs(req), ops_node(req, ino), buf, size, (uint64_t)off);
	gate_leave();
	if (wrote < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_write(req, (size_t)wrote);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, struct fuse_file_info *fi)
{
	(void)fi;
	gate_enter();
	int result = data_allocate(ops_fs(req), ops_node(req, ino), mode, (uint64_t)offset, (uint64_t)length);
	gate_leave();
	ops_reply(req, result);
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	(void)fi;
	/* Of what the kernel has not sent yet nothing is known here: it takes the whole file for data then. */
	if (ops_served(req)->write_back) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	gate_enter();
	off_t at = data_seek(ops_fs(req), ops_node(req, ino), (uint64_t)off, whence);
	gate_leave();
	if (at < 0)
		fuse_reply_err(req, errno);
	else
		fuse_reply_lseek(req, at);
}
