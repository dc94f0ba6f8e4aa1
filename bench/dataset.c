/* SPDX-License-Identifier: BSD-3-Clause */
/* dataset.c - the file is mapped and its header checked. */
#include "dataset.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

struct dataset dataset_load(const char *path)
{
	struct stat st;
	size_t have = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		fail(errno, "%s", path);
	size_t bytes = (size_t)st.st_size;

	if (bytes < sizeof(struct dataset_header))
		fail(0, "%s: not a data set", path);
	/* Not mapped from the file: whether its pages are resident must not depend on the page cache. */
	uint8_t *text = pages(bytes);

	while (have < bytes && (n = read(fd, text + have, bytes - have)) > 0)
		have += (size_t)n;
	if (have < bytes)
		fail(errno, "%s: can't be read", path);
	close(fd);

	const struct dataset_header *head = (const void *)text;
	size_t want = sizeof(*head) + (size_t)head->sizes * sizeof(uint16_t) + (size_t)head->contents * DATASET_PAGE;

	if (head->magic != DATASET_MAGIC || head->sizes == 0 || head->contents == 0 || bytes != want)
		fail(0, "%s: not a data set of this version", path);
	struct dataset d = { .sizes = head->sizes, .contents = head->contents, .size = (const void *)(head + 1) };

	d.content = (const uint8_t *)(d.size + d.sizes);
	for (uint32_t i = 0; i < d.sizes; i++)
		if (d.size[i] == 0 || d.size[i] > DATASET_PAGE)
			fail(0, "%s: size %u is not that of a page", path, d.size[i]);
	return d;
}
