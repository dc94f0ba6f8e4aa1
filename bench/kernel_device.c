/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel_device.c - the device is locked, set up, read and written past the page cache, and reset. */
#include "kernel_device.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common.h"

#define DEVICE "/dev/zram0"
#define SYS "/sys/block/zram0/"
#define LOCK_FILE "/run/lock/zsmalloc-test-zram0.lock"
#define PAGE 4096

static int device = -1, lock_file = -1;

static bool set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(value);
	bool ok = fd >= 0 && write(fd, value, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool get(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void give_back(void)
{
	close(device);
	/* What the file says of a device that is reset is of no use to anybody; nor is there anything to do about it. */
	if (set(SYS "reset", "1") && ftruncate(lock_file, 0) != 0)
		return;
}

const char *kernel_device_open(uint64_t bytes, const char *algorithm)
{
	char text[256];

	if (access(DEVICE, R_OK | W_OK) != 0)
		return "there is no " DEVICE " that may be used";
	lock_file = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock_file < 0 || flock(lock_file, LOCK_EX | LOCK_NB) != 0)
		return DEVICE " is in use by a test";
	if (!get(SYS "initstate", text, sizeof(text)) || text[0] != '0')
		return DEVICE " is in use";
	if (!get(SYS "comp_algorithm", text, sizeof(text)) || strstr(text, algorithm) == NULL)
		return "this kernel's zram has not the algorithm";
	/* The size in the lock file says that the device is ours, should this program be killed. */
	snprintf(text, sizeof(text), "%" PRIu64, bytes);
	if (pwrite(lock_file, text, strlen(text), 0) != (ssize_t)strlen(text) || !set(SYS "comp_algorithm", algorithm) ||
	    !set(SYS "disksize", text))
		return DEVICE " can't be set up";
	device = open(DEVICE, O_RDWR | O_DIRECT | O_CLOEXEC | O_EXCL);
	if (atexit(give_back) != 0 || device < 0) {
		give_back();
		return DEVICE " can't be opened";
	}
	return NULL;
}

void kernel_device_put(size_t index, const void *page)
{
	if (pwrite(device, page, PAGE, (off_t)(index * PAGE)) != PAGE)
		fail(errno, DEVICE);
}

void kernel_device_get(size_t index, void *page)
{
	if (pread(device, page, PAGE, (off_t)(index * PAGE)) != PAGE)
		fail(errno, DEVICE);
}

uint64_t kernel_device_memory(void)
{
	char text[256], *at = text;
	uint64_t value = 0;

	if (!get(SYS "mm_stat", text, sizeof(text)))
		fail(errno, SYS "mm_stat");
	for (unsigned i = 0; i < 3; i++)
		value = strtoull(at, &at, 10);
	return value;
}
