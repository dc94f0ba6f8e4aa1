/* SPDX-License-Identifier: BSD-3-Clause */
/* backing.c - the file is opened and locked here, its units are found, marked, read and written. */
#include "device/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/lock.h"
#include "device/device.h"
#include "device/error.h"
#include "device/layout.h"
#include "device/memory.h"

struct zsi_backing_io zsi_backing_io = { .read = pread, .write = pwrite, .sync = fdatasync };

/* The kernel's. */
#define DEFAULT_BATCH_SIZE 32u

/* --- opening --- */

void zsi_backing_defaults_locked(struct zram *z)
{
	z->backing.raw = false;
	atomic_store_explicit(&z->backing.batch_size, DEFAULT_BATCH_SIZE, memory_order_relaxed);
}

static int check_file(struct zram *z, int fd, const char *path, uint64_t *units)
{
	struct stat st;
	off_t size;

	if (fstat(fd, &st) != 0)
		return zsi_fail(errno, "%s: backing_dev %s: %s", z->name, path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return zsi_fail(EINVAL, "%s: backing_dev %s is neither a file nor a block device", z->name, path);
	/* Of a block device stat() does not know the size. */
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return zsi_fail(errno, "%s: backing_dev %s: %s", z->name, path, strerror(errno));
	if ((uint64_t)size < z->block_size)
		return zsi_fail(EINVAL, "%s: backing_dev %s has %lld bytes, and a block has %zu", z->name, path,
				(long long)size, z->block_size);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return zsi_fail(EBUSY, "%s: backing_dev %s is in use by another device", z->name, path);
	*units = (uint64_t)size >> ZSI_BACKING_UNIT_SHIFT;
	return 0;
}

static int adopt(struct zram *z, int fd, const char *path, uint64_t units)
{
	struct zsi_backing *b = &z->backing;
	uint64_t bytes = zsi_div_up(units, 64) * sizeof(uint64_t);

	if (zsi_memory_charge(z, bytes) != 0)
		return zsi_fail(ENOMEM, "%s: no memory for the map of backing_dev %s", z->name, path);
	b->map = calloc(1, bytes);
	b->path = strdup(path);
	if (b->map == NULL || b->path == NULL) {
		free(b->map);
		free(b->path);
		b->map = NULL;
		b->path = NULL;
		zsi_memory_uncharge(z, bytes);
		return zsi_fail(ENOMEM, "%s: no memory for the map of backing_dev %s", z->name, path);
	}
	b->fd = fd;
	b->nr_units = units;
	b->bytes = bytes;
	return 0;
}

/* Whether it is the file that the device has already, which is locked: by this device. */
static bool is_open(const struct zsi_backing *b, int fd)
{
	struct stat mine, other;

	return b->fd >= 0 && fstat(b->fd, &mine) == 0 && fstat(fd, &other) == 0 && mine.st_dev == other.st_dev &&
	       mine.st_ino == other.st_ino;
}

int zsi_backing_open_locked(struct zram *z, const char *path)
{
	uint64_t units = 0;
	int fd, error;

	if (path[0] == '\0' || strcmp(path, "none") == 0) {
		zsi_backing_close(z);
		return 0;
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return zsi_fail(errno, "%s: backing_dev %s: %s", z->name, path, strerror(errno));
	if (is_open(&z->backing, fd)) {
		(void)close(fd);
		return 0;
	}
	if (check_file(z, fd, path, &units) == 0) {
		zsi_backing_close(z);
		if (adopt(z, fd, path, units) == 0)
			return 0;
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

void zsi_backing_close(struct zram *z)
{
	struct zsi_backing *b = &z->backing;

	if (b->fd >= 0)
		(void)close(b->fd);
	free(b->map);
	free(b->path);
	zsi_memory_uncharge(z, b->bytes);
	b->fd = -1;
	b->path = NULL;
	b->bytes = b->nr_units = 0;
	/* Statistics and the limit are read at any time. */
	zsi_lock(&b->lock, ZSI_RANK_MEMORY);
	b->map = NULL;
	b->used = b->cursor = b->limit_units = 0;
	b->limited = false;
	zsi_unlock(&b->lock, ZSI_RANK_MEMORY);
}

void zsi_backing_forget(struct zram *z)
{
	zsi_lock_reset(&z->backing.lock);
	/* The lock is the open file's, which the parent still has. */
	if (z->backing.fd >= 0)
		(void)close(z->backing.fd);
	z->backing.fd = -1;
}

/* --- units --- */

static bool is_used(const struct zsi_backing *b, uint64_t unit)
{
	return zsi_bit_get(b->map, unit);
}

static void mark(struct zsi_backing *b, uint64_t unit, uint64_t units, bool used)
{
	for (uint64_t u = unit; u < unit + units; u++) {
		if (used)
			zsi_bit_set(b->map, u);
		else
			zsi_bit_clear(b->map, u);
	}
	b->used = used ? b->used + units : b->used - units;
}

/* The first run of so many free units in [from, to); UINT64_MAX: none. */
static uint64_t find_run(const struct zsi_backing *b, uint64_t from, uint64_t to, uint64_t units)
{
	uint64_t run = 0;

	for (uint64_t u = from; u < to;) {
		if (run == 0 && u % 64 == 0 && b->map[u / 64] == UINT64_MAX) {
			u += 64;
			continue;
		}
		run = is_used(b, u) ? 0 : run + 1;
		u++;
		if (run == units)
			return u - units;
	}
	return UINT64_MAX;
}

uint64_t zsi_backing_alloc(struct zram *z, size_t bytes)
{
	struct zsi_backing *b = &z->backing;
	uint64_t units = zsi_backing_units(bytes), found = UINT64_MAX;

	zsi_lock(&b->lock, ZSI_RANK_MEMORY);
	errno = b->map == NULL ? ENODEV : ENOSPC;
	if (b->limited && b->limit_units < units) {
		errno = EDQUOT;
	} else if (b->nr_units - b->used >= units) {
		found = find_run(b, b->cursor, b->nr_units, units);
		if (found == UINT64_MAX)
			found = find_run(b, 0, b->nr_units, units);
	}
	if (found != UINT64_MAX) {
		mark(b, found, units, true);
		b->cursor = found + units;
		if (b->limited)
			b->limit_units -= units;
	}
	zsi_unlock(&b->lock, ZSI_RANK_MEMORY);
	return found;
}

void zsi_backing_free(struct zram *z, uint64_t unit, size_t bytes)
{
	struct zsi_backing *b = &z->backing;

	zsi_lock(&b->lock, ZSI_RANK_MEMORY);
	mark(b, unit, zsi_backing_units(bytes), false);
	zsi_unlock(&b->lock, ZSI_RANK_MEMORY);
}

void zsi_backing_cancel(struct zram *z, uint64_t unit, size_t bytes)
{
	struct zsi_backing *b = &z->backing;

	zsi_lock(&b->lock, ZSI_RANK_MEMORY);
	mark(b, unit, zsi_backing_units(bytes), false);
	if (b->limited)
		b->limit_units += zsi_backing_units(bytes);
	zsi_unlock(&b->lock, ZSI_RANK_MEMORY);
}

/* --- input and output --- */

int zsi_backing_read(struct zram *z, uint64_t unit, void *buf, size_t bytes)
{
	off_t at = (off_t)(unit << ZSI_BACKING_UNIT_SHIFT);
	uint8_t *to = buf;

	if (z->backing.fd < 0) {
		errno = EIO;
		return -1;
	}
	while (bytes > 0) {
		ssize_t n = zsi_backing_io.read(z->backing.fd, to, bytes, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO; /* somebody has cut the file */
			return -1;
		}
		to += n;
		at += n;
		bytes -= (size_t)n;
	}
	return 0;
}

int zsi_backing_write(struct zram *z, uint64_t unit, const void *buf, size_t bytes)
{
	off_t at = (off_t)(unit << ZSI_BACKING_UNIT_SHIFT);
	const uint8_t *from = buf;

	while (bytes > 0) {
		ssize_t n = zsi_backing_io.write(z->backing.fd, from, bytes, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			return -1;
		}
		from += n;
		at += n;
		bytes -= (size_t)n;
	}
	return 0;
}
