/* SPDX-License-Identifier: BSD-3-Clause */
/* same_names.c - names: made, linked, moved in every way, removed; long ones, and ones of odd bytes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "same.h"

static void make(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	say(name, fd < 0 ? -1 : write(fd, text, strlen(text)));
	close(fd);
}

static void show(const char *name)
{
	char text[64];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		say(name, -1);
	} else {
		text[n] = '\0';
		tell_text(name, text);
	}
	if (fd >= 0)
		close(fd);
}

static void links(const char *name)
{
	struct stat st;
	say("lstat", lstat(name, &st));
	tell("links", (long)st.st_nlink);
}

static void hard_and_soft_links(void)
{
	char target[64] = "";
	make("a", "first");
	say("link", link("a", "b"));
	links("a");
	say("link over", link("a", "b"));
	say("link of nothing", link("nothing", "c"));
	say("unlink", unlink("a"));
	links("b");
	show("b");
	say("symlink", symlink("b", "s"));
	say("symlink over", symlink("x", "s"));
	say("readlink", readlink("s", target, sizeof(target) - 1));
	tell_text("target", target);
	show("s");
	say("dangling", symlink("nothing", "d"));
	show("d");
	say("open through it", open("d", O_CREAT | O_EXCL | O_WRONLY, 0600));
	say("nofollow", open("s", O_RDONLY | O_NOFOLLOW));
	say("readlink of a file", readlink("b", target, sizeof(target)));
	unlink("s");
	unlink("d");
	unlink("b");
}

static void renames(void)
{
	make("a", "A");
	make("b", "B");
	say("noreplace", renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE));
	say("exchange", renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
	show("a");
	show("b");
	say("exchange with nothing", renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_EXCHANGE));
	say("noreplace to nothing", renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
	say("over", rename("c", "b"));
	show("b");
	say("to itself", rename("b", "b"));
	say("from nothing", rename("nothing", "b"));
	link("b", "c");
	say("over its other name", rename("b", "c"));
	links("b");
	unlink("c");
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	say("file over directory", rename("b", "d"));
	say("directory over file", rename("d", "b"));
	say("into a directory", rename("b", "d/e/f"));
	say("directory over a full one", rename("d/e", "d"));
	say("into itself", rename("d", "d/e/g"));
	mkdir("h", 0755);
	say("over an empty directory", rename("d", "h"));
	links("h");
	show("h/e/f");
	mkdir("i", 0755);
	make("j", "J");
	say("exchange of a file and a directory", renameat2(AT_FDCWD, "i", AT_FDCWD, "j", RENAME_EXCHANGE));
	show("i");
	say("exchange over folders", renameat2(AT_FDCWD, "j", AT_FDCWD, "h/e/f", RENAME_EXCHANGE));
	show("j");
	links("h/e");
	links(".");
	unlink("i");
	unlink("j");
	rmdir("h/e/f");
	rmdir("h/e");
	rmdir("h");
	links(".");
}

/* Over a file that is open, and while the moved one is: both go on. */
static void rename_while_open(void)
{
	char text[8] = "";
	make("a", "old");
	make("b", "new");
	int old = open("b", O_RDWR), moved = open("a", O_RDWR);
	say("over an open file", rename("a", "b"));
	say("pread", pread(old, text, 3, 0));
	tell_text("the old one", text);
	say("pwrite", pwrite(moved, "OLD", 3, 0));
	show("b");
	say("unlink", unlink("b"));
	say("pread", pread(moved, text, 3, 0));
	tell_text("the moved one", text);
	struct stat st;
	say("fstat", fstat(moved, &st));
	tell("links", (long)st.st_nlink);
	say("ftruncate", ftruncate(moved, 100000));
	say("pwrite", pwrite(moved, "x", 1, 99999));
	say("fstat", fstat(moved, &st));
	tell("size", (long)st.st_size);
	close(old);
	close(moved);
}

static void odd_names(void)
{
	char name[300];
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	make(name, "255");
	show(name);
	say("unlink", unlink(name));
	name[255] = 'n';
	name[256] = '\0';
	say("256 bytes", open(name, O_CREAT | O_WRONLY, 0600));
	say("stat of 256 bytes", access(name, F_OK));
	make("\xff\xfe\n\t\x01 '\"\\", "odd");
	show("\xff\xfe\n\t\x01 '\"\\");
	say("unlink", unlink("\xff\xfe\n\t\x01 '\"\\"));
	say("empty", open("", O_CREAT | O_WRONLY, 0600));
	say("dot", mkdir(".", 0700));
	say("dots", rmdir(".."));
}

static void special_files(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "sock" };
	struct stat st;
	say("mkfifo", mkfifo("fifo", 0640));
	int fd = open("fifo", O_RDWR | O_NONBLOCK);
	say("write to it", write(fd, "x", 1));
	close(fd);
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	say("bind", bind(s, (struct sockaddr *)&address, sizeof(address)));
	say("listen", listen(s, 1));
	say("connect", connect(c, (struct sockaddr *)&address, sizeof(address)));
	say("stat", lstat("sock", &st));
	tell("kind", st.st_mode & S_IFMT);
	close(s);
	close(c);
	say("stat", lstat("fifo", &st));
	tell("mode", st.st_mode);
	unlink("sock");
	unlink("fifo");
}

void same_names(void)
{
	hard_and_soft_links();
	renames();
	rename_while_open();
	odd_names();
	special_files();
	say("unlink of nothing", unlink("nothing"));
	mkdir("d", 0755);
	say("unlink of a directory", unlink("d"));
	say("rmdir", rmdir("d"));
	make("f", "f");
	say("rmdir of a file", rmdir("f"));
	say("below a file", open("f/g", O_RDONLY));
	say("mkdir over", mkdir("f", 0755));
	say("exclusive", open("f", O_CREAT | O_EXCL | O_WRONLY, 0600));
	unlink("f");
}
