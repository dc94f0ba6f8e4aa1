/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * collect.h - real pages and where they come from; the parts of bench_dataset.
 *
 * A source gives pages until it has given its quota of pages that count. Which pages of a long file or a large process
 * are taken: every k-th, so that no single one makes up most of the set.
 */
#ifndef BENCH_COLLECT_H
#define BENCH_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common.h"
#include "dataset.h"

/* What one source gave. */
struct source {
	const char *name;
	uint32_t quota;       /* pages that count, at most */
	uint32_t counted;     /* pages that count */
	uint32_t same_filled; /* left out */
	uint32_t incompressible;
	uint64_t compressed_bytes; /* sum of the sizes */
};

struct collection;

/* What is done with a page. False when s has its quota. */
typedef bool (*collect_fn)(struct collection *c, struct source *s, const uint8_t page[DATASET_PAGE]);

/*
 * All pages so far. Contents are a reservoir: each of the first total pages has the same chance to be among them.
 */
struct collection {
	uint32_t capacity;
	uint32_t total;
	uint16_t *size;
	uint32_t contents_capacity;
	uint8_t *content;
	struct rng rng;
	collect_fn take; /* each page goes here */
};

/* Whole pages of regular files below the folder root (not into other file systems): those that match, or all. */
void collect_files(struct collection *c, struct source *s, const char *root, bool (*match)(const char *name));

/*
 * Run command in a shell, wait until it prints a line, read the private writable memory it is using, end it. The
 * command goes on until then. Returns false with a line on standard error when it could not be run or read.
 */
bool collect_process(struct collection *c, struct source *s, const char *command);

#endif
