/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file_faults.c - goes between nbdkit and the C library, by LD_PRELOAD: systems on which files can't be named
 * afterwards, and disks that are slow for as long as a test likes.
 *
 *   ZS_TEST_NO_LINKAT=1     linkat() fails as where /proc is missing
 *   ZS_TEST_NO_TMPFILE=1    open() with O_TMPFILE fails as where the file system knows no files without a name
 *   ZS_TEST_GATE=path       large writes to files wait while path exists
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LARGE = 4096 };

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
	int (*real)(int, const char *, int, const char *, int);
	if (getenv("ZS_TEST_NO_LINKAT")) {
		errno = ENOENT;
		return -1;
	}
	*(void **)&real = next("linkat");
	return real(from_folder, from, to_folder, to, flags);
}

static int open_by(const char *name, const char *path, int flags, mode_t mode)
{
	int (*real)(const char *, int, ...);
	if ((flags & O_TMPFILE) == O_TMPFILE && getenv("ZS_TEST_NO_TMPFILE")) {
		errno = EOPNOTSUPP;
		return -1;
	}
	*(void **)&real = next(name);
	return real(path, flags, mode);
}

static mode_t mode_of(int flags, va_list args)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = mode_of(flags, args);
	va_end(args);
	return open_by("open", path, flags, mode);
}

int open64(const char *path, int flags, ...);
int open64(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = mode_of(flags, args);
	va_end(args);
	return open_by("open64", path, flags, mode);
}

ssize_t write(int fd, const void *from, size_t bytes)
{
	const struct timespec nap = { .tv_nsec = 5000000 };
	const char *gate = getenv("ZS_TEST_GATE");
	ssize_t (*real)(int, const void *, size_t);
	struct stat st;
	if (gate && bytes >= LARGE && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while (access(gate, F_OK) == 0)
			nanosleep(&nap, NULL);
	*(void **)&real = next("write");
	return real(fd, from, bytes);
}
