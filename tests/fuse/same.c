/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * same.c - same DIRECTORY [bytes]: goes there and does all of it. With "bytes" nothing is said of where holes are, which
 * depends on the size of blocks and on what the kernel has not sent yet.
 */
#define _GNU_SOURCE
#include "same.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool same_bytes_only;

void say(const char *what, long result)
{
	if (result < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, result);
}

void tell(const char *what, long number)
{
	printf("%s: %ld\n", what, number);
}

void tell_text(const char *what, const char *text)
{
	printf("%s: %s\n", what, text);
}

int main(int argc, char **argv)
{
	same_bytes_only = argc == 3 && strcmp(argv[2], "bytes") == 0;
	if (argc < 2 || argc > 2 + same_bytes_only || chdir(argv[1]) != 0) {
		fprintf(stderr, "usage: same DIRECTORY [bytes]\n");
		return 2;
	}
	umask(022);
	same_names();
	same_directories();
	same_data();
	same_ranges();
	same_attributes();
	same_open();
	return fflush(stdout) == 0 ? 0 : 1;
}
