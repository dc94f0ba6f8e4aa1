/* SPDX-License-Identifier: BSD-3-Clause */
/* kernel_zram.c - see kernel_zram.h. */
#include "kernel_zram.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define DEVICE "/dev/zram0"
#define SYS "/sys/block/zram0/"
#define LOCK_FILE "/run/lock/zsmalloc-test-zram0.lock"
#define LOCK_TRIES 200 /* a tenth of a second each */

static int device = -1;
static int lock_file = -1;
static volatile sig_atomic_t in_use; /* the device has our disksize */

/* Only what may be called in a signal handler. */
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
	if (n < 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

void kernel_zram_close(void)
{
	if (device >= 0)
		close(device);
	device = -1;
	if (in_use && set(SYS "reset", "1") && ftruncate(lock_file, 0) == 0)
		in_use = 0;
	if (lock_file >= 0)
		close(lock_file);
	lock_file = -1;
}

static void on_signal(int number)
{
	kernel_zram_close();
	signal(number, SIG_DFL);
	raise(number);
}

static const char *take_lock(void)
{
	if (access(DEVICE, F_OK) != 0)
		return "there is no " DEVICE;
	if (geteuid() != 0)
		return "only root may use " DEVICE;
	lock_file = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock_file < 0)
		return "the lock file " LOCK_FILE " can't be made";
	for (int tries = 0; flock(lock_file, LOCK_EX | LOCK_NB) != 0; tries++) {
		const struct timespec pause = { 0, 100000000 };

		if (tries == LOCK_TRIES)
			return DEVICE " is in use by another test";
		nanosleep(&pause, NULL);
	}
	/* While the device is ours its size is in the file: what a killed test left behind is ours to reset. */
	char mark[32] = "", disksize[32] = "";

	if (read(lock_file, mark, sizeof(mark) - 1) > 0 && get(SYS "disksize", disksize, sizeof(disksize)) &&
	    strcmp(mark, disksize) == 0)
		(void)set(SYS "reset", "1");
	return ftruncate(lock_file, 0) == 0 ? NULL : "the lock file " LOCK_FILE " can't be written";
}

/* Whether the device's list has it: in brackets if it is the chosen one. */
static bool has_algorithm(const char *list, const char *name)
{
	const size_t len = strlen(name);

	for (const char *at = list; (at = strstr(at, name)) != NULL; at += len)
		if ((at == list || at[-1] == ' ' || at[-1] == '[') && strchr(" ]", at[len]) != NULL)
			return true;
	return false;
}

static const char *check_idle(const char *algorithm)
{
	char text[256];

	if (sysconf(_SC_PAGESIZE) != ZRAM_PAGE)
		return "the kernel's pages are not of 4096 bytes";
	if (!get(SYS "initstate", text, sizeof(text)) || strcmp(text, "0") != 0)
		return DEVICE " is in use: its initstate is not 0";
	if (!get(SYS "disksize", text, sizeof(text)) || strcmp(text, "0") != 0)
		return DEVICE " is in use: its disksize is not 0";
	if (!get(SYS "comp_algorithm", text, sizeof(text)) || !has_algorithm(text, algorithm))
		return "this kernel's zram has not the algorithm";
	return NULL;
}

const char *kernel_zram_open(uint64_t disksize)
{
	return kernel_zram_open_with(disksize, "lz4");
}

const char *kernel_zram_open_with(uint64_t disksize, const char *algorithm)
{
	static bool registered;
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGALRM, SIGPIPE, SIGABRT, SIGSEGV, SIGBUS };
	const char *reason = take_lock();
	char text[32];

	if (reason == NULL)
		reason = check_idle(algorithm);
	if (reason != NULL) {
		kernel_zram_close();
		return reason;
	}
	CHECK(registered || atexit(kernel_zram_close) == 0);
	registered = true;
	check_at_failure(kernel_zram_close);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], on_signal);
	snprintf(text, sizeof(text), "%" PRIu64, disksize);
	in_use = 1;
	CHECK(pwrite(lock_file, text, strlen(text), 0) == (ssize_t)strlen(text));
	if (!set(SYS "comp_algorithm", algorithm) || !set(SYS "disksize", text)) {
		kernel_zram_close();
		return DEVICE " can't be set up";
	}
	device = open(DEVICE, O_RDWR | O_DIRECT | O_CLOEXEC | O_EXCL);
	if (device < 0) {
		kernel_zram_close();
		return DEVICE " can't be opened";
	}
	return NULL;
}

void kernel_zram_write_range(size_t index, const void *pages, size_t count)
{
	ssize_t bytes = (ssize_t)(count * ZRAM_PAGE);

	CHECK(pwrite(device, pages, (size_t)bytes, (off_t)(index * ZRAM_PAGE)) == bytes);
}

void kernel_zram_write(size_t index, const void *page)
{
	CHECK(pwrite(device, page, ZRAM_PAGE, (off_t)(index * ZRAM_PAGE)) == ZRAM_PAGE);
}

void kernel_zram_read(size_t index, void *page)
{
	CHECK(pread(device, page, ZRAM_PAGE, (off_t)(index * ZRAM_PAGE)) == ZRAM_PAGE);
}

void kernel_zram_discard(size_t index, size_t pages)
{
	uint64_t range[2] = { index * ZRAM_PAGE, pages * ZRAM_PAGE };

	CHECK(ioctl(device, BLKDISCARD, range) == 0);
}

void kernel_zram_zero(size_t index, size_t pages)
{
	uint64_t range[2] = { index * ZRAM_PAGE, pages * ZRAM_PAGE };

	CHECK(ioctl(device, BLKZEROOUT, range) == 0);
}

void kernel_zram_attr(const char *name, char *text, size_t size)
{
	char path[64];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), SYS "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK_MSG(fd >= 0, "%s", path);
	n = read(fd, text, size - 1);
	close(fd);
	CHECK_MSG(n >= 0, "%s", path);
	text[n] = '\0';
}

void kernel_zram_set(const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), SYS "%s", name);
	CHECK_MSG(set(path, value), "%s = %s", path, value);
}

void kernel_zram_compact(void)
{
	CHECK(set(SYS "compact", "1"));
}

struct zram_numbers kernel_zram_numbers(void)
{
	char text[512];
	uint64_t n[9] = { 0 };
	const char *at = text;
	int count = 0;

	CHECK(get(SYS "mm_stat", text, sizeof(text)));
	while (count < 9) {
		char *end;
		uint64_t value = strtoull(at, &end, 10);

		if (end == at)
			break;
		n[count++] = value;
		at = end;
	}
	/* orig_data_size compr_data_size mem_used_total mem_limit mem_used_max same_pages pages_compacted huge... */
	CHECK_MSG(count >= 8, "mm_stat: %s", text);
	return (struct zram_numbers){ .compr_data_size = n[1],
				      .mem_used_total = n[2],
				      .same_pages = n[5],
				      .pages_compacted = n[6],
				      .huge_pages = n[7],
				      .huge_pages_since = count >= 9 ? n[8] : UINT64_MAX };
}
