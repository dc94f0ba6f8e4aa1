/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.c - the tree and the device, one behind the other in a file. */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/replace.h"
#include "common/saving.h"
#include "common/why.h"
#include "gate.h"
#include "tree_stream.h"

enum {
	HEAD_BYTES = 32,
	DIGESTED = 24,            /* of the head */
	RECORD_BYTES = 16,        /* what the device's stream has beside each block's bytes, about */
	LOOK_NANOSECONDS = 200000, /* between two looks at whether the device has begun */
	FUSE_MAGIC = 0x65735546,
};

static const char no_file[] = "a snapshot has to be a regular file";
static const char magic[8] = { 'z', 's', 'm', 'o', 'u', 'n', 't', '1' };

static int say(char *why, size_t why_bytes, const char *what, const char *path, const char *reason)
{
	int saved = errno;
	snprintf(why, why_bytes, "%s %s: %s", what, path, reason);
	errno = saved;
	return -1;
}

static void put_u64(uint8_t *to, uint64_t n)
{
	for (unsigned i = 0; i < 8; i++)
		to[i] = (uint8_t)(n >> 8 * i);
}

static uint64_t get_u64(const uint8_t *from)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)from[i] << 8 * i;
	return n;
}

/* --- saving --- */

/* The head's place, and the tree. 0, or -1 with errno. Nobody changes anything meanwhile. */
static int write_tree(struct fs *fs, int fd)
{
	uint8_t head[HEAD_BYTES] = { 0 };
	struct stream s;
	if (write(fd, head, sizeof(head)) != (ssize_t)sizeof(head) || stream_open(&s, fd, 0) != 0)
		return -1;
	int result = tree_put(fs, &s);
	if (result == 0)
		result = stream_finish(&s);
	memcpy(head, magic, sizeof(magic));
	put_u64(head + 8, fs->memory.blocks << fs->block_shift);
	put_u64(head + 16, s.at);
	put_u64(head + DIGESTED, XXH64(head, DIGESTED, 0));
	if (result == 0 && pwrite(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		result = -1;
	int saved = errno;
	stream_close(&s);
	errno = saved;
	return result;
}

struct device_save {
	struct zram *z;
	int fd, result, error;
	_Atomic bool done;
	char why[WHY_BYTES];
};

static void *save_device(void *arg)
{
	struct device_save *d = arg;
	d->result = zram_save(d->z, d->fd);
	d->error = errno;
	snprintf(d->why, sizeof(d->why), "%s", d->result != 0 ? zram_strerror() : "");
	/* release: pairs with the acquire of who looks whether it has begun */
	atomic_store_explicit(&d->done, true, memory_order_release);
	return NULL;
}

/* The device's moment has been when its first byte is written, or it has failed. */
static void wait_for_beginning(struct device_save *d, off_t start)
{
	const struct timespec pause = { .tv_nsec = LOOK_NANOSECONDS };
	while (!atomic_load_explicit(&d->done, memory_order_acquire) && lseek(d->fd, 0, SEEK_CUR) == start)
		nanosleep(&pause, NULL);
}

/* Save the device from where fd stands, and open the gate as soon as it has begun. */
static void write_device(struct device_save *d)
{
	pthread_t thread;
	off_t start = lseek(d->fd, 0, SEEK_CUR);
	bool beside = pthread_create(&thread, NULL, save_device, d) == 0;
	if (beside)
		wait_for_beginning(d, start);
	else
		save_device(d);
	gate_open();
	if (beside)
		pthread_join(thread, NULL);
}

static int write_all(struct fs *fs, int fd, const char *path, char *why, size_t why_bytes)
{
	struct device_save d = { .z = fs->z, .fd = fd };
	gate_close();
	if (write_tree(fs, fd) != 0) {
		gate_open();
		return say(why, why_bytes, "can't write", path, strerror(errno));
	}
	write_device(&d);
	errno = d.error;
	return d.result == 0 ? 0 : say(why, why_bytes, "can't write", path, d.why);
}

/* What is there is a file, or nothing is: a fifo would be waited for. */
static int check_file(const char *path, char *why, size_t why_bytes)
{
	struct stat st;
	if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
		return 0;
	errno = EINVAL;
	return say(why, why_bytes, "can't write", path, no_file);
}

int snapshot_try(const char *path, char *why, size_t why_bytes)
{
	return check_file(path, why, why_bytes) != 0 ? -1 : replace_try(path, why, why_bytes);
}

/* Whether the file is in that directory, of which stat() is asked as long as it is mounted. */
static bool is_in(int fd, const char *directory)
{
	struct stat file, root;
	struct statfs kind;
	return directory != NULL && fstatfs(fd, &kind) == 0 && kind.f_type == FUSE_MAGIC && fstat(fd, &file) == 0 &&
	       stat(directory, &root) == 0 && file.st_dev == root.st_dev;
}

int snapshot_save(struct fs *fs, const char *path, const char *mounted_on, char *why, size_t why_bytes)
{
	struct replacement r;
	int result = -1;
	if (check_file(path, why, why_bytes) != 0 || replace_begin(&r, path, why, why_bytes) != 0)
		return -1;
	if (r.in_place || is_in(r.fd, mounted_on)) {
		errno = r.in_place ? EINVAL : EDEADLK;
		say(why, why_bytes, "can't write", path,
		    r.in_place ? no_file : "a snapshot can't be in the directory that it is of");
		replace_abandon(&r);
		return -1;
	}
	int saving = saving_begins(r.fd);
	if (write_all(fs, r.fd, path, why, why_bytes) == 0)
		result = replace_commit(&r, why, why_bytes);
	else
		replace_abandon(&r);
	saving_ends(saving);
	return result;
}

void snapshot_progress(struct fs *fs, uint64_t *done, uint64_t *all)
{
	char text[256];
	uint64_t stored = 0, compressed = 0;
	if (zram_attr_get(fs->z, "mm_stat", text, sizeof(text)) > 0)
		sscanf(text, "%" SCNu64 " %" SCNu64, &stored, &compressed);
	*all = atomic_load_explicit(&fs->memory.held, memory_order_relaxed) + compressed +
	       (stored >> fs->block_shift) * RECORD_BYTES;
	*done = saving_done();
	if (*done > *all)
		*all = *done;
}

/* --- loading --- */

static int read_head(int fd, uint64_t *size, uint64_t *tree)
{
	uint8_t head[HEAD_BYTES];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return -1;
	*size = get_u64(head + 8);
	*tree = get_u64(head + 16);
	errno = EBADMSG;
	return n == (ssize_t)sizeof(head) && memcmp(head, magic, sizeof(magic)) == 0 &&
			       get_u64(head + DIGESTED) == XXH64(head, DIGESTED, 0) && *tree <= INT64_MAX - HEAD_BYTES ?
		       0 :
		       -1;
}

static int read_tree(struct fs *fs, int fd, uint64_t bytes)
{
	struct stream s;
	if (lseek(fd, HEAD_BYTES, SEEK_SET) < 0 || stream_open(&s, fd, bytes) != 0)
		return -1;
	int result = tree_get(fs, &s);
	if (result == 0 && !stream_ends(&s)) {
		errno = s.error;
		result = -1;
	}
	int saved = errno;
	stream_close(&s);
	errno = saved;
	return result;
}

static const char *reason(int error)
{
	switch (error) {
	case EBADMSG:
		return "it is no snapshot of a directory, or is damaged";
	case ENOSPC:
		return "what is in it is more than the size or the mem-limit";
	default:
		return strerror(error);
	}
}

static struct fs *load_from(int fd, const struct fs_options *options, char *why, size_t why_bytes)
{
	struct fs_options o = *options;
	uint64_t size, tree;
	if (read_head(fd, &size, &tree) != 0 || lseek(fd, (off_t)(HEAD_BYTES + tree), SEEK_SET) < 0) {
		snprintf(why, why_bytes, "%s", reason(errno));
		return NULL;
	}
	if (o.size == 0)
		o.size = size;
	struct zram *z = zram_load(fd, o.device);
	if (z == NULL) {
		snprintf(why, why_bytes, "%s", zram_strerror());
		return NULL;
	}
	struct fs *fs = fs_create_over(z, &o, why, why_bytes);
	if (fs == NULL)
		return NULL;
	if (read_tree(fs, fd, tree) == 0) {
		fs_discard_unowned(fs);
		return fs;
	}
	int saved = errno;
	snprintf(why, why_bytes, "%s", reason(saved));
	fs_destroy(fs);
	errno = saved;
	return NULL;
}

struct fs *snapshot_load(const char *path, const struct fs_options *options, char *why, size_t why_bytes)
{
	char text[WHY_BYTES] = "";
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a fifo has nobody to wait for */
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		int error = fd < 0 ? errno : EINVAL;
		say(why, why_bytes, fd < 0 ? "can't open" : "can't load", path, fd < 0 ? strerror(error) : no_file);
		if (fd >= 0)
			close(fd);
		errno = error;
		return NULL;
	}
	struct fs *fs = load_from(fd, options, text, sizeof(text));
	int saved = errno;
	close(fd);
	errno = saved;
	if (fs == NULL)
		say(why, why_bytes, "can't load", path, text);
	return fs;
}
