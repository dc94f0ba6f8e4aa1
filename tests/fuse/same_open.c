/* SPDX-License-Identifier: BSD-3-Clause */
/* same_open.c - files without a name: unlinked while open; and the ways to open one. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "same.h"

static void unlinked(void)
{
	char text[16] = "", path[64];
	struct stat st;
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	say("write", write(fd, "still there", 11));
	say("unlink", unlink("f"));
	close(open("f", O_CREAT | O_WRONLY, 0600));
	say("pread", pread(fd, text, 11, 0));
	tell_text("content", text);
	say("fstat", fstat(fd, &st));
	tell("links", (long)st.st_nlink);
	say("fchmod", fchmod(fd, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	say("link it again", linkat(AT_FDCWD, path, AT_FDCWD, "g", AT_SYMLINK_FOLLOW));
	int again = open(path, O_RDONLY);
	say("open it again", again >= 0 ? 0 : -1);
	close(fd);
	say("pread", pread(again, text, 11, 0));
	close(again);
	unlink("f");
}

static void ways_to_open(void)
{
	int fd;
	close(open("f", O_CREAT | O_WRONLY, 0644));
	fd = open("f", O_DIRECTORY | O_RDONLY);
	say("a file as a directory", fd);
	fd = open(".", O_WRONLY);
	say("a directory to write", fd);
	fd = open("f", O_PATH);
	say("read of O_PATH", read(fd, &fd, 0));
	fd = open("f", O_RDONLY);
	say("write to a reader", write(fd, "x", 1));
	close(fd);
	fd = open("f", O_WRONLY);
	char byte;
	say("read from a writer", read(fd, &byte, 1));
	close(fd);
	fd = open(".", O_RDONLY);
	say("read of a directory", read(fd, &byte, 1));
	say("fsync of a directory", fsync(fd));
	close(fd);
	fd = open("f", O_RDWR);
	say("fsync", fsync(fd));
	say("fdatasync", fdatasync(fd));
	say("syncfs", syncfs(fd));
	close(fd);
	unlink("f");
}

void same_open(void)
{
	unlinked();
	ways_to_open();
}
