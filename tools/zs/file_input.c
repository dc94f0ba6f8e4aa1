/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file_input.c - files, block devices, named pipes and standard input as pages.
 *
 * What can be read again is opened by its name when it is needed. What comes only once, a pipe, is copied to memory
 * first, so that it too can be compared with what was stored.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "message.h"
#include "pages.h"
#include "paste.h"
#include "units.h"

#define STDIN_NAME "standard input"

/*
 * Whether so many pages can be kept track of: sparse files and some of /proc are larger than any memory, and finding
 * that out by running out of it would take the rest down too.
 */
static bool fits(uint64_t pages)
{
	uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	return pages < ram / PAGE_RECORD_BYTES;
}

/* One more file of a kind that is told in one line. Without memory for its name that has the number alone. */
static void count_file(uint64_t *files, char **first, const char *name)
{
	if ((*files)++ == 0)
		*first = strdup(name);
}

/* The pages of offset..end. fd becomes the set's. */
static bool add_span(struct page_set *set, const char *name, int fd, off_t offset, off_t end)
{
	uint64_t bytes = end > offset ? (uint64_t)(end - offset) : 0;
	uint64_t rest = bytes % set->page_size;
	bool too_large = !fits(set->pages + bytes / set->page_size);
	if (too_large)
		message_problem(name, "is too large: not even a list of its pages (%s) fits into memory",
				format_bytes(bytes).s);
	else if (bytes == 0)
		count_file(&set->empty_files, &set->first_empty, name);
	else if (rest)
		count_file(&set->part_files, &set->first_part, name);
	if (set->parts == PARTS_LEFT_OUT)
		bytes -= rest;
	if (bytes == 0 || too_large) {
		if (fd > STDIN_FILENO)
			close(fd);
		return true;
	}
	return page_set_add_input(set, INPUT_FILE, name, fd) && page_set_add_range(set, (uint64_t)offset, bytes);
}

/* Copy all of a pipe to memory. Bytes, or -1 with errno. */
static off_t copy_stream(int from, int to)
{
	enum { BUFFER_BYTES = 262144 };
	char *buffer = malloc(BUFFER_BYTES);
	off_t total = 0;
	if (!buffer)
		return -1;
	while (total >= 0 && !interrupted()) {
		ssize_t n = read(from, buffer, BUFFER_BYTES);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		for (ssize_t done = 0, wrote; n > 0 && done < n; done += wrote) {
			wrote = write(to, buffer + done, (size_t)(n - done));
			if (wrote < 0) {
				n = -1;
				break;
			}
		}
		total = n < 0 ? -1 : total + n;
	}
	int error = errno;
	free(buffer);
	errno = error;
	return total;
}

static bool add_stream(struct page_set *set, const char *name, int from)
{
	int fd = memfd_create("zs-input", MFD_CLOEXEC);
	off_t bytes = fd < 0 ? -1 : copy_stream(from, fd);
	if (bytes >= 0)
		return add_span(set, name, fd, 0, bytes);
	message_problem(name, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return true;
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
		return add_stream(set, name, fd);
	} else if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) {
		/* Standard input may have been read in part by whoever had it before. */
		off_t start = lseek(fd, 0, SEEK_CUR);
		off_t end = lseek(fd, 0, SEEK_END);
		if (start < 0 || end < 0)
			message_problem(name, "%s", strerror(errno));
		else
			return add_span(set, name, keep ? fd : -1, start, end);
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
