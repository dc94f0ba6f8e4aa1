/* SPDX-License-Identifier: BSD-3-Clause */
/* same_ranges.c - holes: where they are, how they are made, what fallocate() does. Only what no file system may choose. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "same.h"

enum { BLOCK = 4096, LARGE = 3 << 20 };

static void tell_holes(int fd, off_t end)
{
	for (off_t at = 0; at < end && !same_bytes_only;) {
		off_t data = lseek(fd, at, SEEK_DATA);
		say("data", data);
		if (data < 0)
			return;
		at = lseek(fd, data, SEEK_HOLE);
		say("hole", at);
		if (at < 0)
			return;
	}
}

static void tell_blocks(int fd)
{
	struct stat st;
	say("fstat", fstat(fd, &st));
	tell("size", (long)st.st_size);
	if (!same_bytes_only)
		tell("blocks", (long)st.st_blocks);
}

static void fill(int fd, off_t at, size_t len)
{
	static char bytes[LARGE];
	memset(bytes, 7, sizeof(bytes));
	say("pwrite", pwrite(fd, bytes, len, at));
}

static void tell_bytes(int fd, off_t at, size_t len)
{
	unsigned char *bytes = malloc(len);
	unsigned long sum = 0;
	ssize_t n = pread(fd, bytes, len, at);
	for (ssize_t i = 0; i < n; i++)
		sum += bytes[i];
	tell("bytes", (long)n);
	tell("sum", (long)sum);
	free(bytes);
}

static void seek(int fd)
{
	say("SEEK_DATA at the end", lseek(fd, 1000 * BLOCK + 10, SEEK_DATA));
	say("SEEK_HOLE at the end", lseek(fd, 1000 * BLOCK + 10, SEEK_HOLE));
	if (same_bytes_only)
		return;
	say("SEEK_HOLE in data", lseek(fd, 5, SEEK_HOLE));
	say("SEEK_DATA in data", lseek(fd, 100 * BLOCK + 5, SEEK_DATA));
}

static void holes(void)
{
	int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0644);
	fill(fd, 0, BLOCK);
	fill(fd, 100 * BLOCK, 3 * BLOCK);
	fill(fd, 1000 * BLOCK, 10);
	tell_holes(fd, 1000 * BLOCK + 10);
	tell_blocks(fd);
	seek(fd);
	say("cut", ftruncate(fd, 101 * BLOCK));
	tell_holes(fd, 101 * BLOCK);
	tell_blocks(fd);
	say("cut", ftruncate(fd, 0));
	tell_blocks(fd);
	say("SEEK_DATA of nothing", lseek(fd, 0, SEEK_DATA));
	close(fd);
	unlink("f");
}

static void punch(void)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0644);
	fill(fd, 0, LARGE);
	say("punch", fallocate(fd, mode, 10 * BLOCK, 20 * BLOCK));
	tell_holes(fd, LARGE);
	tell_blocks(fd);
	say("punch parts", fallocate(fd, mode, 50 * BLOCK + 100, 2 * BLOCK));
	tell_bytes(fd, 49 * BLOCK, 5 * BLOCK);
	tell_holes(fd, LARGE);
	say("punch in a block", fallocate(fd, mode, 60 * BLOCK + 100, 50));
	tell_bytes(fd, 60 * BLOCK, BLOCK);
	say("punch past the end", fallocate(fd, mode, LARGE - 100, LARGE));
	tell_bytes(fd, LARGE - BLOCK, 2 * BLOCK);
	tell_blocks(fd);
	say("punch all", fallocate(fd, mode, 0, LARGE));
	tell_blocks(fd);
	tell_bytes(fd, 0, LARGE);
	say("punch alone", fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, BLOCK));
	say("nothing", fallocate(fd, 0, 0, 0));
	say("collapse", fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, BLOCK));
	close(fd);
	unlink("f");
}

static void allocate(void)
{
	int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0644);
	say("allocate", fallocate(fd, 0, 0, 10 * BLOCK));
	tell_blocks(fd);
	tell_bytes(fd, 0, 10 * BLOCK);
	say("keep size", fallocate(fd, FALLOC_FL_KEEP_SIZE, 10 * BLOCK, 10 * BLOCK));
	tell_blocks(fd);
	say("posix_fallocate", posix_fallocate(fd, 0, 30 * BLOCK));
	tell_blocks(fd);
	fill(fd, 0, 30 * BLOCK);
	say("allocate over data", fallocate(fd, 0, 0, 30 * BLOCK));
	tell_bytes(fd, 0, 30 * BLOCK);
	say("cut", ftruncate(fd, 0));
	tell_blocks(fd);
	close(fd);
	unlink("f");
	mkdir("d", 0700);
	fd = open("d", O_RDONLY);
	say("of a directory", fallocate(fd, 0, 0, BLOCK));
	close(fd);
	rmdir("d");
}

void same_ranges(void)
{
	holes();
	punch();
	allocate();
}
