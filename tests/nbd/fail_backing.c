/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fail_backing.c - goes between nbdkit and the C library, by LD_PRELOAD: reads and writes of one file fail at
 * times.
 *
 *   ZS_TEST_BACKING=path ZS_TEST_FAIL_ONE_IN=n    one in n, with EIO
 *   ZS_TEST_FAIL_LOG=path                         one byte is appended for each, so that a test can count them
 *
 * There is no io_uring then, whose writes could not be seen here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_ulong calls;

static bool is_backing(int fd)
{
	const char *path = getenv("ZS_TEST_BACKING");
	struct stat file, mine;
	return path && stat(path, &file) == 0 && fstat(fd, &mine) == 0 && file.st_ino == mine.st_ino &&
	       file.st_dev == mine.st_dev;
}

/* Whether this call shall fail; a multiplicative hash makes the choice look random, and the same in each run. */
static bool fails(int fd)
{
	const char *setting = getenv("ZS_TEST_FAIL_ONE_IN"), *log = getenv("ZS_TEST_FAIL_LOG");
	unsigned long one_in = setting ? strtoul(setting, NULL, 10) : 0;
	if (one_in == 0 || !is_backing(fd))
		return false;
	uint64_t n = atomic_fetch_add(&calls, 1) * 0x9e3779b97f4a7c15ull;
	if ((n >> 32) % one_in != 0)
		return false;
	int out = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (out >= 0) {
		ssize_t written = write(out, "x", 1);
		(void)written;
		close(out);
	}
	errno = EIO;
	return true;
}

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

ssize_t pread(int fd, void *to, size_t bytes, off_t offset);
ssize_t pread64(int fd, void *to, size_t bytes, off_t offset);
ssize_t pwrite(int fd, const void *from, size_t bytes, off_t offset);
ssize_t pwrite64(int fd, const void *from, size_t bytes, off_t offset);

ssize_t pread(int fd, void *to, size_t bytes, off_t offset)
{
	ssize_t (*real)(int, void *, size_t, off_t);
	*(void **)&real = next("pread");
	return fails(fd) ? -1 : real(fd, to, bytes, offset);
}

ssize_t pread64(int fd, void *to, size_t bytes, off_t offset)
{
	return pread(fd, to, bytes, offset);
}

ssize_t pwrite(int fd, const void *from, size_t bytes, off_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off_t);
	*(void **)&real = next("pwrite");
	return fails(fd) ? -1 : real(fd, from, bytes, offset);
}

ssize_t pwrite64(int fd, const void *from, size_t bytes, off_t offset)
{
	return pwrite(fd, from, bytes, offset);
}

struct io_uring;
int io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags);

int io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags)
{
	(void)entries;
	(void)ring;
	(void)flags;
	return -ENOSYS;
}
