/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hold_memory READY KIND COUNT [KIND COUNT]... - a process with known memory.
 *
 * Maps COUNT pages of 4096 bytes for each KIND (pages.h), and besides
 *   - as many more that it never touches, which have no memory behind them,
 *   - a private mapping of its own program file that it may write and does not,
 *   - a shared mapping that it fills with random bytes,
 * none of which are its own memory; then makes the file READY and waits to be killed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pages.h"

enum { PAGE_BYTES = 4096, OTHER_PAGES = 256 };

static char *map(size_t pages, int flags, int fd)
{
	char *start = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (start == MAP_FAILED) {
		perror("hold_memory: mmap");
		exit(2);
	}
	/* A huge page would bring pages in that were never touched. */
	madvise(start, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
	return start;
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc % 2 != 0)
		return 2;
	for (int i = 2; i < argc; i += 2) {
		size_t count = strtoul(argv[i + 1], NULL, 10);
		char *start = map(2 * count, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		if (fill_pages(argv[i], start, PAGE_BYTES, count) != 0)
			return 2;
	}
	int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	volatile char *file = map(1, MAP_PRIVATE, program);
	char *shared = map(OTHER_PAGES, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (file[0] != 0x7f || fill_pages("random", shared, PAGE_BYTES, OTHER_PAGES) != 0)
		return 2;
	if (open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0)
		return 2;
	for (;;)
		pause();
}
