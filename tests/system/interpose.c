/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interpose.c - goes between zs and the libraries it calls, by LD_PRELOAD.
 *
 *   ZS_TEST_AT_READ=n ZS_TEST_COMMAND=c     run the shell command c before the nth read of input pages
 *   ZS_TEST_FAIL_READ=n                     from the nth on, such reads fail with EIO
 *   ZS_TEST_BREAK=n                         the nth page that is decompressed comes out with one bit changed
 *   ZS_TEST_MEMINFO=file                    what the program finds in /proc/meminfo
 *
 * Reads of input pages are told from others by their size: zs reads pages in pieces of 64 KiB and more.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { PAGES_READ = 65536 };

static atomic_long reads, decompressed;

static long setting(const char *name)
{
	const char *value = getenv(name);
	return value ? atol(value) : 0;
}

static ssize_t forward(const char *symbol, int fd, void *to, size_t bytes, off_t offset)
{
	ssize_t (*real)(int, void *, size_t, off_t);
	*(void **)&real = dlsym(RTLD_NEXT, symbol);
	if (bytes >= PAGES_READ) {
		long n = atomic_fetch_add(&reads, 1) + 1;
		const char *command = getenv("ZS_TEST_COMMAND");
		if (command && n == setting("ZS_TEST_AT_READ")) {
			unsetenv("LD_PRELOAD");
			if (system(command) != 0)
				abort();
		}
		if (setting("ZS_TEST_FAIL_READ") && n >= setting("ZS_TEST_FAIL_READ")) {
			errno = EIO;
			return -1;
		}
	}
	return real(fd, to, bytes, offset);
}

ssize_t pread(int fd, void *to, size_t bytes, off_t offset);
ssize_t pread64(int fd, void *to, size_t bytes, off_t offset);
ssize_t __pread_chk(int fd, void *to, size_t bytes, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *to, size_t bytes, off_t offset, size_t room);
int LZ4_decompress_safe(const char *src, char *dst, int src_len, int room);

ssize_t pread(int fd, void *to, size_t bytes, off_t offset)
{
	return forward("pread", fd, to, bytes, offset);
}

ssize_t pread64(int fd, void *to, size_t bytes, off_t offset)
{
	return forward("pread64", fd, to, bytes, offset);
}

ssize_t __pread_chk(int fd, void *to, size_t bytes, off_t offset, size_t room)
{
	(void)room;
	return forward("pread", fd, to, bytes, offset);
}

ssize_t __pread64_chk(int fd, void *to, size_t bytes, off_t offset, size_t room)
{
	(void)room;
	return forward("pread64", fd, to, bytes, offset);
}

int LZ4_decompress_safe(const char *src, char *dst, int src_len, int room)
{
	int (*real)(const char *, char *, int, int);
	*(void **)&real = dlsym(RTLD_NEXT, "LZ4_decompress_safe");
	int len = real(src, dst, src_len, room);
	if (len > 0 && atomic_fetch_add(&decompressed, 1) + 1 == setting("ZS_TEST_BREAK"))
		dst[len / 2] ^= 1;
	return len;
}

FILE *fopen(const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *);
	const char *meminfo = getenv("ZS_TEST_MEMINFO");
	*(void **)&real = dlsym(RTLD_NEXT, "fopen");
	return real(meminfo && strcmp(path, "/proc/meminfo") == 0 ? meminfo : path, mode);
}

FILE *fopen64(const char *path, const char *mode);
FILE *fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}
