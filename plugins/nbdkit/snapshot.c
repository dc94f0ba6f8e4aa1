/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.c - saving and loading, with the disk's size where it is no multiple of the block size. */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/replace.h"
#include "common/saving.h"
#include "common/why.h"

static int say(char *why, size_t why_bytes, const char *what, const char *path)
{
	int saved = errno;
	snprintf(why, why_bytes, "%s %s: %s", what, path, strerror(saved));
	errno = saved;
	return -1;
}

int snapshot_try(const char *path, char *why, size_t why_bytes)
{
	return replace_try(path, why, why_bytes);
}

/* --- the 24 bytes before the stream of a disk that doesn't end with a block --- */

static const char magic[8] = { 'z', 'r', 'a', 'm', 'd', 'i', 's', 'k' };

enum { HEAD_BYTES = 24 };

static void put_u64(uint8_t *to, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(n >> 8 * i);
}

static uint64_t get_u64(const uint8_t *from)
{
	uint64_t n = 0;
	for (int i = 0; i < 8; i++)
		n |= (uint64_t)from[i] << 8 * i;
	return n;
}

static int write_head(int fd, uint64_t size)
{
	uint8_t head[HEAD_BYTES];
	memcpy(head, magic, sizeof(magic));
	put_u64(head + 8, size);
	put_u64(head + 16, ~size);
	ssize_t n = write(fd, head, sizeof(head));
	if (n == (ssize_t)sizeof(head))
		return 0;
	if (n >= 0)
		errno = ENOSPC;
	return -1;
}

/* The size that a head tells, SNAPSHOT_ANY_SIZE where there is none; fd then stands at the stream. -1 with errno. */
static int read_head(int fd, uint64_t *size)
{
	uint8_t head[HEAD_BYTES];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	*size = SNAPSHOT_ANY_SIZE;
	/* What can't be read at a place, a pipe, or is too short: zram_load() says what is wrong with it. */
	if (n < (ssize_t)sizeof(magic) || memcmp(head, magic, sizeof(magic)) != 0)
		return 0;
	*size = get_u64(head + 8);
	if (n == (ssize_t)sizeof(head) && get_u64(head + 16) == ~*size)
		return lseek(fd, HEAD_BYTES, SEEK_SET) < 0 ? -1 : 0;
	errno = EBADMSG;
	return -1;
}

/* --- progress --- */

/* Of each block the stream has what is stored and this much to say what it is. */
enum { RECORD_BYTES = 16 };

void snapshot_progress(const struct disk *d, uint64_t *done, uint64_t *all)
{
	char text[256];
	uint64_t stored = 0, compressed = 0;
	if (zram_attr_get(d->z, "mm_stat", text, sizeof(text)) > 0)
		sscanf(text, "%" SCNu64 " %" SCNu64, &stored, &compressed);
	*all = compressed + stored / zram_block_size(d->z) * RECORD_BYTES;
	*done = saving_done();
	if (*done > *all)
		*all = *done;
}

/* --- save and load --- */

static int write_disk(const struct disk *d, int fd, const char *path, char *why, size_t why_bytes)
{
	const char *reason;
	if (d->size != zram_disksize(d->z) && write_head(fd, d->size) != 0)
		reason = strerror(errno);
	else if (zram_save(d->z, fd) != 0)
		reason = zram_strerror();
	else
		return 0;
	int saved = errno;
	snprintf(why, why_bytes, "can't write %s: %s", path, reason);
	errno = saved;
	return -1;
}

int snapshot_save(const struct disk *d, const char *path, char *why, size_t why_bytes)
{
	struct replacement r;
	int result = -1;
	if (replace_begin(&r, path, why, why_bytes) != 0)
		return -1;
	int saving = saving_begins(r.fd);
	if (write_disk(d, r.fd, path, why, why_bytes) == 0)
		result = replace_commit(&r, why, why_bytes);
	else
		replace_abandon(&r);
	saving_ends(saving);
	return result;
}

/* The device in fd; *size: what a head has said, and then the disk's. NULL with errno and one line in why. */
static struct zram *load_device(int fd, const struct zram_options *options, uint64_t *size, char *why, size_t why_bytes)
{
	struct zram *z = zram_load(fd, options);
	if (z == NULL) {
		snprintf(why, why_bytes, "%s", zram_strerror());
		return NULL;
	}
	uint64_t device = zram_disksize(z);
	if (*size == SNAPSHOT_ANY_SIZE)
		*size = device;
	if (disk_device_bytes(*size, zram_block_size(z)) == device)
		return z;
	zram_destroy(z);
	snprintf(why, why_bytes, "the stream is damaged: a disk of %" PRIu64 " bytes has no device of %" PRIu64, *size,
		 device);
	errno = EBADMSG;
	return NULL;
}

static int load_from(struct disk *d, int fd, const struct zram_options *options, char *why, size_t why_bytes)
{
	uint64_t size;
	if (read_head(fd, &size) != 0) {
		snprintf(why, why_bytes, "the disk's size in it is damaged or cut short");
		return -1;
	}
	struct zram *z = load_device(fd, options, &size, why, why_bytes);
	if (z == NULL)
		return -1;
	if (d->size == SNAPSHOT_ANY_SIZE || d->size == size) {
		*d = (struct disk){ z, size };
		return 0;
	}
	zram_destroy(z);
	snprintf(why, why_bytes, "size=%" PRIu64 " was asked for, the disk in it has %" PRIu64 " bytes", d->size, size);
	errno = EINVAL;
	return -1;
}

int snapshot_load(struct disk *d, const char *path, const struct zram_options *options, char *why, size_t why_bytes)
{
	char reason[WHY_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return say(why, why_bytes, "can't open", path);
	int result = load_from(d, fd, options, reason, sizeof(reason));
	int saved = errno;
	close(fd);
	if (result != 0)
		snprintf(why, why_bytes, "can't load %s: %s", path, reason);
	errno = saved;
	return result;
}
