/* SPDX-License-Identifier: BSD-3-Clause */
/* saving.c - a lock on the file that was loaded or written last; and where the writing stands in the one under way. */
#include "common/saving.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int saving_own(const char *path, char *why, size_t why_bytes)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static int owned = -1; /* Guarded by lock */
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		fd = -1;
	}
	/* A file system without locks has no servers that could be told apart. */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		close(fd);
		snprintf(why, why_bytes, "%s: another server has it and will write it at its end", path);
		errno = EBUSY;
		return -1;
	}
	pthread_mutex_lock(&lock);
	if (owned >= 0)
		close(owned);
	owned = fd;
	pthread_mutex_unlock(&lock);
	return 0;
}

static pthread_mutex_t saving_lock = PTHREAD_MUTEX_INITIALIZER;
static int saving_fd = -1; /* Guarded by saving_lock: of the save that began last; -1: it has ended */

/* It stays while the file is synced and closed. */
int saving_begins(int fd)
{
	int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_lock(&saving_lock);
	saving_fd = mine;
	pthread_mutex_unlock(&saving_lock);
	return mine;
}

void saving_ends(int mine)
{
	int saved = errno;
	pthread_mutex_lock(&saving_lock);
	if (saving_fd == mine)
		saving_fd = -1;
	if (mine >= 0)
		close(mine);
	pthread_mutex_unlock(&saving_lock);
	errno = saved;
}

uint64_t saving_done(void)
{
	pthread_mutex_lock(&saving_lock);
	off_t at = saving_fd < 0 ? 0 : lseek(saving_fd, 0, SEEK_CUR);
	pthread_mutex_unlock(&saving_lock);
	return at > 0 ? (uint64_t)at : 0;
}
