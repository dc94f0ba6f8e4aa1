/* SPDX-License-Identifier: BSD-3-Clause */
/* psi.c - triggers of the kernel's pressure files, in a descriptor table of their thread's own. */
#include "base/psi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/assert.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1u << 1) /* Linux 5.9 */
#endif

/* Where pressure files are: from <linux/magic.h>. */
#define MAGIC_PROC 0x9fa0
#define MAGIC_CGROUP 0x27e0eb
#define MAGIC_CGROUP2 0x63677270

/* Without CAP_SYS_RESOURCE the kernel takes only windows of whole multiples of this (Linux 6.4; before that none). */
#define UNPRIVILEGED_WINDOW_US 2000000u

/* Ignored by default and sent by nobody to a process of ours but for sockets that asked for it. */
#define WAKE_SIGNAL SIGURG

/* A failed assertion of ours, or a sanitizer, has something to say on standard error. */
#define FIRST_CLOSED (ZSI_ASSERT_LEVEL > 0 ? 3u : 0u)

/*
 * System calls of our own, not the C library's: ThreadSanitizer takes descriptors for the process's, so to it a number
 * of this thread's and the same one of the program's would be one file.
 */
static int raw_open(const char *path)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
}

static void raw_close(int fd)
{
	(void)syscall(SYS_close, fd);
}

static int raw_signalfd(uint64_t signals)
{
	return (int)syscall(SYS_signalfd4, -1, &signals, sizeof(signals), SFD_NONBLOCK | SFD_CLOEXEC);
}

static int own_descriptors(void)
{
#ifdef SYS_close_range
	return (int)syscall(SYS_close_range, FIRST_CLOSED, ~0u, CLOSE_RANGE_UNSHARE);
#else
	errno = ENOSYS;
	return -1;
#endif
}

/* Whether it is safe to write to: a file of somebody's that was named by mistake would be damaged. */
static int check_pressure_file(int fd)
{
	static const char first[] = "some avg10=";
	char head[sizeof(first) - 1];
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0)
		return -1;
	if ((fs.f_type == MAGIC_PROC || fs.f_type == MAGIC_CGROUP2 || fs.f_type == MAGIC_CGROUP) &&
	    syscall(SYS_read, fd, head, sizeof(head)) == (long)sizeof(head) && memcmp(head, first, sizeof(head)) == 0)
		return 0;
	errno = ENOTSUP;
	return -1;
}

/* A descriptor with a trigger, or -1 with errno. The kernel takes one trigger a descriptor. */
static int arm(const char *path, unsigned stall_us, unsigned window_us)
{
	char line[32];
	int length = snprintf(line, sizeof(line), "some %u %u", stall_us, window_us);
	int fd = raw_open(path);

	if (fd < 0)
		return -1;
	/* With the terminating 0, which the kernel puts in place of the last byte. */
	if (check_pressure_file(fd) == 0 && syscall(SYS_write, fd, line, length + 1) == length + 1)
		return fd;
	int error = errno;

	raw_close(fd);
	errno = error;
	return -1;
}

static int psi_open(struct zsi_psi_watch *watch, const char *path, unsigned stall_us, unsigned window_us)
{
	unsigned over = window_us % UNPRIVILEGED_WINDOW_US;

	if (own_descriptors() != 0)
		return -1;
	watch->wake = raw_signalfd((uint64_t)1 << (WAKE_SIGNAL - 1));
	if (watch->wake < 0)
		return -1;
	watch->trigger = arm(path, stall_us, window_us);
	if (watch->trigger < 0 && over != 0 && (errno == EINVAL || errno == EPERM)) {
		unsigned allowed = window_us - over + UNPRIVILEGED_WINDOW_US;

		watch->trigger = arm(path, (unsigned)((uint64_t)stall_us * allowed / window_us), allowed);
	}
	return watch->trigger < 0 ? -1 : 0;
}

static enum zsi_psi_event psi_wait(struct zsi_psi_watch *watch)
{
	struct pollfd fds[] = {
		{ .fd = watch->trigger, .events = POLLPRI },
		{ .fd = watch->wake, .events = POLLIN },
	};

	if (poll(fds, 2, -1) < 0)
		return errno == EINTR ? ZSI_PSI_WOKEN : ZSI_PSI_BROKEN;
	if (((fds[0].revents | fds[1].revents) & (POLLERR | POLLNVAL | POLLHUP)) != 0)
		return ZSI_PSI_BROKEN;
	return (fds[0].revents & POLLPRI) != 0 ? ZSI_PSI_PRESSURE : ZSI_PSI_WOKEN;
}

static void psi_wake(pthread_t thread)
{
	/* Left pending where the thread sleeps no more, and gone with it. */
	(void)pthread_kill(thread, WAKE_SIGNAL);
}

const struct zsi_psi_ops zsi_psi_real = { .open = psi_open, .wait = psi_wait, .wake = psi_wake };

struct zsi_psi_ops zsi_psi = { .open = psi_open, .wait = psi_wait, .wake = psi_wake };
