/* SPDX-License-Identifier: BSD-3-Clause */
/* same_attributes.c - modes, owners, times to the nanosecond, sticky and setgid directories, "user." attributes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "same.h"

enum { OTHER = 12345, GROUP = 23456 };

static void tell_mode(const char *name)
{
	struct stat st;
	say(name, lstat(name, &st));
	printf("mode %o uid %u gid %u\n", st.st_mode, st.st_uid, st.st_gid);
}

static void modes(void)
{
	umask(027);
	close(open("f", O_CREAT | O_WRONLY, 0666));
	mkdir("d", 0777);
	umask(022);
	tell_mode("f");
	tell_mode("d");
	say("chmod", chmod("f", 06755));
	tell_mode("f");
	say("chmod", chmod("d", 01777));
	tell_mode("d");
	say("write clears", open("f", O_WRONLY));
	int fd = open("f", O_CREAT | O_EXCL | O_WRONLY, 0600);
	say("exclusive", fd);
	fd = open("g", O_CREAT | O_RDWR, 0400);
	say("writing a new read-only file", write(fd, "x", 1));
	close(fd);
	unlink("g");
	unlink("f");
	rmdir("d");
}

static void owners(void)
{
	if (geteuid() != 0)
		return;
	close(open("f", O_CREAT | O_WRONLY, 0644));
	say("chmod", chmod("f", 06755));
	say("chown", chown("f", OTHER, GROUP));
	tell_mode("f");
	say("chgrp", chown("f", (uid_t)-1, 7));
	tell_mode("f");
	mkdir("d", 0755);
	say("chown", chown("d", 0, GROUP));
	say("chmod", chmod("d", 02755));
	close(open("d/f", O_CREAT | O_WRONLY, 0644));
	mkdir("d/e", 0755);
	tell_mode("d/f");
	tell_mode("d/e");
	unlink("d/f");
	rmdir("d/e");
	rmdir("d");
	unlink("f");
}

/* As another user, in directories that are not his. */
static void act_as_other(void)
{
	say("sticky: unlink", unlink("sticky/root"));
	say("sticky: rename", rename("sticky/root", "sticky/x"));
	say("sticky: make", open("sticky/own", O_CREAT | O_WRONLY, 0600));
	say("sticky: unlink own", unlink("sticky/own"));
	say("closed: make", open("closed/own", O_CREAT | O_WRONLY, 0600));
	say("closed: look", access("closed", W_OK));
	say("read", open("secret", O_RDONLY));
	say("chmod", chmod("secret", 0777));
	say("chown", chown("secret", OTHER, OTHER));
	say("utime", utimensat(AT_FDCWD, "secret", NULL, 0));
	say("truncate", truncate("secret", 0));
	say("suid is cleared", open("suid", O_WRONLY));
	int fd = open("suid", O_WRONLY);
	say("write", write(fd, "x", 1));
	close(fd);
	fflush(stdout);
}

static void permissions(void)
{
	if (geteuid() != 0)
		return;
	mkdir("sticky", 0777);
	chmod("sticky", 01777);
	mkdir("closed", 0755);
	close(open("sticky/root", O_CREAT | O_WRONLY, 0666));
	close(open("secret", O_CREAT | O_WRONLY, 0600));
	close(open("suid", O_CREAT | O_WRONLY, 0666));
	chmod("suid", 04777);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (setresgid(OTHER, OTHER, OTHER) == 0 && setresuid(OTHER, OTHER, OTHER) == 0)
			act_as_other();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	tell_mode("suid");
	unlink("sticky/root");
	rmdir("sticky");
	rmdir("closed");
	unlink("secret");
	unlink("suid");
}

static int later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* Until the file system would stamp a change with a later time. It changes a file of its own alone. */
static void wait_for_clock(int clock, const struct stat *st)
{
	enum { LOOKS = 20000, LOOK_US = 500 };
	struct stat now;
	for (int i = 0; i < LOOKS; i++) {
		if (futimens(clock, NULL) != 0 || fstat(clock, &now) != 0 || later(&now.st_mtim, &st->st_ctim))
			return;
		usleep(LOOK_US);
	}
}

static void times(void)
{
	struct stat st, now;
	int clock = open("clock", O_CREAT | O_RDWR, 0644);
	const struct timespec set[2] = { { 1, 2 }, { -3, 999999999 } };
	const struct timespec far[2] = { { 4000000000, 1 }, { 0, UTIME_OMIT } };
	close(open("f", O_CREAT | O_WRONLY, 0644));
	say("utimensat", utimensat(AT_FDCWD, "f", set, 0));
	say("stat", stat("f", &st));
	printf("%ld.%09ld %ld.%09ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	say("utimensat", utimensat(AT_FDCWD, "f", far, 0));
	say("stat", stat("f", &st));
	printf("%ld.%09ld %ld.%09ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	wait_for_clock(clock, &st);
	int fd = open("f", O_WRONLY);
	say("write", write(fd, "x", 1));
	close(fd);
	say("stat", stat("f", &now));
	tell("a write changes mtime", later(&now.st_mtim, &st.st_mtim));
	tell("and ctime", later(&now.st_ctim, &st.st_ctim));
	say("stat", stat(".", &st));
	wait_for_clock(clock, &st);
	say("rename", rename("f", "g"));
	say("stat", stat(".", &now));
	tell("a rename changes its directory", later(&now.st_mtim, &st.st_mtim));
	say("stat", stat("g", &st));
	wait_for_clock(clock, &st);
	say("chmod", chmod("g", 0600));
	say("stat", stat("g", &now));
	tell("chmod changes ctime", later(&now.st_ctim, &st.st_ctim));
	tell("and not mtime", later(&now.st_mtim, &st.st_mtim));
	say("symlink", symlink("g", "s"));
	say("lutimes", utimensat(AT_FDCWD, "s", set, AT_SYMLINK_NOFOLLOW));
	say("lstat", lstat("s", &st));
	printf("%ld.%09ld\n", st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	unlink("s");
	unlink("g");
	close(clock);
	unlink("clock");
}

static void attributes(void)
{
	char text[64] = "", list[256] = "";
	close(open("f", O_CREAT | O_WRONLY, 0644));
	say("set", setxattr("f", "user.a", "one", 3, 0));
	say("create over", setxattr("f", "user.a", "two", 3, XATTR_CREATE));
	say("replace none", setxattr("f", "user.b", "two", 3, XATTR_REPLACE));
	say("replace", setxattr("f", "user.a", "twelve", 6, XATTR_REPLACE));
	say("get", getxattr("f", "user.a", text, sizeof(text)));
	tell_text("value", text);
	say("size", getxattr("f", "user.a", NULL, 0));
	say("too small", getxattr("f", "user.a", text, 2));
	say("empty", setxattr("f", "user.empty", "", 0, 0));
	say("get", getxattr("f", "user.empty", text, sizeof(text)));
	say("list", listxattr("f", list, sizeof(list)));
	say("list too small", listxattr("f", list, 3));
	say("remove", removexattr("f", "user.a"));
	say("remove again", removexattr("f", "user.a"));
	say("get none", getxattr("f", "user.a", text, sizeof(text)));
	say("unknown", setxattr("f", "nonsense.a", "x", 1, 0));
	mkdir("d", 0700);
	say("of a directory", setxattr("d", "user.d", "x", 1, 0));
	say("get", getxattr("d", "user.d", text, sizeof(text)));
	rmdir("d");
	symlink("f", "s");
	say("of a link", lsetxattr("s", "user.s", "x", 1, 0));
	unlink("s");
	unlink("f");
}

void same_attributes(void)
{
	modes();
	owners();
	permissions();
	times();
	attributes();
}
