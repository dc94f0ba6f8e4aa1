/* SPDX-License-Identifier: BSD-3-Clause */
/* replay_main.c - where there is no libFuzzer: run the target once on each file named, and each file of a folder. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t runs;

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;

	CHECK_MSG(file != NULL && fstat(fileno(file), &st) == 0, "%s", path);
	/* Exactly as long as the file, so that a read past its end is seen. */
	uint8_t *data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);

	CHECK(data != NULL && fread(data, 1, (size_t)st.st_size, file) == (size_t)st.st_size);
	CHECK(fclose(file) == 0);
	check_context("replay of %s", path);
	(void)LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
	runs++;
}

static void run_path(const char *path)
{
	struct dirent **entries;
	struct stat st;

	CHECK_MSG(stat(path, &st) == 0, "%s", path);
	if (!S_ISDIR(st.st_mode)) {
		run_file(path);
		return;
	}
	int n = scandir(path, &entries, NULL, alphasort);

	CHECK(n >= 0);
	for (int i = 0; i < n; i++) {
		char file[4096];

		if (entries[i]->d_name[0] != '.') {
			CHECK((size_t)snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name) < sizeof(file));
			run_file(file);
		}
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	check_install();
	for (int i = 1; i < argc; i++)
		run_path(argv[i]);
	CHECK_MSG(runs > 0, "nothing to replay");
	printf("%zu inputs\n", runs);
	return 0;
}
