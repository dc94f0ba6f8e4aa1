/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_pages_main.c - the private writable memory of a program as a file, page after page as it lies in its address
 * space.
 *
 *   bench_process_pages COMMAND >FILE
 *
 * COMMAND runs in a shell until it prints a line; see collect.h.
 */
#include <stdio.h>

#include "collect.h"

static bool write_page(struct collection *c, struct source *s, const uint8_t page[DATASET_PAGE])
{
	(void)c;
	s->counted++;
	if (fwrite(page, DATASET_PAGE, 1, stdout) != 1)
		fail(0, "can't write");
	return true;
}

int main(int argc, char **argv)
{
	struct collection c = { .take = write_page };
	struct source s = { .quota = UINT32_MAX };

	if (argc != 2)
		fail(0, "usage: bench_process_pages COMMAND >FILE");
	if (!collect_process(&c, &s, argv[1]) || fflush(stdout) != 0)
		return 1;
	return 0;
}
