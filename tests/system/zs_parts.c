/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * zs_parts - parts of zs that its commands share, one by one.
 *
 *   zs_parts word TEXT...   each as a word of the shell, a line
 *   zs_parts path TEXT...   the same made absolute
 *   zs_parts replace FILE   by standard input, at most 1 MiB; exit status 1 where that can't be
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_replace.h"
#include "paste.h"

static int replace(const char *path)
{
	static char bytes[1 << 20];
	size_t count = fread(bytes, 1, sizeof(bytes), stdin);
	if (file_replace(path, bytes, count))
		return 0;
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "replace") == 0)
		return replace(argv[2]);
	for (int i = 2; i < argc; i++) {
		char *word = strcmp(argv[1], "word") == 0 ? shell_word(argv[i]) : shell_path(argv[i]);
		if (!word)
			return 1;
		puts(word);
		free(word);
	}
	return 0;
}
