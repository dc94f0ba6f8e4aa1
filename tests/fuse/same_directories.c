/* SPDX-License-Identifier: BSD-3-Clause */
/* same_directories.c - directories: listed while they change, deep, removed while somebody is in them. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "same.h"

enum { MANY = 5000, DEPTH = 200 };

static void make_numbered(const char *prefix, int from, int to)
{
	char name[64];
	for (int i = from; i < to; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		close(open(name, O_CREAT | O_WRONLY, 0600));
	}
}

/* Without one there is nothing to go on with. */
static DIR *open_directory(const char *name)
{
	DIR *all = opendir(name);
	if (all == NULL) {
		say("opendir", -1);
		fflush(stdout);
		_exit(1);
	}
	return all;
}

static void remove_numbered(const char *prefix, int from, int to)
{
	char name[64];
	for (int i = from; i < to; i++) {
		snprintf(name, sizeof(name), "%s%d", prefix, i);
		unlink(name);
	}
}

/* Those that are there all the time are seen once; those that go behind the reader's back are not seen twice. */
static void list_while_changing(void)
{
	static unsigned char seen[MANY];
	int twice = 0, missing = 0, count = 0;
	memset(seen, 0, sizeof(seen));
	mkdir("many", 0700);
	say("chdir", chdir("many"));
	make_numbered("s", 0, MANY);
	DIR *all = open_directory(".");
	for (const struct dirent *e; (e = readdir(all)) != NULL;) {
		int n = e->d_name[0] == 's' ? atoi(e->d_name + 1) : -1;
		if (n < 0)
			continue;
		twice += seen[n] > 0;
		seen[n] = 1;
		if (count++ == 100) {
			/* Odd ones go, new ones come. */
			for (int i = 1; i < MANY; i += 2)
				remove_numbered("s", i, i + 1);
			make_numbered("t", 0, 1000);
		}
	}
	for (int i = 0; i < MANY; i += 2)
		missing += !seen[i];
	tell("seen twice", twice);
	tell("missing", missing);
	rewinddir(all);
	count = 0;
	while (readdir(all) != NULL)
		count++;
	tell("entries after that", count);
	closedir(all);
	remove_numbered("t", 0, 1000);
	remove_numbered("s", 0, MANY);
	say("chdir", chdir(".."));
	say("rmdir", rmdir("many"));
}

static void remove_while_listing(void)
{
	int count = 0, failed = 0;
	mkdir("many", 0700);
	say("chdir", chdir("many"));
	make_numbered("s", 0, MANY);
	DIR *all = open_directory(".");
	for (const struct dirent *e; (e = readdir(all)) != NULL;) {
		if (e->d_name[0] != 's')
			continue;
		count++;
		failed += unlink(e->d_name) != 0;
	}
	closedir(all);
	tell("removed", count);
	tell("failed", failed);
	say("chdir", chdir(".."));
	say("rmdir", rmdir("many"));
}

static void seek_in_listing(void)
{
	char third[256] = "", again[256] = "";
	long place = 0;
	mkdir("some", 0700);
	make_numbered("some/", 0, 10);
	DIR *all = open_directory("some");
	for (int i = 0; i < 3; i++)
		readdir(all);
	place = telldir(all);
	snprintf(third, sizeof(third), "%s", readdir(all)->d_name);
	while (readdir(all) != NULL)
		;
	seekdir(all, place);
	snprintf(again, sizeof(again), "%s", readdir(all)->d_name);
	tell("the same after seekdir", strcmp(third, again) == 0);
	closedir(all);
	remove_numbered("some/", 0, 10);
	rmdir("some");
}

static void deep(void)
{
	int depth = 0, up = 0;
	while (depth < DEPTH && mkdir("down", 0700) == 0 && chdir("down") == 0)
		depth++;
	tell("depth", depth);
	struct stat here, above;
	say("stat", stat(".", &here));
	say("stat", stat("..", &above));
	tell("two directories", here.st_ino != above.st_ino);
	while (up < depth && chdir("..") == 0 && rmdir("down") == 0)
		up++;
	tell("up", up);
}

static void removed(void)
{
	mkdir("gone", 0700);
	int fd = open("gone", O_RDONLY | O_DIRECTORY);
	struct stat st;
	say("rmdir of the open one", rmdir("gone"));
	say("open in it", openat(fd, "x", O_CREAT | O_WRONLY, 0600));
	say("mkdir in it", mkdirat(fd, "x", 0700));
	say("fstat", fstat(fd, &st));
	tell("links", (long)st.st_nlink);
	close(fd);
	mkdir("full", 0700);
	make_numbered("full/", 0, 1);
	say("rmdir of a full one", rmdir("full"));
	remove_numbered("full/", 0, 1);
	say("rmdir", rmdir("full"));
}

void same_directories(void)
{
	struct stat st;
	list_while_changing();
	remove_while_listing();
	seek_in_listing();
	deep();
	removed();
	mkdir("a", 0755);
	mkdir("a/b", 0755);
	mkdir("a/c", 0755);
	say("stat", stat("a", &st));
	tell("links", (long)st.st_nlink);
	rmdir("a/b");
	say("stat", stat("a", &st));
	tell("links", (long)st.st_nlink);
	rmdir("a/c");
	rmdir("a");
}
