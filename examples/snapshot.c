/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshot.c - a program that survives its own end: its pages are in a zram device, which is saved to a file while the
 * program goes on writing, and loaded when it starts again.
 *
 *   snapshot [FILE]     FILE: where to save; without one a temporary file, removed at the end
 *
 * What is saved is the state at the moment of the call, whatever is written meanwhile, compressed as it is in memory.
 * A new file is renamed over the old one only when it is complete and on the disk, so that there is always one that
 * loads.
 *
 * Each page holds the number of its page and of the round that wrote it. A round writes all of them, in order, so that
 * a state that no single moment had would show.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zsmalloc/zram.h>

#define PAGE 4096u
#define PAGES 8192u /* 32 MiB */

static struct zram *device;
static atomic_bool stop;
static atomic_uint rounds;

static void make_page(uint64_t *page, uint64_t number, uint64_t round)
{
	for (unsigned i = 0; i < PAGE / 8; i++)
		page[i] = i % 4 == 0 ? number * 1000003 + i : round;
}

/* Writes all pages, round after round, until it is told to stop. */
static void *writer(void *unused)
{
	uint64_t page[PAGE / 8];

	(void)unused;
	for (unsigned round = 1; !atomic_load(&stop); round++) {
		for (uint64_t n = 0; n < PAGES; n++) {
			make_page(page, n, round);
			if (zram_pwrite(device, page, PAGE, n * PAGE) != 0) {
				fprintf(stderr, "page %" PRIu64 ": %s\n", n, zram_strerror());
				exit(1);
			}
		}
		atomic_store(&rounds, round);
	}
	return NULL;
}

static int save_to(int fd, const char *name)
{
	if (zram_save(device, fd) != 0) {
		fprintf(stderr, "%s: %s\n", name, zram_strerror());
		return -1;
	}
	/* A pipe or a device that can't be synced has nothing to wait for. */
	if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS) {
		perror(name);
		return -1;
	}
	return 0;
}

/* A device or a pipe is no file that another could take the place of: it is written into. */
static int save_into(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), result;

	if (fd < 0) {
		perror(path);
		return -1;
	}
	result = save_to(fd, path);
	if (close(fd) != 0 && result == 0) {
		perror(path);
		result = -1;
	}
	return result;
}

/* To a new file beside the old one, and then in its place. old: NULL where there is none. */
static int save_beside(const char *path, const struct stat *old)
{
	char new[PATH_MAX + 8];
	int fd, result;

	snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		perror(new);
		return -1;
	}
	result = save_to(fd, new);
	/* Its owner, as far as that may be given, and then its mode, from which a change of owner takes bits away. */
	if (result == 0 && old != NULL &&
	    ((fchown(fd, old->st_uid, old->st_gid) != 0 && errno != EPERM) || fchmod(fd, old->st_mode & 07777) != 0)) {
		perror(new);
		result = -1;
	}
	if (close(fd) != 0 || (result == 0 && rename(new, path) != 0)) {
		perror(new);
		result = -1;
	}
	if (result != 0)
		(void)unlink(new);
	return result;
}

/* What the name means stays: behind a symbolic link it is the file that is replaced. */
static int save(const char *path)
{
	char real[PATH_MAX];
	struct stat old, link;

	if (lstat(path, &link) != 0 && errno == ENOENT)
		return save_beside(path, NULL);
	if (stat(path, &old) != 0 || realpath(path, real) == NULL) {
		perror(path);
		return -1;
	}
	return S_ISREG(old.st_mode) ? save_beside(real, &old) : save_into(path);
}

static struct zram *load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct zram *z;

	if (fd < 0) {
		perror(path);
		return NULL;
	}
	z = zram_load(fd, NULL);
	if (z == NULL)
		fprintf(stderr, "%s: %s\n", path, zram_strerror());
	close(fd);
	return z;
}

/* The pages of one moment: the first ones of some round, the others of the round before. */
static bool check(struct zram *z)
{
	uint64_t page[PAGE / 8], expected[PAGE / 8], first = 0, last = 0;

	for (uint64_t n = 0; n < PAGES; n++) {
		if (zram_pread(z, page, PAGE, n * PAGE) != 0) {
			fprintf(stderr, "page %" PRIu64 ": %s\n", n, zram_strerror());
			return false;
		}
		make_page(expected, n, page[1]);
		if (n == 0)
			first = last = page[1];
		if (memcmp(page, expected, PAGE) != 0 || page[1] > last || page[1] + 1 < first) {
			fprintf(stderr, "page %" PRIu64 " is not of the moment that was saved\n", n);
			return false;
		}
		last = page[1];
	}
	printf("all %u pages are there, of round %" PRIu64 " and, from where the writer was, %" PRIu64 "\n", PAGES, first,
	       last);
	return true;
}

static int save_while_writing(const char *path)
{
	pthread_t thread;
	int result;

	if (pthread_create(&thread, NULL, writer, NULL) != 0)
		return -1;
	while (atomic_load(&rounds) == 0)
		usleep(1000);
	result = save(path);
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	printf("saved while the writer went on, to the end of round %u\n", atomic_load(&rounds));
	return result;
}

int main(int argc, char **argv)
{
	struct zram_options options = ZRAM_OPTIONS_INIT;
	char temporary[] = "/tmp/snapshot-XXXXXX";
	const char *path = argc > 1 ? argv[1] : temporary;
	struct zram *loaded = NULL;
	bool ok = false;

	if (argc <= 1) {
		int fd = mkstemp(temporary);

		if (fd < 0) {
			perror(temporary);
			return 1;
		}
		close(fd);
	}
	options.disksize = (uint64_t)PAGES * PAGE;
	device = zram_create("snapshot", &options);
	if (device == NULL)
		fprintf(stderr, "%s\n", zram_strerror());
	else if (save_while_writing(path) == 0)
		loaded = load(path);
	if (loaded != NULL)
		ok = check(loaded);
	zram_destroy(loaded);
	zram_destroy(device);
	if (argc <= 1)
		(void)unlink(temporary);
	return ok ? 0 : 1;
}
