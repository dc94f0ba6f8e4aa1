/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_view.c - a screen of numbers, drawn anew where it changed. */
#include "disk_view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

enum {
	HEAD_LINES = 11, /* all but the classes and what put_files() prints */
	FILES_LINES = 2,
	BAR_COLUMNS = 40,
	CLASS_TEXT_COLUMNS = 46, /* of a class's line without its bar */
	LINE_BYTES = 512,
};

static void put(FILE *out, const struct view *view, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void put(FILE *out, const struct view *view, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(out, "%.*s%s\n", (int)view->columns, line, view->end);
}

static double ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void bar(char *to, unsigned width, double share)
{
	unsigned full = share >= 1 ? width : (unsigned)(share * width + 0.5);
	memset(to, '.', width);
	memset(to, '#', full);
	to[width] = '\0';
}

/* Per second between two samples; counters that went back (another server) count as 0. */
static double rate(const struct disk_sample *before, const struct disk_sample *now, enum metric metric)
{
	if (before == NULL || now->taken_ns <= before->taken_ns || now->metric[metric] < before->metric[metric])
		return 0;
	return (double)(now->metric[metric] - before->metric[metric]) * 1e9 /
	       (double)(now->taken_ns - before->taken_ns);
}

static void put_memory(FILE *out, const struct view *view, const struct disk_sample *s)
{
	uint64_t held = s->metric[METRIC_MEMORY];
	put(out, view, "  stored        %12s   as written, of %s", format_bytes(s->mm[MM_ORIGINAL]).s,
	    format_bytes(s->disksize).s);
	put(out, view, "  compressed    %12s   ratio %.2f", format_bytes(s->mm[MM_COMPRESSED]).s,
	    ratio(s->mm[MM_ORIGINAL], s->mm[MM_COMPRESSED]));
	put(out, view, "  memory        %12s   density %.1f %%, metadata %s, most so far %s", format_bytes(held).s,
	    100 * ratio(s->metric[METRIC_REQUESTED], held),
	    format_bytes(s->metric[METRIC_METADATA]).s, format_bytes(s->metric[METRIC_MEMORY_MAX]).s);
	if (s->mm[MM_LIMIT])
		put(out, view, "  limit         %12s   %.1f %% in use", format_bytes(s->mm[MM_LIMIT]).s,
		    100 * ratio(held, s->mm[MM_LIMIT]));
	else
		put(out, view, "  limit         %12s", "none");
	put(out, view, "  blocks        %12s   same-filled, %s incompressible", format_count(s->mm[MM_SAME]).s,
	    format_count(s->mm[MM_HUGE]).s);
}

/* What zs mount has made has files. */
static void put_files(FILE *out, const struct view *view, const struct disk_sample *s)
{
	if (!s->directory)
		return;
	put(out, view, "  files         %12s   %s directories, %s symbolic links, %s others",
	    format_count(s->metric[METRIC_FILES]).s, format_count(s->metric[METRIC_DIRECTORIES]).s,
	    format_count(s->metric[METRIC_LINKS]).s, format_count(s->metric[METRIC_OTHERS]).s);
	put(out, view, "  names         %12s   of memory for names and inodes; files have %s",
	    format_bytes(s->metric[METRIC_NAMES_BYTES]).s, format_bytes(s->metric[METRIC_FILE_BYTES]).s);
}

static void put_work(FILE *out, const struct view *view, const struct disk_sample *before,
		     const struct disk_sample *now)
{
	if (before != NULL)
		put(out, view, "  operations/s  %12s   %s reads, %s writes, %s discards",
		    format_count((uint64_t)(rate(before, now, METRIC_READS) + rate(before, now, METRIC_WRITES) +
					    rate(before, now, METRIC_DISCARDS)))
			    .s,
		    format_count((uint64_t)rate(before, now, METRIC_READS)).s,
		    format_count((uint64_t)rate(before, now, METRIC_WRITES)).s,
		    format_count((uint64_t)rate(before, now, METRIC_DISCARDS)).s);
	else
		put(out, view, "  operations    %12s   %s reads, %s writes, %s discards",
		    format_count(now->metric[METRIC_READS] + now->metric[METRIC_WRITES] + now->metric[METRIC_DISCARDS])
			    .s,
		    format_count(now->metric[METRIC_READS]).s, format_count(now->metric[METRIC_WRITES]).s,
		    format_count(now->metric[METRIC_DISCARDS]).s);
	put(out, view, "  compaction    %12s   pages freed so far, %s can be, %s objects moved/s",
	    format_count(now->metric[METRIC_COMPACTED]).s, format_count(now->metric[METRIC_FREEABLE]).s,
	    format_count((uint64_t)rate(before, now, METRIC_MOVED)).s);
	if (now->pressure >= 0)
		put(out, view, "  pressure      %10.1f %%   of the last 10 s a task waited for memory", now->pressure);
	else
		put(out, view, "  pressure      %12s", "unknown");
}

static int more_pages(const void *a, const void *b)
{
	const struct class_sample *x = a, *y = b;
	return x->pages < y->pages ? 1 : x->pages > y->pages ? -1 : x->size < y->size ? -1 : x->size > y->size;
}

static int smaller(const void *a, const void *b)
{
	const struct class_sample *x = a, *y = b;
	return x->size < y->size ? -1 : x->size > y->size;
}

/* Those that hold most, by size, so that a class keeps its place from one view to the next. */
static void put_classes(FILE *out, const struct view *view, const struct disk_sample *s, size_t most)
{
	static struct class_sample sorted[CLASSES_MAX];
	char text[BAR_COLUMNS + 1];
	size_t count = s->class_count < most ? s->class_count : most;
	unsigned width = view->columns > CLASS_TEXT_COLUMNS ? view->columns - CLASS_TEXT_COLUMNS : 0;
	if (width > BAR_COLUMNS)
		width = BAR_COLUMNS;
	put(out, view, "  size classes, %zu of %zu that hold pages: share of their pages that is objects", count,
	    s->class_count);
	memcpy(sorted, s->classes, s->class_count * sizeof(sorted[0]));
	qsort(sorted, s->class_count, sizeof(sorted[0]), more_pages);
	qsort(sorted, count, sizeof(sorted[0]), smaller);
	for (size_t i = 0; i < count; i++) {
		const struct class_sample *c = &sorted[i];
		double share = ratio(c->objects * c->size, c->pages * s->page_size);
		bar(text, width, share);
		put(out, view, "  %6" PRIu64 " [%s] %5.1f %%%12s pages", c->size, text, 100 * share,
		    format_count(c->pages).s);
	}
}

void disk_view_print(FILE *out, const struct view *view, const char *name, const struct disk_sample *before,
		     const struct disk_sample *now)
{
	put(out, view, "zs top: %s, %s, %s", name, format_bytes(now->disksize).s, now->algorithms);
	put(out, view, "%s", "");
	put_memory(out, view, now);
	put_files(out, view, now);
	put_work(out, view, before, now);
	unsigned head = HEAD_LINES + (now->directory ? FILES_LINES : 0);
	put_classes(out, view, now, view->lines > head ? view->lines - head : 1);
}
