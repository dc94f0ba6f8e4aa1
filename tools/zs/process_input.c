/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_input.c - the memory of a live process as pages.
 *
 * Taken is what zram would get if the process were swapped out: pages of private, writable mappings that the process
 * has changed or made, whether in memory or swapped. /proc/PID/maps names the mappings, /proc/PID/pagemap tells which
 * of their pages those are. Pages never touched, and pages of private file mappings that are still the file's, are not
 * in it. Where pagemap can't be read all pages of the mappings are taken and the untouched read as zeros.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "message.h"
#include "pages.h"
#include "units.h"

/* A window on /proc/PID/pagemap: one 64-bit word for each page of the system's. */
struct pagemap {
	int fd; /* -1: not readable */
	uint64_t system_page;
	uint64_t first;       /* number of the page that words[0] is about */
	size_t count;         /* words that are valid */
	uint64_t words[4096]; /* 16 MiB of addresses a read: some programs reserve thousands of GiB */
};

/* Bits of such a word, from the kernel's Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_SWAPPED (UINT64_C(1) << 62)
#define PAGEMAP_FILE_OR_SHARED (UINT64_C(1) << 61)

static bool page_in_use(struct pagemap *map, uint64_t address)
{
	uint64_t number = address / map->system_page;
	if (map->fd < 0)
		return true;
	if (number < map->first || number - map->first >= map->count) {
		ssize_t n = pread(map->fd, map->words, sizeof(map->words), (off_t)(number * sizeof(map->words[0])));
		map->first = number;
		map->count = n > 0 ? (size_t)n / sizeof(map->words[0]) : 0;
		if (map->count == 0)
			return true; /* reading the page itself will tell */
	}
	uint64_t word = map->words[number - map->first];
	return (word & PAGEMAP_SWAPPED) || ((word & PAGEMAP_PRESENT) && !(word & PAGEMAP_FILE_OR_SHARED));
}

/* Whether any page of the system's in start..end is in use: the set's pages may be larger. */
static bool any_in_use(struct pagemap *map, uint64_t start, uint64_t end)
{
	for (uint64_t address = start; address < end; address += map->system_page)
		if (page_in_use(map, address))
			return true;
	return false;
}

/* Add the pages in use of one mapping, runs of adjacent ones as one range each. */
static bool add_mapping(struct page_set *set, struct pagemap *map, uint64_t start, uint64_t end)
{
	uint64_t run = start;
	for (uint64_t address = start, next; address < end && !interrupted(); address = next) {
		next = end - address < set->page_size ? end : address + set->page_size;
		if (any_in_use(map, address, next))
			continue;
		if (!page_set_add_range(set, run, address - run))
			return false;
		run = next;
	}
	return page_set_add_range(set, run, end - run);
}

/* Whether a line of /proc/PID/maps is of a mapping that counts, and its bounds. */
static bool mapping_counts(const char *line, uint64_t *start, uint64_t *end)
{
	char perms[5];
	int name = 0;
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", start, end, perms, &name) != 3 || name == 0)
		return false;
	if (perms[0] != 'r' || perms[1] != 'w' || perms[3] != 'p')
		return false;
	const char *path = line + name;
	/* Reading a device's memory may do things; /dev/zero and /dev/shm are memory under a name. */
	if (strncmp(path, "/dev/", 5) == 0)
		return strncmp(path, "/dev/zero", 9) == 0 || strncmp(path, "/dev/shm/", 9) == 0;
	return strncmp(path, "[vvar", 5) != 0 && strncmp(path, "[vsyscall", 9) != 0 && strncmp(path, "[vdso", 5) != 0;
}

static bool add_mappings(struct page_set *set, struct pagemap *map, FILE *maps)
{
	char *line = NULL;
	size_t room = 0;
	bool added = true;
	uint64_t start, end;
	while (added && !interrupted() && getline(&line, &room, maps) > 0)
		if (mapping_counts(line, &start, &end))
			added = add_mapping(set, map, start, end);
	free(line);
	return added;
}

static void report_refused(const char *name, int error)
{
	if (error == ENOENT || error == ESRCH)
		message_problem(name, "no such process");
	else if (error == EACCES || error == EPERM)
		message_problem(name, "%s (its memory is for its owner and root, if they may trace it)",
				strerror(error));
	else
		message_problem(name, "%s", strerror(error));
}

/* Open one file of /proc/PID. */
static int open_proc(int pid, const char *file)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool page_set_add_process(struct page_set *set, int pid)
{
	char name[32];
	struct pagemap map = { .fd = -1, .system_page = (uint64_t)sysconf(_SC_PAGESIZE) };
	snprintf(name, sizeof(name), "process %d", pid);

	int maps_fd = open_proc(pid, "maps");
	int mem = maps_fd < 0 ? -1 : open_proc(pid, "mem");
	FILE *maps = mem < 0 ? NULL : fdopen(maps_fd, "r");
	if (maps == NULL) {
		report_refused(name, errno);
		if (mem >= 0)
			close(mem);
		if (maps_fd >= 0)
			close(maps_fd);
		return true;
	}
	map.fd = open_proc(pid, "pagemap");
	if (map.fd < 0)
		message("%s: its pagemap can't be read (%s): pages it never touched count too", name, strerror(errno));

	uint64_t pages_before = set->pages;
	bool added = page_set_add_input(set, INPUT_PROCESS, name, mem) != NULL && add_mappings(set, &map, maps);
	if (added && set->pages == pages_before && !interrupted()) {
		message_problem(name, "has no memory of its own: it has ended, or is part of the kernel");
	} else if (added && set->pages > set->most_pages) {
		message_problem(name, "is too large: to keep track of its %s takes %s of memory, which is not there",
				format_plural(set->pages - pages_before, "page", "pages").s,
				format_bytes((set->pages - pages_before) * PAGE_RECORD_BYTES).s);
		page_set_drop_input(set); /* the next one may fit */
	}
	fclose(maps);
	if (map.fd >= 0)
		close(map.fd);
	return added;
}
