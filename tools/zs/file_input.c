/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file_input.c - files, block devices, named pipes and standard input as pages.
 *
 * What can be read again is opened by its name when it is needed. What comes only once is for stream_input.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "message.h"
#include "pages.h"
#include "paste.h"
#include "units.h"

#define STDIN_NAME "standard input"

/* How this program was called, so that a line with it works where it is pasted. free() it; NULL without memory. */
static char *program_word(void)
{
	const char *name = message_program();
	return strchr(name, '/') != NULL ? shell_path(name) : shell_word(name);
}

/* A folder is no input, but what is in it may be: say how. */
static void refuse_folder(const char *name, bool has_name)
{
	char *line_end = NULL;
	size_t len = strlen(name);
	/* A slash more, as a word can't end with a line break where control characters are spelt out. */
	if (len && name[len - 1] == '\n' && asprintf(&line_end, "%s/", name) < 0)
		line_end = NULL;
	char *word = has_name ? shell_path(line_end != NULL ? line_end : name) : NULL;
	char *program = program_word();
	if (word != NULL && program != NULL)
		message_problem(name, "is a directory (try: %s %s -r %s)", program, strrchr(message_command(), ' ') + 1,
				word);
	else
		message_problem(name, "is a directory");
	free(program);
	free(word);
	free(line_end);
}

/* fd is open for reading. Files and block devices are read again later: through fd if keep, else by name. */
static bool add_open(struct page_set *set, const char *name, int fd, bool keep)
{
	struct stat st;
	if (fstat(fd, &st) != 0) {
		message_problem(name, "%s", strerror(errno));
	} else if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || (keep && S_ISCHR(st.st_mode))) {
		return page_set_add_stream(set, name, fd);
	} else if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) {
		/* Standard input may have been read in part by whoever had it before. */
		off_t start = lseek(fd, 0, SEEK_CUR);
		off_t end = lseek(fd, 0, SEEK_END);
		if (start < 0 || end < 0)
			message_problem(name, "%s", strerror(errno));
		else
			return page_set_add_span(set, name, keep ? fd : -1, (uint64_t)start, (uint64_t)end);
	} else if (S_ISDIR(st.st_mode)) {
		refuse_folder(name, !keep);
	} else {
		message_problem(name, "is neither a file nor a block device nor a pipe");
	}
	return true;
}

bool page_set_add_file(struct page_set *set, const char *path)
{
	struct stat st;
	if (strcmp(path, "-") == 0)
		return add_open(set, STDIN_NAME, STDIN_FILENO, true);
	/* Opening some devices has effects of its own (tapes rewind, watchdogs start), so look before. */
	if (stat(path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISSOCK(st.st_mode))) {
		message_problem(path, "is neither a file nor a block device nor a pipe");
		return true;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		if (!interrupted())
			message_problem(path, "%s", strerror(errno));
		return true;
	}
	bool added = add_open(set, path, fd, false);
	close(fd);
	return added;
}
