/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_sample.c - a disk's JSON is asked for and taken apart into numbers. */
#include "disk_sample.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "units.h"

static const char *const metric_names[METRIC_COUNT] = {
	[METRIC_READS] = "zram_block_reads_total",
	[METRIC_WRITES] = "zram_block_writes_total",
	[METRIC_DISCARDS] = "zram_notify_free_total",
	[METRIC_MEMORY] = "zram_memory_bytes",
	[METRIC_MEMORY_MAX] = "zram_memory_max_bytes",
	[METRIC_REQUESTED] = "zsmalloc_requested_bytes",
	[METRIC_METADATA] = "zram_metadata_bytes",
	[METRIC_PAGES] = "zsmalloc_pages",
	[METRIC_FREEABLE] = "zsmalloc_freeable_pages",
	[METRIC_COMPACTED] = "zsmalloc_pages_compacted_total",
	[METRIC_MOVED] = "zsmalloc_objects_moved_total",
	[METRIC_FILES] = "zs_mount_files",
	[METRIC_DIRECTORIES] = "zs_mount_directories",
	[METRIC_LINKS] = "zs_mount_symlinks",
	[METRIC_OTHERS] = "zs_mount_special_files",
	[METRIC_FILE_BYTES] = "zs_mount_file_bytes",
	[METRIC_NAMES_BYTES] = "zs_mount_names_bytes",
};

static bool ask(struct control_client *c, const char *word, const char *rest)
{
	enum control_result result = control_ask(c, word, rest);
	if (result == CONTROL_REFUSED)
		message("%s %s: %s", word, rest, c->body);
	return result == CONTROL_DONE;
}

/* Up to count numbers with blanks between them. */
static size_t read_numbers(const char *text, uint64_t *numbers, size_t count)
{
	size_t n = 0;
	for (char *end; n < count; n++, text = end) {
		uint64_t value = strtoull(text, &end, 10);
		if (end == text)
			break;
		numbers[n] = value;
	}
	return n;
}

/* Lines "NAME{LABELS} VALUE"; the value of a name without or with any labels, the first one where there are more. */
static void read_metrics(char *text, struct disk_sample *s)
{
	bool seen[METRIC_COUNT] = { false };
	char *next;
	for (char *line = strtok_r(text, "\n", &next); line != NULL; line = strtok_r(NULL, "\n", &next)) {
		size_t name = strcspn(line, "{ ");
		const char *value = strrchr(line, ' ');
		for (size_t i = 0; value != NULL && i < METRIC_COUNT; i++) {
			if (seen[i] || strlen(metric_names[i]) != name || strncmp(line, metric_names[i], name) != 0)
				continue;
			s->metric[i] = strtoull(value, NULL, 10);
			seen[i] = true;
		}
	}
	s->directory = seen[METRIC_FILES];
}

/*
 * The kernel's table: index, size, twelve groups of zspages or fewer, then slots, objects, pages, pages of a zspage and
 * freeable pages, which are the last five. Its last class is that of whole pages.
 */
static void read_classes(char *text, struct disk_sample *s)
{
	enum { COLUMNS = 32, LAST = 5, LEAST = 2 + LAST };
	uint64_t n[COLUMNS];
	char *next;
	s->class_count = 0;
	for (char *line = strtok_r(text, "\n", &next); line != NULL; line = strtok_r(NULL, "\n", &next)) {
		size_t columns = read_numbers(line, n, COLUMNS);
		if (columns < LEAST)
			continue;
		const uint64_t *last = n + columns - LAST;
		s->page_size = n[1];
		if (last[2] == 0 || s->class_count == CLASSES_MAX)
			continue;
		s->classes[s->class_count++] = (struct class_sample){
			.size = n[1], .objects = last[1], .pages = last[2], .freeable = last[4]
		};
	}
}

/* "some avg10=0.12 avg60=..." in the kernel's pressure file, which not every kernel has. */
static double memory_pressure(void)
{
	double share = -1;
	FILE *file = fopen("/proc/pressure/memory", "re");
	if (file == NULL)
		return -1;
	if (fscanf(file, "some avg10=%lf", &share) != 1)
		share = -1;
	fclose(file);
	return share;
}

bool disk_sample_take(struct control_client *c, struct disk_sample *s)
{
	memset(s, 0, sizeof(*s));
	if (!ask(c, "get", "disksize"))
		return false;
	read_numbers(c->body, &s->disksize, 1);
	if (!ask(c, "get", "comp_algorithm"))
		return false;
	snprintf(s->algorithms, sizeof(s->algorithms), "%.*s", (int)strcspn(c->body, "\n"), c->body);
	if (!ask(c, "get", "mm_stat"))
		return false;
	if (read_numbers(c->body, s->mm, MM_STAT_FIELDS) != MM_STAT_FIELDS) {
		message("%s: mm_stat is not as expected", c->path);
		return false;
	}
	if (!ask(c, "stats", "classes"))
		return false;
	read_classes(c->body, s);
	if (!ask(c, "stats", "prometheus"))
		return false;
	read_metrics(c->body, s);
	s->pressure = memory_pressure();
	s->taken_ns = now_ns();
	return true;
}
