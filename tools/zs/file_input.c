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

/* One more file of a kind that is told in one line. Without memory for its name that has the number alone. */
static void count_file(uint64_t *files, char **first, const char *name)
{
	if ((*files)++ == 0)
		*first = strdup(name);
}

bool page_set_add_span(struct page_set *set, const char *name, int fd, uint64_t offset, uint64_t end)
{
	uint64_t bytes = end > offset ? end - offset : 0, rest = bytes % set->page_size;
	uint64_t pages = bytes / set->page_size + (rest != 0);
	bool too_large = pages > set->most_pages;
	set->full |= !too_large && set->pages > set->most_pages - pages;
	if (set->full)
		message_problem(
			name,
			"is left out, and so is what comes after it: to keep track of more than %s takes memory "
			"which is not there",
			format_plural(set->pages, "page", "pages").s);
	else if (too_large)
		message_problem(name,
				"is too large: to keep track of the pages of %s takes %s of memory, which is not there",
				format_bytes(bytes).s, format_bytes(pages * PAGE_RECORD_BYTES).s);
	else if (bytes == 0)
		count_file(&set->empty_files, &set->first_empty, name);
	else if (rest)
		count_file(&set->part_files, &set->first_part, name);
	if (set->parts == PARTS_LEFT_OUT)
		bytes -= rest;
	if (bytes == 0 || too_large || set->full) {
		if (fd > STDIN_FILENO)
			close(fd);
		return true;
	}
	return page_set_add_input(set, INPUT_FILE, name, fd) && page_set_add_range(set, offset, bytes);
}

/* A folder is no input, but what is in it may be: say how. */
static void refuse_folder(const char *name, bool has_name)
{
	char *line_end = NULL;
	size_t len = strlen(name);
	/* A slash more, as a word can't end with a line break where control characters are spelt out. */
	if (len && name[len - 1] == '\n' && asprintf(&line_end, "%s/", name) < 0)
		line_end = NULL;
	char *word = has_name ? shell_path(line_end ? line_end : name) : NULL;
	if (word)
		message_problem(name, "is a directory (try: find %s -type f -print0 | %s --null --files-from -)", word,
				message_command());
	else
		message_problem(name, "is a directory");
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
