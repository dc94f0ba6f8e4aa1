/* SPDX-License-Identifier: BSD-3-Clause */
/* same_data.c - bytes: written anywhere, appended, mapped, cut and grown; locks. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "same.h"

enum { SIZE = 700000, WRITES = 300 };

static unsigned next_random(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 8;
}

static unsigned long sum_of(const unsigned char *bytes, size_t len)
{
	unsigned long sum = len;
	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + bytes[i];
	return sum;
}

static void tell_content(const char *what, int fd)
{
	struct stat st;
	say("fstat", fstat(fd, &st));
	unsigned char *bytes = malloc((size_t)st.st_size + 1);
	ssize_t n = pread(fd, bytes, (size_t)st.st_size + 1, 0);
	tell(what, (long)st.st_size);
	tell("read", (long)n);
	printf("sum: %lx\n", n < 0 ? 0 : sum_of(bytes, (size_t)n));
	free(bytes);
}

/* Writes of every length at every offset, cuts and growths between them; the same on each run. */
static void scattered(int flags)
{
	unsigned random = 7;
	static char buf[100000];
	int fd = open("f", O_CREAT | O_RDWR | O_TRUNC | flags, 0644);
	for (int i = 0; i < WRITES; i++) {
		unsigned at = next_random(&random) % SIZE, len = next_random(&random) % 9000;
		if (i % 10 == 0)
			len = next_random(&random) % sizeof(buf);
		for (unsigned k = 0; k < len; k++)
			buf[k] = (char)(i % 3 == 0 ? i : (int)next_random(&random));
		if (pwrite(fd, buf, len, at) != (ssize_t)len)
			say("pwrite", -1);
		if (i % 7 == 0 && ftruncate(fd, next_random(&random) % SIZE) != 0)
			say("ftruncate", -1);
		if (i % 50 == 0)
			tell_content("size", fd);
	}
	tell_content("size", fd);
	close(fd);
	unlink("f");
}

static void cut_and_grow(void)
{
	char byte = 'x';
	int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0644);
	static char ones[10000];
	memset(ones, 1, sizeof(ones));
	say("write", write(fd, ones, sizeof(ones)));
	say("cut", ftruncate(fd, 5000));
	say("grow", ftruncate(fd, 20000));
	tell_content("size", fd);
	say("cut to nothing", ftruncate(fd, 0));
	say("grow far", ftruncate(fd, 1l << 40));
	say("pread", pread(fd, &byte, 1, (1l << 40) - 1));
	tell("byte", byte);
	say("pwrite at the end", pwrite(fd, "e", 1, (1l << 40) - 1));
	say("pread", pread(fd, &byte, 1, (1l << 40) - 1));
	tell("byte", byte);
	say("negative", ftruncate(fd, -1));
	close(fd);
	fd = open("f", O_RDONLY);
	say("of a read-only one", ftruncate(fd, 0));
	close(fd);
	say("open with O_TRUNC", open("f", O_WRONLY | O_TRUNC));
	struct stat st;
	say("stat", stat("f", &st));
	tell("size", (long)st.st_size);
	unlink("f");
}

static void append(void)
{
	int a = open("f", O_CREAT | O_WRONLY | O_APPEND, 0644), b = open("f", O_WRONLY | O_APPEND);
	for (int i = 0; i < 50; i++) {
		(void)!write(a, "aaa", 3);
		(void)!write(b, "bb", 2);
	}
	int fd = open("f", O_RDWR);
	tell_content("appended", fd);
	struct iovec v[2] = { { (char[]){ "12" }, 2 }, { (char[]){ "345" }, 3 } };
	say("pwritev", pwritev(fd, v, 2, 10));
	tell_content("vector", fd);
	int to = open("g", O_CREAT | O_RDWR, 0644);
	off_t zero = 0;
	say("sendfile", sendfile(to, fd, &zero, 100));
	tell_content("sent", to);
	say("copy_file_range", copy_file_range(fd, (loff_t[]){ 5 }, to, (loff_t[]){ 200 }, 100, 0));
	tell_content("copied", to);
	close(a);
	close(b);
	close(fd);
	close(to);
	unlink("f");
	unlink("g");
}

static void mapped(void)
{
	int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0644);
	say("ftruncate", ftruncate(fd, 50000));
	char *shared = mmap(NULL, 50000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	tell("mapped", shared != MAP_FAILED);
	memset(shared + 10000, 'm', 20000);
	tell_content("seen by read", fd);
	say("pwrite", pwrite(fd, "written", 7, 100));
	tell("seen in the map", memcmp(shared + 100, "written", 7));
	say("msync", msync(shared, 50000, MS_SYNC));
	char *private = mmap(NULL, 50000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	private[0] = 'p';
	tell("not in the file", shared[0]);
	munmap(private, 50000);
	munmap(shared, 50000);
	close(fd);
	fd = open("f", O_RDWR);
	tell_content("after all", fd);
	close(fd);
	unlink("f");
}

static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(fn());
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int try_locks(void)
{
	struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5 };
	int fd = open("f", O_RDWR);
	int flocked = flock(fd, LOCK_EX | LOCK_NB) != 0;
	int inside = fcntl(fd, F_SETLK, &range) != 0;
	range.l_start = 100;
	int outside = fcntl(fd, F_SETLK, &range) != 0;
	return flocked | inside << 1 | outside << 2;
}

static void locks(void)
{
	struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 20 };
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	say("flock", flock(fd, LOCK_EX));
	say("fcntl", fcntl(fd, F_SETLK, &range));
	tell("refused to another process", in_child(try_locks));
	say("flock", flock(fd, LOCK_UN));
	range.l_type = F_UNLCK;
	say("fcntl", fcntl(fd, F_SETLK, &range));
	tell("refused then", in_child(try_locks));
	close(fd);
	unlink("f");
}

void same_data(void)
{
	scattered(0);
	scattered(O_SYNC);
	cut_and_grow();
	append();
	mapped();
	locks();
}
