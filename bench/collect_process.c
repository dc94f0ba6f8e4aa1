/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * collect_process.c - pages of a process that this one starts for the purpose: what would be swapped out, private
 * writable memory in use. /proc/PID/maps names the mappings, /proc/PID/pagemap the pages in use, and /proc/PID/mem has
 * them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collect.h"

#define READY_MS 60000 /* a process that is not ready by then is left out */

/* Bits of a word of pagemap, from the kernel's Documentation/admin-guide/mm/pagemap.rst. */
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_FILE_OR_SHARED (UINT64_C(1) << 61)

struct helper {
	pid_t pid;
	int input;  /* kept open: the helper waits for its end */
	int output; /* says when the helper is ready */
};

struct addresses {
	uint64_t *at;
	size_t count;
	size_t capacity;
};

static bool start(struct helper *h, const char *command)
{
	int in[2];
	int out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		fail(errno, "pipe");
	h->pid = fork();
	if (h->pid < 0)
		fail(errno, "fork");
	if (h->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	h->input = in[1];
	h->output = out[0];

	struct pollfd ready = { .fd = h->output, .events = POLLIN };
	char line[64];

	return poll(&ready, 1, READY_MS) == 1 && read(h->output, line, sizeof(line)) > 0;
}

static void stop(struct helper *h)
{
	kill(h->pid, SIGKILL);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(h->input);
	close(h->output);
}

/* A file of the process's folder in /proc. */
static int open_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void add_in_use(struct addresses *in_use, int pagemap, uint64_t start_address, uint64_t end)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t word;

	for (uint64_t address = start_address; address < end; address += page) {
		off_t at = (off_t)(address / page * sizeof(word));

		if (pread(pagemap, &word, sizeof(word), at) != (ssize_t)sizeof(word) || (word & PAGEMAP_PRESENT) == 0 ||
		    (word & PAGEMAP_FILE_OR_SHARED) != 0)
			continue;
		for (uint64_t part = address; part < address + page; part += DATASET_PAGE) {
			if (in_use->count == in_use->capacity) {
				in_use->capacity = in_use->capacity == 0 ? 4096 : 2 * in_use->capacity;
				in_use->at = realloc(in_use->at, in_use->capacity * sizeof(*in_use->at));
				if (in_use->at == NULL)
					fail(ENOMEM, "list of pages");
			}
			in_use->at[in_use->count++] = part;
		}
	}
}

static void find_in_use(struct addresses *in_use, pid_t pid)
{
	char line[4352];
	char mode[5];
	uint64_t first;
	uint64_t end;
	int pagemap = open_of(pid, "pagemap");
	int fd = open_of(pid, "maps");
	FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");

	while (pagemap >= 0 && maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &first, &end, mode) == 3 && mode[0] == 'r' &&
		    mode[1] == 'w' && mode[3] == 'p')
			add_in_use(in_use, pagemap, first, end);
	if (maps != NULL)
		fclose(maps);
	if (pagemap >= 0)
		close(pagemap);
}

bool collect_process(struct collection *c, struct source *s, const char *command)
{
	struct addresses in_use = { .at = NULL };
	struct helper h;
	uint8_t page[DATASET_PAGE];

	if (start(&h, command))
		find_in_use(&in_use, h.pid);
	int mem = in_use.count == 0 ? -1 : open_of(h.pid, "mem");

	if (mem >= 0) {
		size_t step = in_use.count / s->quota + 1;
		bool more = true;

		for (size_t i = 0; more && i < in_use.count; i += step)
			if (pread(mem, page, sizeof(page), (off_t)in_use.at[i]) == (ssize_t)sizeof(page))
				more = c->take(c, s, page);
		close(mem);
	}
	stop(&h);
	free(in_use.at);
	if (s->counted + s->same_filled == 0)
		fprintf(stderr, "%s: no page of '%s', left out\n", program_invocation_short_name, command);
	return s->counted + s->same_filled > 0;
}
