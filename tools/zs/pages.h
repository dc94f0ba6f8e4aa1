/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pages.h - the pages that a command works on, wherever they come from.
 *
 *   input   one file, standard input, or one process
 *   range   part of an input that is read as whole pages, one after the other
 *   chunk   a piece of a range, small enough for one buffer; what one thread reads at a time. Chunks are numbered through
 *           all ranges and made when they are asked for, so that a range of any size costs the same
 *   page    page_size bytes; pages are numbered through all chunks
 *
 *   sum over ranges of ceil(bytes / page_size) == pages
 *   sum over ranges of ceil(bytes / chunk_bytes) == chunk_count
 *
 * A set is filled by one thread (file_input.c, process_input.c), then read by many. Adding an input returns false only
 * when there is no memory; an input that can't be used is reported as a problem and left out.
 */
#ifndef ZS_PAGES_H
#define ZS_PAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum input_kind {
	INPUT_FILE,    /* the same bytes come again when it is read again */
	INPUT_PROCESS, /* memory that changes all the time */
};

struct input {
	char *name;
	enum input_kind kind;
	int fd; /* -1: opened by its name each time, so that a great many files can be in one set */
	uint64_t passed_pages; /* of a stream of which a sample is kept: what it had; else 0 */
	/* What the threads that read meet; reported by page_set_report(). */
	atomic_int error;            /* errno of the first read that failed */
	atomic_bool ended;           /* a file that became shorter, a process that is gone */
	atomic_ullong lost_pages;    /* not read the first time */
	atomic_ullong changed_pages; /* other bytes the second time */
};

struct range {
	uint64_t offset, bytes; /* in the file, or addresses */
	uint64_t first_page, first_chunk;
	uint32_t input; /* index */
};

struct chunk {
	uint64_t offset;     /* in the file, or the address */
	uint64_t first_page; /* its number in the set */
	uint32_t input;      /* index */
	uint32_t bytes;      /* read; what is missing to whole pages is zeros */
};

/* What each page of a set takes in the memory of whoever stores it: a record, and an entry of the device's table. */
#define PAGE_RECORD_BYTES 32

/* What becomes of a file's last page that is not whole. Padded is what the kernel has in memory and would store. */
enum part_pages {
	PARTS_PADDED,       /* with zeros, and told */
	PARTS_PADDED_QUIET, /* the same, as it was asked for */
	PARTS_LEFT_OUT,
};

struct page_set {
	size_t page_size;
	size_t chunk_bytes; /* most in one chunk, a multiple of page_size */
	enum part_pages parts;
	/* What is told in one line for all files, since nothing is wrong with them; the names are of the first ones. */
	uint64_t part_files, empty_files;
	char *first_part, *first_empty;
	struct input *inputs;
	size_t input_count, input_room;
	struct range *ranges;
	size_t range_count, range_room;
	uint64_t chunk_count;
	uint64_t pages;
	uint64_t most_pages;   /* an input with which there would be more is refused */
	bool full;             /* that has happened, though the input alone would not be too large: no more are added */
	uint64_t sample_bytes; /* so much of a stream is kept, spread over it; 0: all, as far as memory goes */
	uint64_t cut_streams;  /* that have more than was read */
};

void page_set_init(struct page_set *set, size_t page_size, enum part_pages parts);
void page_set_destroy(struct page_set *set);

/* The chunk of that number, below chunk_count. */
struct chunk page_set_chunk(const struct page_set *set, uint64_t number);

/* Where in which input a page is. */
uint64_t page_set_offset(const struct page_set *set, uint64_t page, const struct input **input);

/* Pages of one chunk, at most chunk_bytes / page_size. */
size_t chunk_pages(const struct page_set *set, const struct chunk *chunk);

/* A new input (name is copied, fd becomes the set's) and a range of it. For the sources of inputs. */
struct input *page_set_add_input(struct page_set *set, enum input_kind kind, const char *name, int fd);
bool page_set_add_range(struct page_set *set, uint64_t offset, uint64_t bytes); /* of the input added last */
void page_set_drop_input(struct page_set *set);                                  /* the one added last */

/* A file, named pipe or block device; "-": standard input. */
bool page_set_add_file(struct page_set *set, const char *path);

/* What fd gives, which comes only once and may never end. */
bool page_set_add_stream(struct page_set *set, const char *name, int fd);

/* The same file that is read again: offset..end of it. fd becomes the set's, and may be -1. */
bool page_set_add_span(struct page_set *set, const char *name, int fd, uint64_t offset, uint64_t end);

/* A directory: all files in it and below, by name, on its file system. Anything else as page_set_add_file() has it. */
bool page_set_add_tree(struct page_set *set, const char *path);

/*
 * The files that a list names, a line each, or each with a null byte behind it; "-": standard input is the list.
 * trees: it may name directories.
 */
bool page_set_add_list(struct page_set *set, const char *path, bool null, bool trees);

/* The memory of a process that is private to it, writable and in use. */
bool page_set_add_process(struct page_set *set, int pid);

/* When all inputs are there: a line each, for all files together, about part pages and empty files. */
void page_set_tell(const struct page_set *set);

/* Part pages that were filled up. */
uint64_t page_set_padded(const struct page_set *set);

/*
 * Read a chunk into buffer (chunk_bytes). good[i] says whether page i of the chunk was read. Any thread.
 */
void page_set_read(struct page_set *set, const struct chunk *chunk, void *buffer, bool *good);

/* Report what the reading threads met as problems. Returns the pages that processes gave back meanwhile. */
uint64_t page_set_report(struct page_set *set);

#endif
