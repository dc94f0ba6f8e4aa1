/* SPDX-License-Identifier: BSD-3-Clause */
/* pages.c - inputs and ranges are added here, chunks and pages found in them, and bytes read. */
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "spare_memory.h"
#include "units.h"

void page_set_init(struct page_set *set, size_t page_size, enum part_pages parts)
{
	enum { CHUNK_BYTES = 262144 }; /* four pages of the largest size; stays in a second-level cache */
	memset(set, 0, sizeof(*set));
	set->page_size = page_size;
	set->chunk_bytes = CHUNK_BYTES;
	set->parts = parts;
	set->most_pages = UINT64_MAX;
}

void page_set_destroy(struct page_set *set)
{
	for (size_t i = 0; i < set->input_count; i++) {
		if (set->inputs[i].fd > STDIN_FILENO)
			close(set->inputs[i].fd);
		free(set->inputs[i].name);
	}
	free(set->inputs);
	free(set->ranges);
	free(set->first_part);
	free(set->first_empty);
	memset(set, 0, sizeof(*set));
}

size_t chunk_pages(const struct page_set *set, const struct chunk *chunk)
{
	return (chunk->bytes + set->page_size - 1) / set->page_size;
}

/* Make room for one more element in an array that doubles. */
static bool make_room(void **array, size_t count, size_t *room, size_t element_bytes)
{
	if (count < *room)
		return true;
	size_t wanted = *room ? *room * 2 : 16;
	void *grown = reallocarray(*array, wanted, element_bytes);
	if (grown == NULL)
		return false;
	*array = grown;
	*room = wanted;
	return true;
}

/* Lists of names may be endless too: inputs take no more than a third of the memory that is to be had. */
static bool too_many_inputs(const struct page_set *set)
{
	enum { CHECK_INPUTS = 16384, INPUT_BYTES = 256, INPUTS_PART = 3 };
	return set->input_count && set->input_count % CHECK_INPUTS == 0 &&
	       set->input_count * INPUT_BYTES > spare_memory() / INPUTS_PART;
}

struct input *page_set_add_input(struct page_set *set, enum input_kind kind, const char *name, int fd)
{
	void *array = set->inputs;
	bool room =
		!too_many_inputs(set) && make_room(&array, set->input_count, &set->input_room, sizeof(*set->inputs));
	set->inputs = array;
	char *copy = room ? strdup(name) : NULL;
	if (copy == NULL) {
		if (fd > STDIN_FILENO)
			close(fd);
		return NULL;
	}
	struct input *input = &set->inputs[set->input_count++];
	memset(input, 0, sizeof(*input));
	input->name = copy;
	input->kind = kind;
	input->fd = fd;
	return input;
}

bool page_set_add_range(struct page_set *set, uint64_t offset, uint64_t bytes)
{
	if (bytes == 0)
		return true;
	void *array = set->ranges;
	bool room = make_room(&array, set->range_count, &set->range_room, sizeof(*set->ranges));
	set->ranges = array;
	if (!room)
		return false;
	set->ranges[set->range_count++] = (struct range){
		.offset = offset,
		.bytes = bytes,
		.first_page = set->pages,
		.first_chunk = set->chunk_count,
		.input = (uint32_t)(set->input_count - 1),
	};
	set->pages += bytes / set->page_size + (bytes % set->page_size != 0);
	set->chunk_count += bytes / set->chunk_bytes + (bytes % set->chunk_bytes != 0);
	return true;
}

void page_set_drop_input(struct page_set *set)
{
	struct input *input = &set->inputs[--set->input_count];
	while (set->range_count && set->ranges[set->range_count - 1].input == set->input_count) {
		const struct range *last = &set->ranges[--set->range_count];
		set->pages = last->first_page;
		set->chunk_count = last->first_chunk;
	}
	if (input->fd > STDIN_FILENO)
		close(input->fd);
	free(input->name);
}

/* The last range whose first chunk, or page, is that or one before. */
static const struct range *find_range(const struct page_set *set, uint64_t number, bool chunk)
{
	size_t low = 0, high = set->range_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		const struct range *range = &set->ranges[middle];
		if ((chunk ? range->first_chunk : range->first_page) <= number)
			low = middle;
		else
			high = middle;
	}
	return &set->ranges[low];
}

struct chunk page_set_chunk(const struct page_set *set, uint64_t number)
{
	const struct range *range = find_range(set, number, true);
	uint64_t start = (number - range->first_chunk) * set->chunk_bytes, rest = range->bytes - start;
	return (struct chunk){
		.offset = range->offset + start,
		.first_page = range->first_page + start / set->page_size,
		.input = range->input,
		.bytes = (uint32_t)(rest < set->chunk_bytes ? rest : set->chunk_bytes),
	};
}

uint64_t page_set_offset(const struct page_set *set, uint64_t page, const struct input **input)
{
	const struct range *range = find_range(set, page, false);
	*input = &set->inputs[range->input];
	return range->offset + (page - range->first_page) * set->page_size;
}

static void note_error(struct input *input, int error)
{
	int none = 0;
	atomic_compare_exchange_strong(&input->error, &none, error);
}

/* pread() until all is there or nothing more comes. Bytes read; *error: why it stopped early, 0 at the end. */
static size_t read_fully(int fd, char *to, size_t bytes, uint64_t offset, int *error)
{
	size_t done = 0;
	*error = 0;
	while (done < bytes) {
		ssize_t n = pread(fd, to + done, bytes - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			*error = errno;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

/*
 * Read the memory of a process page by page where it can't be read in one go: parts of it may have been unmapped since
 * it was looked at (EIO), which loses only those. Nothing at all comes once the process is gone.
 */
static void read_process(struct page_set *set, struct input *input, const struct chunk *chunk, char *buffer, bool *good)
{
	size_t pages = chunk_pages(set, chunk);
	int error;
	bool whole = read_fully(input->fd, buffer, chunk->bytes, chunk->offset, &error) == chunk->bytes;
	for (size_t i = 0; i < pages; i++) {
		size_t start = i * set->page_size;
		size_t bytes = chunk->bytes - start < set->page_size ? chunk->bytes - start : set->page_size;
		good[i] = whole || read_fully(input->fd, buffer + start, bytes, chunk->offset + start, &error) == bytes;
		if (good[i])
			continue;
		if (error == 0)
			atomic_store(&input->ended, true);
		else if (error != EIO)
			note_error(input, error);
	}
}

static void read_file(struct page_set *set, struct input *input, const struct chunk *chunk, char *buffer, bool *good)
{
	size_t pages = chunk_pages(set, chunk), done = 0;
	int error = 0;
	int fd = input->fd >= 0 ? input->fd : open(input->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		error = errno;
	} else {
		done = read_fully(fd, buffer, chunk->bytes, chunk->offset, &error);
		if (input->fd < 0)
			close(fd);
	}
	for (size_t i = 0; i < pages; i++)
		good[i] = done == chunk->bytes || (i + 1) * set->page_size <= done;
	if (error)
		note_error(input, error);
	else if (done < chunk->bytes)
		atomic_store(&input->ended, true);
}

void page_set_read(struct page_set *set, const struct chunk *chunk, void *buffer, bool *good)
{
	struct input *input = &set->inputs[chunk->input];
	size_t whole = chunk_pages(set, chunk) * set->page_size;
	memset((char *)buffer + chunk->bytes, 0, whole - chunk->bytes);
	if (input->kind == INPUT_PROCESS)
		read_process(set, input, chunk, buffer, good);
	else
		read_file(set, input, chunk, buffer, good);
}

void page_set_tell(const struct page_set *set)
{
	static const char *const all[] = {
		[PARTS_PADDED] = "last pages are not whole and count as filled with zeros, as the kernel has them "
				 "(--no-pad leaves them out)",
		[PARTS_LEFT_OUT] = "last pages are not whole and left out",
	};
	static const char *const one[] = {
		[PARTS_PADDED] = "the last page is not whole and counts as filled with zeros, as the kernel has it "
				 "(--no-pad leaves it out)",
		[PARTS_LEFT_OUT] = "the last page is not whole and left out",
	};
	if (set->parts == PARTS_PADDED_QUIET || set->part_files == 0)
		;
	else if (set->part_files == 1 && set->first_part != NULL)
		message("%s: %s", set->first_part, one[set->parts]);
	else
		message("%s: %s", format_plural(set->part_files, "file", "files").s, all[set->parts]);
	if (set->empty_files == 1 && set->first_empty != NULL)
		message("%s: is empty", set->first_empty);
	else if (set->empty_files)
		message("%s", format_plural(set->empty_files, "file is empty", "files are empty").s);
}

uint64_t page_set_padded(const struct page_set *set)
{
	return set->parts == PARTS_LEFT_OUT ? 0 : set->part_files;
}

uint64_t page_set_report(struct page_set *set)
{
	uint64_t given_back = 0;
	for (size_t i = 0; i < set->input_count; i++) {
		struct input *input = &set->inputs[i];
		unsigned long long lost = atomic_load(&input->lost_pages), changed = atomic_load(&input->changed_pages);
		int error = atomic_load(&input->error);
		bool process = input->kind == INPUT_PROCESS;
		struct text pages = format_plural(lost, "page is", "pages are");
		if (error && lost)
			message_problem(input->name, "%s; %s left out", strerror(error), pages.s);
		else if (lost && atomic_load(&input->ended))
			message_problem(input->name, "%s while it was read; %s left out",
					process ? "the process ended" : "the file became shorter", pages.s);
		else if (lost)
			given_back += lost;
		else if (changed)
			message_problem(input->name, "%s when it was read again; %s as read the first time",
					error ? strerror(error) : "was not the same",
					format_plural(changed, "page was checked", "pages were checked").s);
	}
	return given_back;
}

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
	return page_set_add_input(set, INPUT_FILE, name, fd) != NULL && page_set_add_range(set, offset, bytes);
}
