/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disk_sample.h - the state of a served disk at one moment, for zs top.
 *
 * Read over the control socket: the attributes disksize, comp_algorithm and mm_stat, the statistics for Prometheus and
 * the table of size classes. Numbers that a server does not give are 0.
 */
#ifndef ZS_DISK_SAMPLE_H
#define ZS_DISK_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control_client.h"

enum { MM_STAT_FIELDS = 9, CLASSES_MAX = 1024 };

/* The fields of mm_stat, in its order. Bytes, but for the last four, which are blocks and pages. */
enum mm_stat_field {
	MM_ORIGINAL,
	MM_COMPRESSED,
	MM_USED,
	MM_LIMIT,
	MM_USED_MAX,
	MM_SAME,
	MM_COMPACTED,
	MM_HUGE,
	MM_HUGE_SINCE,
};

/* Numbers of the statistics, by their name there. */
enum metric {
	METRIC_READS,
	METRIC_WRITES,
	METRIC_DISCARDS,
	METRIC_MEMORY,    /* bytes of everything the disk holds, metadata included */
	METRIC_MEMORY_MAX, /* the most that was */
	METRIC_REQUESTED, /* bytes stored in it */
	METRIC_METADATA,  /* bytes of memory that are not pages for objects */
	METRIC_PAGES,
	METRIC_FREEABLE,
	METRIC_COMPACTED, /* pages, since the start */
	METRIC_MOVED,     /* objects, since the start */
	/* Of a directory only; each is there, or none. */
	METRIC_FILES,
	METRIC_DIRECTORIES,
	METRIC_LINKS,
	METRIC_OTHERS,
	METRIC_FILE_BYTES, /* in whole blocks, before compression */
	METRIC_NAMES_BYTES, /* of names, inodes and maps; beside METRIC_MEMORY */
	METRIC_COUNT,
};

struct class_sample {
	uint64_t size, objects, pages, freeable;
};

struct disk_sample {
	uint64_t taken_ns;
	uint64_t disksize;
	char algorithms[128]; /* the one in use in brackets */
	uint64_t mm[MM_STAT_FIELDS];
	uint64_t metric[METRIC_COUNT];
	bool directory; /* it is one that zs mount has made, not a disk */
	uint64_t page_size; /* of the pool */
	size_t class_count; /* those that hold pages */
	struct class_sample classes[CLASSES_MAX];
	double pressure; /* of memory on this machine: percent of the last 10 s that some task waited; negative: unknown */
};

/* False after a message. */
bool disk_sample_take(struct control_client *c, struct disk_sample *s);

#endif
