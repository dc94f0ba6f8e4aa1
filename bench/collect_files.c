/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * collect_files.c - pages of files. The names are sorted and then shuffled with the collection's seed, so that the same
 * machine gives the same pages in the same order, from all over the tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect.h"

#define MOST_PAGES_OF_A_FILE 4096u /* 16 MiB */

/* nftw() passes no argument of the caller's on. */
static struct {
	char **path;
	size_t count;
	size_t capacity;
	bool (*match)(const char *name);
} found;

static int add_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	if (type != FTW_F || !S_ISREG(st->st_mode) || st->st_size < (off_t)DATASET_PAGE)
		return 0;
	if (found.match != NULL && !found.match(path + at->base))
		return 0;
	if (found.count == found.capacity) {
		found.capacity = found.capacity == 0 ? 1024 : 2 * found.capacity;
		found.path = realloc(found.path, found.capacity * sizeof(*found.path));
	}
	if (found.path == NULL || (found.path[found.count++] = strdup(path)) == NULL)
		fail(ENOMEM, "list of files");
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void shuffle(struct rng *rng)
{
	for (size_t i = found.count; i > 1; i--) {
		size_t j = rng_below(rng, (uint32_t)i);
		char *path = found.path[i - 1];

		found.path[i - 1] = found.path[j];
		found.path[j] = path;
	}
}

/* False when the source has its quota. A file that can't be read gives nothing. */
static bool collect_file(struct collection *c, struct source *s, const char *path)
{
	uint8_t page[DATASET_PAGE];
	struct stat st;
	bool more = true;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return true;
	if (fstat(fd, &st) == 0) {
		off_t all = st.st_size / (off_t)DATASET_PAGE;
		off_t step = all / (off_t)MOST_PAGES_OF_A_FILE + 1;

		for (off_t i = 0; more && i < all; i += step)
			if (pread(fd, page, sizeof(page), i * (off_t)DATASET_PAGE) == (ssize_t)sizeof(page))
				more = c->take(c, s, page);
	}
	close(fd);
	return more;
}

void collect_files(struct collection *c, struct source *s, const char *root, bool (*match)(const char *name))
{
	bool more = true;

	found.match = match;
	/* What can't be entered is left out; a folder that is missing altogether gives no pages. */
	(void)nftw(root, add_file, 16, FTW_PHYS | FTW_MOUNT);
	if (found.count > 0)
		qsort(found.path, found.count, sizeof(*found.path), by_name);
	shuffle(&c->rng);
	for (size_t i = 0; i < found.count; i++) {
		more = more && collect_file(c, s, found.path[i]);
		free(found.path[i]);
	}
	free(found.path);
	memset(&found, 0, sizeof(found));
}
