/* SPDX-License-Identifier: BSD-3-Clause */
/* common.c - failing with a line, numbers of the command line, memory past malloc(). */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void fail(int errno_value, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (errno_value != 0)
		fprintf(stderr, ": %s", strerror(errno_value));
	fputc('\n', stderr);
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void *pages(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		fail(errno, "%zu bytes of memory", bytes);
	return p;
}

void release_pages(void *memory, size_t bytes)
{
	if (munmap(memory, bytes) != 0)
		fail(errno, "munmap");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *value, size_t count)
{
	qsort(value, count, sizeof(*value), compare);
	return value[count / 2];
}

uint64_t number(const char *option, const char *text, uint64_t low, uint64_t high)
{
	char *end;

	errno = 0;
	uint64_t value = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low || value > high)
		fail(0, "%s: a number from %" PRIu64 " to %" PRIu64 " is needed, not '%s'", option, low, high, text);
	return value;
}

/*
 * smaps_rollup walks the page tables. The counters in statm and status are kept per processor and are off by up to a
 * few hundred kilobytes, which is more than what is looked for.
 */
uint64_t rss_bytes(void)
{
	char text[2048];
	size_t have = 0;
	ssize_t n = 0;
	int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail(errno, "/proc/self/smaps_rollup");
	while (have < sizeof(text) - 1 && (n = read(fd, text + have, sizeof(text) - 1 - have)) > 0)
		have += (size_t)n;
	close(fd);
	text[have] = '\0';

	const char *line = strstr(text, "\nRss:");

	if (n < 0 || line == NULL)
		fail(n < 0 ? errno : 0, "/proc/self/smaps_rollup: no Rss");
	return strtoull(line + strlen("\nRss:"), NULL, 10) * 1024;
}

/*
 * One line of /proc/self/maps: if it is a mapping of a file that can be read, read a byte of each page. Through
 * /proc/self/mem: that makes pages resident like any access, but where there is nothing it is an error and no signal.
 */
static void touch_mapping(int mem, const char *line)
{
	uint64_t start;
	uint64_t end;
	uint64_t inode;
	char mode[5];
	char byte;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64, &start, &end, mode, &inode) != 4 ||
	    inode == 0 || mode[0] != 'r')
		return;
	for (uint64_t address = start; address < end; address += 4096)
		if (pread(mem, &byte, 1, (off_t)address) < 0)
			return;
}

void touch_program(void)
{
	static char text[65536];
	size_t have = 0;
	ssize_t n;
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || mem < 0)
		fail(errno, "/proc/self/maps, /proc/self/mem");
	while (have < sizeof(text) - 1 && (n = read(fd, text + have, sizeof(text) - 1 - have)) > 0)
		have += (size_t)n;
	close(fd);
	text[have] = '\0';
	for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		touch_mapping(mem, line);
	}
	close(mem);
}
