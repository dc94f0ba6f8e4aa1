/* SPDX-License-Identifier: BSD-3-Clause */
/* make_pages PAGE_SIZE KIND COUNT [KIND COUNT]... - write pages of known content (pages.h) to standard output. */
#include <stdio.h>
#include <stdlib.h>

#include "pages.h"

int main(int argc, char **argv)
{
	size_t page_size = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	if (page_size == 0 || argc < 4 || argc % 2 != 0) {
		fprintf(stderr, "usage: make_pages PAGE_SIZE KIND COUNT [KIND COUNT]...\n");
		return 2;
	}
	for (int i = 2; i < argc; i += 2) {
		size_t count = strtoul(argv[i + 1], NULL, 10);
		char *pages = malloc(page_size * count);
		if (!pages || fill_pages(argv[i], pages, page_size, count) != 0) {
			fprintf(stderr, "make_pages: '%s %s' can't be made\n", argv[i], argv[i + 1]);
			return 2;
		}
		if (fwrite(pages, page_size, count, stdout) != count)
			return 1;
		free(pages);
	}
	return fflush(stdout) != 0;
}
